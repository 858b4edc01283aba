#include "fit/kept_rows.hpp"

namespace gapkit {

KeptRows KeptRows::of(const Structure& structure, std::int64_t number, const RowTargets& targets, int groups, bool is_exact) {
  KeptRows kept;
  kept.number = number;
  kept.config_type = structure.config_type;
  kept.geometry.cell = structure.cell;
  kept.geometry.pbc = structure.pbc;
  kept.geometry.atomic_numbers = structure.atomic_numbers;
  kept.geometry.positions = structure.positions;
  kept.is_exact = is_exact;
  std::size_t i = 0;
  Eigen::Index exact = 0, rounded = 0;
  for (const TargetInfo& target : gapkit::all_targets()) {
    if (!targets.wanted.wants(target.property)) continue;
    for (int row = 0; row < target.row_count(structure.size()); ++row, ++i) {
      if (targets.group[i] == RowTargets::excluded) continue;
      Row& added = kept.rows.emplace_back();
      added.property = target.property;
      added.row = row;
      added.group = targets.group[i] % groups;
      added.noise_scale = targets.noise_scale[i];
      added.target = targets.value[i] / added.noise_scale;
      added.place = kept.is_rounded(added) ? rounded++ : exact++;
    }
  }
  return kept;
}

void KeptRows::resize(Eigen::Index columns) {
  Eigen::Index few = 0;
  for (const Row& row : rows) few += is_rounded(row);
  rounded.resize(few, columns);
  exact.resize(static_cast<Eigen::Index>(rows.size()) - few, columns);
}

void KeptRows::set_row(std::size_t row, const Eigen::Ref<const Eigen::RowVectorXd>& values) {
  const Row& place = rows[row];
  if (is_rounded(place))
    rounded.row(place.place) = values.cast<float>();
  else
    exact.row(place.place) = values;
}

Eigen::RowVectorXd KeptRows::row(std::size_t row) const {
  const Row& place = rows[row];
  if (is_rounded(place)) return rounded.row(place.place).cast<double>();
  return exact.row(place.place);
}

}  // namespace gapkit
