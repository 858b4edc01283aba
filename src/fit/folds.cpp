#include "fit/folds.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/math/random_stream.hpp>
#include <sstream>

namespace gapkit {
namespace {

std::string text_of(const FieldValue& value) {
  std::ostringstream out;
  out.precision(17);
  std::visit(
      [&](const auto& v) {
        if constexpr (requires { out << v; })
          out << v;
        else if constexpr (requires { v.begin(); })
          for (const auto& item : v) out << item << ' ';
      },
      value);
  return out.str();
}

}  // namespace

FoldAssigner::FoldAssigner(const OptimizeOptions& options, std::map<std::string, std::int64_t> frames, std::uint64_t seed)
    : folds_(options.folds), frames_(std::move(frames)) {
  if (folds_ <= 1) return;
  if (options.fold.starts_with("key:")) {
    field_ = options.fold.substr(4);
    return;
  }
  std::int64_t all = 0;
  for (const auto& [name, count] : frames_) {
    type_number_.emplace(name, static_cast<int>(type_number_.size()));
    all += count;
  }
  if (options.fold != "random") return;
  for (std::int64_t i = 0; i < all; ++i) shuffled_.push_back(static_cast<int>(i % folds_));
  RandomStream random{.seed = seed, .stream = 0x5851F42D4C957F2Du};
  shuffle(shuffled_, random);
}

int FoldAssigner::next(const Structure& frame) {
  if (folds_ <= 1) return 0;
  if (!field_.empty()) {
    const Field* field = frame.find_field(field_);
    if (!field) throw InputError(frame.source + ": the frame has no field '" + field_ + "', which [optimize] fold divides the data by");
    return value_fold_.try_emplace(text_of(field->value), static_cast<int>(value_fold_.size()) % folds_).first->second;
  }
  if (!shuffled_.empty()) return shuffled_.at(count_++ % shuffled_.size());
  const std::int64_t number = seen_[frame.config_type]++, all = std::max<std::int64_t>(frames_[frame.config_type], 1);
  const std::int64_t stretch = std::min<std::int64_t>(number, all - 1) * folds_ / all;
  // Config types with few frames begin at different folds.
  return static_cast<int>((stretch + type_number_[frame.config_type]) % folds_);
}

std::vector<RowGroup> groups_of_folds(const std::vector<RowGroup>& groups, int folds) {
  std::vector<RowGroup> result;
  for (int f = 0; f < folds; ++f)
    for (RowGroup group : groups) {
      group.fold = f;
      result.push_back(group);
    }
  if (folds < 2) return result;
  for (RowGroup group : groups) {
    group.fold = never_left_out;
    result.push_back(group);
  }
  return result;
}

}  // namespace gapkit
