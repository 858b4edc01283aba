#include "active/source.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

#include "io/checksum.hpp"

namespace gapkit {

double RoundContext::error_bar_of(const Structure& structure) const {
  const auto quantity = options.threshold.quantity;
  PredictionRequest request = request_of(quantity);
  request.difference = true;  // the error bar is that of the sum as well
  return error_bar(predictor.compute(structure, request), quantity);
}

std::uint64_t RoundContext::seed_of(const std::string& what) const {
  Checksum sum;
  sum.add(static_cast<std::int64_t>(options.fit.seed));
  sum.add(static_cast<std::int64_t>(round));
  sum.add(what);
  return sum.value();
}

const std::vector<std::string>& source_kinds() {
  static const std::vector<std::string> kinds = {"pool", "md", "rattle"};
  return kinds;
}

std::unique_ptr<Source> make_source(const SourceOptions& source, const LoopOptions& loop) {
  if (source.kind == "pool") return make_pool_source(source);
  if (source.kind == "rattle") return make_rattle_source(source, loop);
  if (source.kind == "md") return make_md_source(source, loop);
  throw InputError(fmt::format("unknown source '{}'{}", source.kind, suggestion(source.kind, source_kinds())));
}

void describe_proposal(Structure& structure, const SourceOptions& source, const TargetKeys& keys, std::int64_t frame, double std,
                       const std::string& why) {
  if (!source.config_type.empty()) structure.config_type = source.config_type;
  structure.set_field(keys.config_type, structure.config_type);
  structure.set_field("active_source", source.name);
  structure.set_field("active_frame", frame);
  structure.set_field("active_std", std);
  structure.set_field("active_why", why);
}

}  // namespace gapkit
