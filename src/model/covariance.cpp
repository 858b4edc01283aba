#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/single_solve.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/prior.hpp>
#include <gapkit/model/relative_novelty.hpp>
#include <gapkit/model/sub_environments.hpp>

namespace gapkit {
namespace {

constexpr std::size_t chunk_pairs = 20'000;
constexpr std::size_t local_chunk_bytes = 16'000'000;  // of rows or features of a chunk of atoms
constexpr std::size_t row_bytes = 128'000'000;         // of the force rows of a group of atoms
// Novelty this far below zero is rounding: relative to k**, and to the sum of absolute values in k**.
constexpr double largest_clamp = 1e-10, magnitude_clamp = 1e-12;
// Relative to δ²: where images of one atom cancel, for example in a slab with a mirror plane, both k** and its parts are rounding errors,
// and L⁻¹ enlarges them.
constexpr double amplitude_clamp = 1e-18;
constexpr double single_clamp = 1e-6;  // the same of rows in single precision

}  // namespace

struct Covariance::State {
  explicit State(const Model& model) : rows(model.terms), prior(model.terms), novelty(model) {
    squared_scale.resize(static_cast<Eigen::Index>(model.terms.size()));
    for (std::size_t t = 0; t < model.terms.size(); ++t) {
      squared_scale[static_cast<Eigen::Index>(t)] = std::pow(model.posterior.delta_ratio[t], 2);
      squared_amplitudes += std::pow(model.posterior.delta_ratio[t] * model.terms[t].delta, 2);
    }
  }
  KernelRows rows;
  Prior prior;
  RelativeNovelty novelty;
  KeptFeatures kept;
  Vector squared_scale;           // s_t²: amplitudes may have changed after the kernels were computed
  double squared_amplitudes = 0;  // Σ δ_t² s_t², eV²
  bool has_force_jackknife = false, single_precision = false;
  MatrixOf<float> single_factor, single_rows;  // for solve()

  void solve(const Matrix& factor, MatrixSlice right, bool is_single);
};

// right ← right R_A⁻ᵀ. R_A⁻¹ enlarges nothing, so single precision suffices unless nearly all of a row vanishes.
void Covariance::State::solve(const Matrix& factor, MatrixSlice right, bool is_single) {
  constexpr double least_left = 1e-8;
  if (is_single) {
    if (single_factor.size() == 0) single_factor = factor.cast<float>();
    single_rows = right.cast<float>();
    solve_lower_rows(single_factor, single_rows);
    bool is_sure = true;
    for (Eigen::Index i = 0; i < right.rows() && is_sure; ++i) {
      const double before = right.row(i).squaredNorm(), after = single_rows.row(i).cast<double>().squaredNorm();
      is_sure = before == 0 || after >= least_left * before;
    }
    if (is_sure) {
      right = single_rows.cast<double>();
      return;
    }
  }
  solve_lower_rows(factor, right);
}

Covariance::Covariance(const Model& model) : model_(model), state_(std::make_unique<State>(model)) {}

Covariance::~Covariance() = default;

void Covariance::whiten(MatrixSlice rows) const {
  const SparseFactor& factor = model_.factor;
  factor.whiten(rows);
  for (std::size_t t = 0; t < model_.terms.size(); ++t)
    if (model_.posterior.delta_ratio[t] != 1)
      rows.middleCols(factor.offsets()[t], factor.blocks()[t].rows()) *= model_.posterior.delta_ratio[t];
}

Vector Covariance::jackknife(const MatrixView& rows) const {
  if (!model_.calibration || model_.calibration->jackknife.rows() == 0) return Vector::Zero(rows.rows());
  Matrix products(rows.rows(), model_.calibration->jackknife.rows());
  multiply_nt(rows, model_.calibration->jackknife, products);
  return products.rowwise().squaredNorm();
}

std::vector<Variance> Covariance::split(MatrixSlice rows, const Vector& prior, const Vector& magnitude, double clamp) const {
  std::vector<Variance> result(static_cast<std::size_t>(rows.rows()));
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    double novelty = prior[i] - rows.row(i).squaredNorm();
    if (novelty < 0) {
      if (novelty < -std::max(clamp, largest_clamp) * prior[i] - std::max(clamp, magnitude_clamp) * magnitude[i] -
                        amplitude_clamp * state_->squared_amplitudes)
        throw NumericalError(fmt::format(
            "a posterior variance came out negative ({} at a prior of {}): the model file does not fit together", novelty, prior[i]));
      novelty = 0;
    }
    result[static_cast<std::size_t>(i)].novelty = novelty;
    result[static_cast<std::size_t>(i)].prior = prior[i];
  }
  state_->solve(model_.posterior.factor, rows, clamp > 0);
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    Variance& variance = result[static_cast<std::size_t>(i)];
    variance.data = rows.row(i).squaredNorm();
    if (clamp > 0) variance.data = std::min(variance.data, prior[i]);  // exact: data do not enlarge a variance
    if (!std::isfinite(variance.total()))
      throw NumericalError(fmt::format("a posterior variance is not finite (novelty {}, data part {}): the model file is damaged",
                                       variance.novelty, variance.data));
  }
  return result;
}

void Covariance::add_force_jackknife(bool is_wanted) {
  state_->has_force_jackknife = is_wanted;
}

void Covariance::use_single_precision(bool is_wanted) {
  state_->single_precision = is_wanted;
}

std::vector<Variance> Covariance::of_group(const Environments& environments, int atoms, const Observables& wanted, Matrix* force_cross) {
  State& s = *state_;
  const bool is_single = s.single_precision && wanted.forces && !wanted.energy && !wanted.virial;
  s.rows.use_single_precision(is_single);
  s.prior.use_single_precision(is_single);
  Matrix rows(wanted.rows(atoms), s.rows.columns());
  s.rows.compute(environments, atoms, wanted, rows, &s.kept);
  const PriorVariances of_terms = s.prior.observables(environments, atoms, wanted, &s.kept);
  const Vector prior = of_terms.value * s.squared_scale, magnitude = of_terms.magnitude * s.squared_scale;
  const Eigen::Index first = wanted.forces_row(), count = wanted.forces ? 3 * atoms : 0, last = first + count;
  std::vector<Variance> result(static_cast<std::size_t>(rows.rows()));
  const auto fill = [&](Eigen::Index from, Eigen::Index number, bool has_jackknife) {
    const MatrixSlice part = rows.middleRows(from, number);
    whiten(part);
    const Vector moved = has_jackknife ? jackknife(part) : Vector::Zero(number);
    const std::vector<Variance> variances =
        split(part, prior.segment(from, number), magnitude.segment(from, number), is_single ? single_clamp : 0);
    for (Eigen::Index i = 0; i < number; ++i) {
      Variance& variance = result[static_cast<std::size_t>(from + i)] = variances[static_cast<std::size_t>(i)];
      variance.jackknife = moved[i];
    }
  };
  fill(0, first, true);
  fill(last, rows.rows() - last, true);
  fill(first, count, s.has_force_jackknife);
  if (force_cross) {
    force_cross->resize(count / 3, 3);
    for (Eigen::Index i = 0; i < count / 3; ++i) {
      const auto component = [&](int k) { return rows.row(first + 3 * i + k); };
      force_cross->row(i) << component(1).dot(component(2)), component(0).dot(component(2)), component(0).dot(component(1));
    }
  }
  return result;
}

std::vector<Variance> Covariance::observables(const Environments& environments, int atoms, const Observables& wanted, Matrix* force_cross) {
  const std::size_t force_bytes = 3 * sizeof(double) * static_cast<std::size_t>(atoms) * static_cast<std::size_t>(state_->rows.columns());
  // Only forces can be in single precision.
  const bool is_apart = state_->single_precision && !wanted.virial && wanted.energy;
  if (!wanted.forces || (force_bytes <= row_bytes && !is_apart)) return of_group(environments, atoms, wanted, force_cross);
  std::vector<Variance> result;
  result.reserve(static_cast<std::size_t>(wanted.rows(atoms)));
  const auto add = [&](const Observables& some, Matrix* cross = nullptr) {
    const std::vector<Variance> part = of_group(environments, atoms, some, cross);
    result.insert(result.end(), part.begin(), part.end());
  };
  if (wanted.energy) add({.energy = true, .forces = false, .virial = false});
  if (force_bytes <= row_bytes)
    add({.energy = false, .forces = true, .virial = false}, force_cross);
  else
    forces(environments, atoms, result, force_cross);
  if (wanted.virial) add({.energy = false, .forces = false, .virial = true});
  return result;
}

// Groups of atoms with all environments that contain one of them.
void Covariance::forces(const Environments& environments, int atoms, std::vector<Variance>& result, Matrix* force_cross) {
  State& s = *state_;
  const std::size_t first = result.size();
  result.resize(first + 3 * static_cast<std::size_t>(atoms));
  if (force_cross) force_cross->setZero(atoms, 3);
  const std::vector<int> position = centre_positions(environments, static_cast<int>(environments.atomic_number.size()));
  const int most = std::max(16, static_cast<int>(row_bytes / (3 * sizeof(double) * static_cast<std::size_t>(s.rows.columns()))));
  constexpr Observables only_forces{.energy = false, .forces = true, .virial = false};
  for (std::vector<int>& group : compact_groups(environments, position, most)) {
    group.erase(std::remove_if(group.begin(), group.end(), [&](int atom) { return atom >= atoms; }), group.end());
    if (group.empty()) continue;
    const SubEnvironments around(environments, position, group);
    Matrix cross;
    const std::vector<Variance> part = of_group(around.view(), static_cast<int>(group.size()), only_forces, force_cross ? &cross : nullptr);
    for (std::size_t i = 0; i < group.size(); ++i) {
      for (std::size_t a = 0; a < 3; ++a) result[first + 3 * static_cast<std::size_t>(group[i]) + a] = part[3 * i + a];
      if (force_cross) force_cross->row(group[i]) = cross.row(static_cast<Eigen::Index>(i));
    }
  }
}

Variance Covariance::total_energy(const Environments& environments, int atoms) {
  return observables(environments, atoms, {.energy = true, .forces = false, .virial = false})[0];
}

double Covariance::prior_total_energy(const Environments& environments) {
  return state_->prior.energies(environments, environments).dot(state_->squared_scale);
}

std::vector<Variance> Covariance::local_energies(const Environments& environments, int atoms) {
  State& s = *state_;
  std::vector<Variance> result(static_cast<std::size_t>(atoms));
  Eigen::Index width = s.rows.columns();
  for (const Term& term : model_.terms) width = std::max<Eigen::Index>(width, term.descriptor->size());
  const int most = std::max(1, static_cast<int>(local_chunk_bytes / (sizeof(double) * static_cast<std::size_t>(width))));
  for (int begin = 0; begin < environments.size();) {
    const int end = std::min(chunk_end(environments, begin, chunk_pairs), begin + most);
    Matrix rows(end - begin, s.rows.columns()), of_terms;
    s.rows.compute_local(environments, begin, end, rows, &of_terms);
    std::vector<int> element;
    for (int c = begin; c < end; ++c)
      element.push_back(environments.atomic_number[static_cast<std::size_t>(environments.centre[static_cast<std::size_t>(c)])]);
    whiten(rows);
    const std::vector<Variance> variances = split_local(rows, of_terms, element);
    for (int c = begin; c < end; ++c)
      result.at(static_cast<std::size_t>(environments.centre[static_cast<std::size_t>(c)])) =
          variances[static_cast<std::size_t>(c - begin)];
    begin = end;
  }
  return result;
}

std::vector<Variance> Covariance::weighted_sums(const Environments& environments, const Matrix& weights) {
  State& s = *state_;
  const PriorVariances prior = s.prior.property(environments, Observables::none(), weights);
  Matrix values(weights.cols(), s.rows.columns());
  s.rows.compute_local(environments, static_cast<int>(weights.cols()), values);
  Matrix rows = weights * values;
  whiten(rows);
  const Vector moved = jackknife(rows);
  std::vector<Variance> result = split(rows, prior.value * s.squared_scale, prior.magnitude * s.squared_scale);
  for (std::size_t i = 0; i < result.size(); ++i) result[i].jackknife = moved[static_cast<Eigen::Index>(i)];
  return result;
}

bool Covariance::fits_local(const Environments& environments) const {
  return static_cast<std::size_t>(environments.size()) * static_cast<std::size_t>(state_->rows.columns()) <=
         2 * local_chunk_bytes / sizeof(double);
}

void Covariance::begin_local(const Environments& environments, LocalRows& local) const {
  local.rows.setZero(environments.size(), state_->rows.columns());
  local.prior.setZero(environments.size(), static_cast<Eigen::Index>(model_.terms.size()));
  local.element.clear();
  for (const int i : environments.centre) local.element.push_back(environments.atomic_number[static_cast<std::size_t>(i)]);
}

void Covariance::add_local(std::size_t t, const Environments& environments, const CentreFeatures& part, LocalRows& local) {
  state_->rows.add_local(t, environments, part, local.rows.middleRows(part.first, part.last - part.first), &local.prior, part.first);
}

std::vector<Variance> Covariance::finish_local(LocalRows& local) const {
  if (local.rows.rows() == 0) return {};
  whiten(local.rows);
  return split_local(local.rows, local.prior, local.element);
}

std::vector<Variance> Covariance::split_local(MatrixSlice rows, const Matrix& prior, std::span<const int> element) const {
  const Matrix spanned = state_->novelty.spanned(rows);
  const Vector all = prior * state_->squared_scale;
  std::vector<Variance> result = split(rows, all, all);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    result[i].relative = state_->novelty.square(element[i], spanned.row(row), prior.row(row));
    result[i].full = state_->novelty.full_square(element[i], spanned.row(row), prior.row(row));
  }
  return result;
}

Variance Covariance::energy_difference(const Environments& a, const Environments& b) {
  State& s = *state_;
  constexpr Observables energy{.energy = true, .forces = false, .virial = false};
  Matrix row_a(1, s.rows.columns()), row_b(1, s.rows.columns());
  s.rows.compute(a, 0, energy, row_a);
  s.rows.compute(b, 0, energy, row_b);
  row_b -= row_a;
  const double aa = s.prior.energies(a, a).dot(s.squared_scale), bb = s.prior.energies(b, b).dot(s.squared_scale);
  const double ab = s.prior.energies(a, b).dot(s.squared_scale);
  whiten(row_b);
  const double moved = jackknife(row_b)[0];
  Variance result = split(row_b, Vector::Constant(1, std::max(0.0, aa + bb - 2 * ab)), Vector::Constant(1, aa + bb))[0];
  result.jackknife = moved;
  return result;
}

Covariance::Joint Covariance::total_energies(std::span<const Environments> structures) {
  State& s = *state_;
  const auto n = static_cast<Eigen::Index>(structures.size());
  Matrix rows(n, s.rows.columns());
  Joint joint{Matrix(n, n), Matrix(n, n)};
  for (Eigen::Index i = 0; i < n; ++i) {
    const Environments& a = structures[static_cast<std::size_t>(i)];
    s.rows.compute(a, 0, {.energy = true, .forces = false, .virial = false}, rows.middleRows(i, 1));
    for (Eigen::Index j = 0; j <= i; ++j)
      joint.novelty(i, j) = joint.novelty(j, i) = s.prior.energies(a, structures[static_cast<std::size_t>(j)]).dot(s.squared_scale);
  }
  const Vector prior = joint.novelty.diagonal();
  whiten(rows);
  multiply_nt(rows, rows, joint.novelty, -1, 1);
  for (Eigen::Index i = 0; i < n; ++i) {
    double& novelty = joint.novelty(i, i);
    if (novelty < -largest_clamp * prior[i])
      throw NumericalError(
          fmt::format("a posterior variance came out negative ({} eV² at a prior of {} eV²): the model file does not fit "
                      "together",
                      novelty, prior[i]));
    novelty = std::max(novelty, 0.0);
  }
  solve_lower_rows(model_.posterior.factor, rows);
  multiply_nt(rows, rows, joint.data);
  if (!joint.novelty.allFinite() || !joint.data.allFinite())
    throw NumericalError("a posterior covariance is not finite: the model file is damaged");
  return joint;
}

}  // namespace gapkit
