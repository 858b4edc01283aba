#pragma once

#include <gapkit/core/structure.hpp>
#include <gapkit/io/checksum.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// Rows as they enter the checksum: symmetric tensors with all nine numbers.
inline std::vector<double> numbers_of(const TargetInfo& target, std::vector<double> rows) {
  if (!target.is_tensor() || rows.empty()) return rows;
  const Matrix3 tensor = tensor_of(Eigen::Map<const Voigt>(rows.data()));
  return {tensor.data(), tensor.data() + tensor.size()};
}

/// Adds the parts of a frame that a fit uses.
inline void add_frame(Checksum& checksum, const Structure& s) {
  checksum.add(s.config_type);
  for (const int z : s.atomic_numbers) checksum.add(static_cast<std::int64_t>(z));
  for (Eigen::Index i = 0; i < s.positions.size(); ++i) checksum.add(s.positions.data()[i]);
  if (s.cell)
    for (Eigen::Index i = 0; i < 9; ++i) checksum.add(s.cell->data()[i]);
  for (const bool periodic : s.pbc) checksum.add(std::int64_t{periodic});
  for (const TargetInfo& target : all_targets())
    for (const double value : numbers_of(target, target.rows(s))) checksum.add(value);
  // σ and masks of single rows, each with a tag, because each may be absent. The tags of the first targets never change: model files hold
  // the checksums.
  enum Part { frame, atom, component };
  const auto number = [](Property property, Part part) {
    constexpr std::int64_t first[3][3] = {{1, 8, 9}, {2, 4, 6}, {3, 10, 7}};
    const auto index = static_cast<std::int64_t>(property);
    return index < 3 ? first[index][part] : 10 * index + part;
  };
  for (const TargetInfo& target : all_targets())
    if (const auto& sigma = s.sigma[target.property].frame) {
      checksum.add(number(target.property, frame));
      checksum.add(*sigma);
    }
  const auto add_all = [&](Property property, Part part, const std::vector<double>& sigmas) {
    if (!sigmas.empty()) checksum.add(number(property, part));
    for (const double sigma : sigmas) checksum.add(sigma);
  };
  for (const TargetInfo& target : all_targets()) add_all(target.property, atom, s.sigma[target.property].atom);
  if (!s.force_mask.empty()) checksum.add(std::int64_t{5});
  for (const bool is_masked : s.force_mask) checksum.add(std::int64_t{is_masked});
  for (const TargetInfo& target : all_targets())
    add_all(target.property, component, numbers_of(target, s.sigma[target.property].component));
  for (const TargetInfo& target : all_targets()) {
    const std::vector<double>& base = s.base[target.property];
    if (base.empty()) continue;
    checksum.add(-1 - static_cast<std::int64_t>(target.property));
    for (const double value : base) checksum.add(value);
  }
}

inline std::uint64_t fingerprint_of(const Structure& s) {
  Checksum checksum;
  add_frame(checksum, s);
  return checksum.value();
}

/// Single atoms are left out: parts of the data may share the frames of their reference energies.
inline void add_frame(FrameSketch& frames, const Structure& s) {
  if (s.size() > 1) frames.add(fingerprint_of(s));
}

}  // namespace gapkit
