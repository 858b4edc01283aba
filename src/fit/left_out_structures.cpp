#include "fit/left_out_structures.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/parallel_tasks.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/model/noise.hpp>

namespace gapkit {
namespace {

constexpr std::size_t many_rows = 1200;  // structures of more rows are left out with all threads, one after the other
// Least pivot of 1 − H: rows in single precision have relative errors of 6e-8, others of 1e-16.
constexpr double least_pivot_rounded = 1e-4, least_pivot_exact = 1e-11;
constexpr double jackknife_tolerance = 1e-8;  // of the pivots of Σ Δ Δᵀ

Vector scales_of_points(const Model& model) {
  Vector scale(model.factor.size());
  for (std::size_t t = 0; t < model.terms.size(); ++t)
    scale.segment(model.factor.offsets()[t], model.factor.blocks()[t].rows()).setConstant(model.posterior.delta_ratio[t]);
  return scale;
}

std::vector<double> sigmas_of_groups(const Model& model, const RowRules& rules) {
  std::vector<double> result;
  for (const RowGroup& group : rules.groups) {
    const auto& solved = model.posterior.groups;
    const auto found = std::find_if(solved.begin(), solved.end(), [&](const RowGroup& g) { return g.same_noise(group); });
    result.push_back(group.fixed || found == solved.end() ? 1.0 : found->sigma);
  }
  return result;
}

}  // namespace

struct LeftOutStructures::Result {
  bool is_imprecise = false;
  Vector shift;
  LeftOutStructure structure;  // without rows if it is not of the sample
  Matrix weights;
};

LeftOutStructures::LeftOutStructures(const Model& model, const RowRules& rules, const std::vector<std::int64_t>& sample, int fewer_points)
    : model_(model),
      rules_(rules),
      sample_(sample),
      left_out_(model.factor, model.posterior),
      local_energies_(model),
      has_local_energies_(std::all_of(rules.groups.begin(), rules.groups.end(),
                                      [](const RowGroup& g) { return target_info(g.property).field == AtomicField::energy; })),
      scale_(scales_of_points(model)),
      sigma_(sigmas_of_groups(model, rules)),
      moved_(model.factor.size()) {
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const auto& origins = model.terms[t].sparse.origin;
    for (std::size_t m = 0; m < origins.size(); ++m)
      own_[origins[m].frame].push_back(model.factor.offsets()[t] + static_cast<Eigen::Index>(m));
  }
  if (fewer_points < 1 || fewer_points >= model.factor.size()) return;
  fewer_points_ = fewer_points;
  fewer_ = std::make_unique<const Model>(with_fewer_points(model, fewer_points));
  left_out_of_fewer_.emplace(fewer_->factor, fewer_->posterior);
  for (std::size_t t = 0; t < model.terms.size(); ++t)
    for (Eigen::Index m = 0; m < fewer_->factor.blocks()[t].rows(); ++m) first_points_.push_back(model.factor.offsets()[t] + m);
}

LeftOutStructures::~LeftOutStructures() = default;

WeightedRows LeftOutStructures::weighted(const KeptRows& kept) const {
  WeightedRows result;
  const auto count = static_cast<Eigen::Index>(kept.rows.size());
  result.rows.resize(count, model_.factor.size());
  result.target.resize(count);
  const bool is_sampled = std::binary_search(sample_.begin(), sample_.end(), kept.number);
  for (Eigen::Index i = 0; i < count; ++i) {
    const KeptRows::Row& row = kept.rows[static_cast<std::size_t>(i)];
    result.rows.row(i) = kept.row(static_cast<std::size_t>(i)).cwiseProduct(scale_.transpose()) / sigma_of(row.group);
    result.target[i] = row.target / sigma_of(row.group);
    const bool has_effect = !target_info(row.property).is_per_atom || is_chosen(row.row / 3, kept.geometry.atomic_numbers.size());
    if (is_sampled && has_effect) result.wanted_weights.push_back(i);
  }
  if (const auto own = own_.find(kept.number); own != own_.end()) result.own_points = own->second;
  return result;
}

void LeftOutStructures::fill(const KeptRows& kept, const WeightedRows& weighted, const LeftOutRows& found, Result& result) const {
  result.structure.number = kept.number;
  result.structure.config_type = kept.config_type;
  result.structure.atoms = static_cast<int>(kept.geometry.atomic_numbers.size());
  PerTarget<double> level;
  for (const TargetInfo& target : all_targets())
    level[target.property] = noise_level(model_, target.property, kept.config_type).sigma *
                             target.noise_scale(static_cast<int>(kept.geometry.atomic_numbers.size()), model_.scale_with_atoms);
  for (std::size_t i = 0; i < kept.rows.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const KeptRows::Row& row = kept.rows[i];
    const TargetInfo& target = target_info(row.property);
    const double sigma = sigma_of(row.group) * row.noise_scale;
    LeftOutRow& added = result.structure.rows.emplace_back();
    added.property = row.property;
    added.row = row.row;
    if (target.is_per_atom) added.element = kept.geometry.atomic_numbers[static_cast<std::size_t>(row.row / target.components)];
    added.error = -found.error[k] * sigma;
    added.reference = row.target * row.noise_scale;
    added.noise = rules_.groups[static_cast<std::size_t>(row.group)].fixed ? sigma : level[row.property];
    added.spanned = std::max(0.0, weighted.rows.row(k).squaredNorm() - found.own[k]) * sigma * sigma;
    added.data = found.data[k] * sigma * sigma;
  }
  for (const Eigen::Index i : weighted.wanted_weights) result.structure.rows[static_cast<std::size_t>(i)].has_jackknife = true;
}

LeftOutStructures::Result LeftOutStructures::leave_out(const KeptRows& kept) const {
  Result result;
  WeightedRows rows = weighted(kept);
  const bool is_sampled = std::binary_search(sample_.begin(), sample_.end(), kept.number);
  LocalEnergies::Rows local;
  if (is_sampled && has_local_energies_) {
    local = local_energies_.of(kept.geometry);
    rows.others = std::move(local.rows);
  }
  const double least_pivot = kept.is_exact ? least_pivot_exact : least_pivot_rounded;
  const std::optional<LeftOutRows> found = left_out_.without(rows, least_pivot);
  result.is_imprecise = !found;
  if (!found) return result;
  result.shift = found->shift;
  if (!is_sampled) return result;
  result.weights = found->weights;
  for (std::size_t k = 0; k < rows.wanted_weights.size(); ++k) {
    const KeptRows::Row& row = kept.rows[static_cast<std::size_t>(rows.wanted_weights[k])];
    result.weights.row(static_cast<Eigen::Index>(k)) *= sigma_of(row.group) * row.noise_scale;  // to the unit of the target
  }
  fill(kept, rows, *found, result);
  if (has_local_energies_) {
    result.structure.local_energies = local_energies_.left_out(local, rows, *found);
    if (near_copies_ != nullptr) near_copies_->add(kept.number, rows.others, local.prior, result.structure.local_energies);
  }
  if (!fewer_) return result;
  WeightedRows first{rows.rows(Eigen::all, first_points_), rows.target, {}, {}};
  for (const Eigen::Index point : rows.own_points) {
    const auto place = std::lower_bound(first_points_.begin(), first_points_.end(), point);
    if (place != first_points_.end() && *place == point) first.own_points.push_back(place - first_points_.begin());
  }
  const std::optional<LeftOutRows> of_fewer = left_out_of_fewer_->without(first, least_pivot);
  result.is_imprecise = !of_fewer;
  for (std::size_t i = 0; of_fewer && i < kept.rows.size(); ++i) {
    const double sigma = sigma_of(kept.rows[i].group) * kept.rows[i].noise_scale;
    const auto k = static_cast<Eigen::Index>(i);
    result.structure.rows[i].data_of_fewer = of_fewer->data[k] * sigma * sigma;
    result.structure.rows[i].spanned_of_fewer = std::max(0.0, first.rows.row(k).squaredNorm() - of_fewer->own[k]) * sigma * sigma;
  }
  return result;
}

void LeftOutStructures::leave_out_groups(GroupRule rule, int atoms) {
  groups_ = std::make_unique<LeftOutGroups>(model_.posterior, std::move(rule));
  chosen_atoms_ = atoms;
}

bool LeftOutStructures::is_chosen(int atom, std::size_t atoms_of_structure) const {
  const int stride = std::max(1, (static_cast<int>(atoms_of_structure) + chosen_atoms_ - 1) / std::max(1, chosen_atoms_));
  return chosen_atoms_ > 0 && atom % stride == 0;
}

void LeftOutStructures::add_to_group(const KeptRows& kept, const Vector& shift) {
  const WeightedRows rows = weighted(kept);
  const std::vector<std::size_t> chosen(rows.wanted_weights.begin(), rows.wanted_weights.end());
  std::vector<double> sigma;
  for (const std::size_t i : chosen) sigma.push_back(sigma_of(kept.rows[i].group) * kept.rows[i].noise_scale);
  groups_->add(kept, rows, shift, chosen, sigma);
}

void LeftOutStructures::add(std::vector<KeptRows> structures) {
  std::vector<Result> results(structures.size());
  std::vector<std::size_t> small;
  for (std::size_t i = 0; i < structures.size(); ++i) {
    if (structures[i].rows.size() < many_rows)
      small.push_back(i);
    else
      results[i] = leave_out(structures[i]);
  }
  parallel_tasks(small.size(), thread_count(), [&](std::size_t i, std::size_t) { results[small[i]] = leave_out(structures[small[i]]); });
  Matrix shifts(static_cast<Eigen::Index>(structures.size()), model_.factor.size());
  Eigen::Index count = 0;
  for (std::size_t i = 0; i < structures.size(); ++i) {
    Result& result = results[i];
    if (result.is_imprecise) {
      imprecise_.push_back(structures[i].number);
      continue;
    }
    shifts.row(count++) = result.shift.transpose();
    if (groups_) add_to_group(structures[i], result.shift);
    if (result.structure.rows.empty()) continue;
    own_moves_.push_back(result.weights * result.shift);
    weights_.push_back(std::move(result.weights));
    structures_.push_back(std::move(result.structure));
  }
  moved_.add_rows(shifts.topRows(count));
}

const std::vector<LeftOutStructure>& LeftOutStructures::finish() {
  const Matrix moved = moved_.dense();
  for (std::size_t s = 0; s < structures_.size(); ++s) {
    Matrix products(weights_[s].rows(), moved.cols());
    multiply_nn(weights_[s], moved, products);
    Eigen::Index next = 0;
    for (LeftOutRow& row : structures_[s].rows) {
      if (!row.has_jackknife) continue;
      const double all = products.row(next).dot(weights_[s].row(next)), own = own_moves_[s][next];
      row.jackknife = std::max(0.0, all - own * own);
      ++next;
    }
  }
  weights_.clear();
  return structures_;
}

Matrix LeftOutStructures::jackknife_factor() const {
  const PivotedCholesky found = pivoted_cholesky(moved_.dense(), jackknife_tolerance);
  Matrix factor(found.lower.cols(), model_.factor.size());
  for (Eigen::Index m = 0; m < factor.cols(); ++m)
    factor.col(found.pivot_all[static_cast<std::size_t>(m)]) = found.lower.row(m).transpose();
  return factor;
}

}  // namespace gapkit
