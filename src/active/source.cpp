#include "active/source.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/io/checksum.hpp>

namespace gapkit {

double RoundContext::error_bar_of(const Structure& structure) const {
  const auto quantity = options.threshold.quantity;
  PredictionRequest request = request_of(quantity);
  request.difference = true;  // the error bar is that of the sum as well
  return error_bar(predictor.compute(structure, request), quantity);
}

std::uint64_t RoundContext::seed_of(const std::string& name) const {
  Checksum sum;
  sum.add(static_cast<std::int64_t>(options.fit.seed));
  sum.add(static_cast<std::int64_t>(round));
  sum.add(name);
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

Proposal make_proposal(Structure structure, const SourceOptions& source, std::int64_t frame, double std, std::string why) {
  if (!source.config_type.empty()) structure.config_type = source.config_type;
  return {std::move(structure), std, source.name, frame, std::move(why)};
}

std::string comparison_text(ThresholdOptions::Quantity quantity, double found, double threshold) {
  const std::string unit = quantity_unit(quantity);
  return fmt::format("{} {:.3g} > {:.3g}{}{}", quantity_name(quantity), found, threshold, unit.empty() ? "" : " ", unit);
}

std::string reason_of(const RoundContext& context, double std) {
  const auto& threshold = context.options.threshold;
  if (threshold.mode == ThresholdOptions::Mode::none) return "no threshold";
  return comparison_text(threshold.quantity, std, context.threshold.value);
}

}  // namespace gapkit
