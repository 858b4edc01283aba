#include <algorithm>
#include <cmath>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/prior.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <mutex>

#include "model/direct_prior.hpp"

namespace gapkit {

// κ ≈ Σ_q ψ_q ψ_q' for all features of a descriptor: points z and L with ψ = L⁻¹ κ(z, ·). Empty if there is no such form.
struct PriorBasis {
  Matrix points, lower;
};

namespace {

constexpr double one_dimensional_tolerance = 1e-13, tolerance = 1e-11;  // of the low-rank form, relative to κ(x, x)
constexpr int one_dimensional_points = 4000, domain_points = 6000;
constexpr int largest_rank = 1500;  // beyond it the double sum is cheaper than the low-rank form

PriorBasis make_basis(const Term& term, Matrix points_of_domain) {
  const int size = term.descriptor->size();
  PriorBasis result{Matrix(0, size), Matrix()};
  if (points_of_domain.rows() == 0) return result;
  Candidates domain;
  domain.x = std::move(points_of_domain);
  domain.covariance_cutoff = Vector::Ones(domain.x.rows());
  domain.config_type.assign(static_cast<std::size_t>(domain.x.rows()), 0);
  domain.origin.resize(domain.config_type.size());
  domain.serial.resize(domain.config_type.size());
  SelectionRequest request;
  request.count = largest_rank + 1;
  request.kernel = term.kernel.get();
  request.tolerance = size == 1 ? one_dimensional_tolerance : tolerance;
  const std::vector<int> chosen = selection_kind("variance").choose(domain, request);
  if (static_cast<int>(chosen.size()) > largest_rank) return result;
  Matrix points(static_cast<Eigen::Index>(chosen.size()), size);
  for (std::size_t q = 0; q < chosen.size(); ++q) points.row(static_cast<Eigen::Index>(q)) = domain.x.row(chosen[q]);
  Matrix k(points.rows(), points.rows());
  term.kernel->compute(points, points, k);
  const PivotedCholesky factor = pivoted_cholesky(k, 1e-15);
  const auto rank = static_cast<Eigen::Index>(factor.pivot.size());
  result.points.resize(rank, size);
  for (Eigen::Index q = 0; q < rank; ++q) result.points.row(q) = points.row(factor.pivot[static_cast<std::size_t>(q)]);
  result.lower = factor.lower.topRows(rank);
  return result;
}

// Bases of the last terms, because the terms of one model share domains and kernels, and programs compute many error bars with one model.
// The holder of a basis keeps it alive.
std::shared_ptr<const PriorBasis> basis_of(const Term& term) {
  constexpr std::size_t most_kept = 32;
  static std::mutex mutex;
  static std::vector<std::pair<std::string, std::shared_ptr<const PriorBasis>>> kept;
  const int count = term.descriptor->size() == 1 ? one_dimensional_points : domain_points;
  Matrix domain = term.kernel->is_smooth() ? term.descriptor->domain_points(count) : Matrix();
  const std::string_view bytes(reinterpret_cast<const char*>(domain.data()), sizeof(double) * static_cast<std::size_t>(domain.size()));
  const std::string key = std::to_string(domain.rows()) + " " + std::to_string(term.descriptor->size()) + " " +
                          std::to_string(std::hash<std::string_view>()(bytes)) + " " + term.kernel_name +
                          parameters_to_json(term.kernel->parameters());
  {
    const std::lock_guard lock(mutex);
    for (const auto& [name, basis] : kept)
      if (name == key) return basis;
  }
  auto basis = std::make_shared<const PriorBasis>(make_basis(term, std::move(domain)));
  const std::lock_guard lock(mutex);
  if (kept.size() >= most_kept) kept.erase(kept.begin());
  kept.emplace_back(key, basis);
  return basis;
}

// A term with the points of the low-rank form as sparse points.
Term low_rank_term(const Term& term, const PriorBasis& basis) {
  Term result = term;
  result.sparse = {};
  result.sparse.x = basis.points;
  result.sparse.covariance_cutoff = Vector::Ones(basis.points.rows());
  return result;
}

}  // namespace

struct Prior::State {
  std::span<const Term> terms;
  std::vector<Term> low_rank;                            // terms with a low-rank form
  std::vector<int> index;                                // index in `low_rank` of each term, or −1
  std::vector<std::shared_ptr<const PriorBasis>> basis;  // of each low-rank form; terms share it
  std::unique_ptr<KernelRows> rows;
  std::unique_ptr<KernelRows> values;  // of all terms, without sparse points: for prior variances of values
  std::vector<DirectPrior> direct;     // of each term
  Matrix scratch;

  /// Rows ψ of every low-rank form, whitened, without δ: δ² multiplicity² |ψ|² is k**.
  const Matrix& low_rank_rows(const Environments& environments, int atoms, const Observables& wanted) {
    scratch.resize(wanted.rows(atoms), rows->columns());
    rows->compute(environments, atoms, wanted, scratch);
    for (std::size_t i = 0; i < low_rank.size(); ++i) {
      auto block = scratch.middleCols(rows->offsets()[i], basis[i]->lower.rows());
      solve_lower_rows(basis[i]->lower, block);
      block /= low_rank[i].delta;
    }
    return scratch;
  }
};

Prior::Prior(std::span<const Term> terms) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.terms = terms;
  s.direct.reserve(terms.size());
  for (const Term& term : terms) {
    std::shared_ptr<const PriorBasis> basis = basis_of(term);
    const bool has_form = basis->points.rows() > 0;
    s.index.push_back(has_form ? static_cast<int>(s.low_rank.size()) : -1);
    if (has_form) {
      s.low_rank.push_back(low_rank_term(term, *basis));
      s.basis.push_back(std::move(basis));
    }
    s.direct.emplace_back(term);
  }
  s.rows = std::make_unique<KernelRows>(s.low_rank);
}

Prior::~Prior() = default;

PriorVariances Prior::observables(const Environments& environments, int atoms, const Observables& wanted, const KeptFeatures* kept) {
  State& s = *state_;
  const auto terms = static_cast<Eigen::Index>(s.terms.size());
  const Eigen::Index count = wanted.rows(atoms);
  PriorVariances result{Matrix::Zero(count, terms), Matrix::Zero(count, terms)};
  if (!s.low_rank.empty()) s.low_rank_rows(environments, atoms, wanted);
  for (std::size_t t = 0; t < s.terms.size(); ++t) {
    const auto column = static_cast<Eigen::Index>(t);
    const Term& term = s.terms[t];
    // A bound of the sums: one environment of every pair, all fully correlated.
    const double most = static_cast<double>(environments.neighbor.size()) / std::max(1, environments.size()) * term.weight();
    const double largest = most * most / (term.delta * term.delta);
    if (s.index[t] >= 0) {
      const auto i = static_cast<std::size_t>(s.index[t]);
      result.value.col(column) = s.scratch.middleCols(s.rows->offsets()[i], s.basis[i]->lower.rows()).rowwise().squaredNorm();
      result.magnitude.col(column) = result.value.col(column).array() + largest;
      continue;
    }
    Vector value = Vector::Zero(count), magnitude = Vector::Zero(count);
    s.direct[t].add_observables(environments, atoms, wanted, kept != nullptr ? kept->find(t) : nullptr, value, magnitude);
    const double factor = std::pow(term.delta * term.descriptor->multiplicity(), 2);
    result.value.col(column) = factor * value.cwiseMax(0.0);
    // In a perfect crystal a component may cancel within each environment: the summands are then as small as the sum.
    result.magnitude.col(column) = factor * magnitude.array() + largest;
  }
  return result;
}

// Prior variances of the values at the atoms, [atoms, terms].
Matrix Prior::value_variances(const Environments& environments, Eigen::Index atoms) {
  State& s = *state_;
  if (!s.values) {
    std::vector<Term> bare(s.terms.begin(), s.terms.end());
    for (Term& term : bare) {
      term.sparse = {};
      term.sparse.x.resize(0, term.descriptor->size());
    }
    s.values = std::make_unique<KernelRows>(bare);
  }
  Matrix none(environments.size(), 0), of_centres;
  s.values->compute_local(environments, 0, environments.size(), none, &of_centres);
  Matrix result = Matrix::Zero(atoms, static_cast<Eigen::Index>(s.terms.size()));
  for (Eigen::Index c = 0; c < of_centres.rows(); ++c) result.row(environments.centre[static_cast<std::size_t>(c)]) = of_centres.row(c);
  return result;
}

PriorVariances Prior::property(const Environments& environments, const Observables& wanted, const Matrix& weights) {
  State& s = *state_;
  const Eigen::Index atoms = weights.cols(), first = wanted.value ? atoms : 0;
  const Matrix of_values = value_variances(environments, atoms);
  PriorVariances result{Matrix::Zero(first + weights.rows(), of_values.cols()), Matrix()};
  if (wanted.value) result.value.topRows(atoms) = of_values;
  result.magnitude = result.value;
  if (weights.rows() == 0) return result;
  // A bound of the sums, for weights of both signs: all values fully correlated.
  result.magnitude.bottomRows(weights.rows()) = weights.rowwise().squaredNorm() * of_values.colwise().sum();
  if (!s.low_rank.empty()) {
    s.scratch.resize(atoms, s.rows->columns());
    s.rows->compute_local(environments, static_cast<int>(atoms), s.scratch);
  }
  for (std::size_t t = 0; t < s.terms.size(); ++t) {
    auto sums = result.value.col(static_cast<Eigen::Index>(t)).tail(weights.rows());
    const Term& term = s.terms[t];
    if (s.index[t] < 0) {
      sums = std::pow(term.delta * term.descriptor->multiplicity(), 2) * s.direct[t].weighted_sums(environments, weights);
      continue;
    }
    const auto i = static_cast<std::size_t>(s.index[t]);
    Matrix psi = weights * s.scratch.middleCols(s.rows->offsets()[i], s.basis[i]->lower.rows());
    solve_lower_rows(s.basis[i]->lower, psi);
    sums = psi.rowwise().squaredNorm() / (s.low_rank[i].delta * s.low_rank[i].delta);
  }
  return result;
}

void Prior::use_single_precision(bool is_wanted) {
  for (DirectPrior& direct : state_->direct) direct.use_single_precision(is_wanted);
}

Vector Prior::energies(const Environments& a, const Environments& b) {
  State& s = *state_;
  Vector result(static_cast<Eigen::Index>(s.terms.size()));
  constexpr Observables energy{.energy = true, .forces = false, .virial = false};
  Matrix rows_a, rows_b;
  if (!s.low_rank.empty()) {
    rows_a = s.low_rank_rows(a, 0, energy);
    rows_b = &a == &b ? rows_a : s.low_rank_rows(b, 0, energy);
  }
  for (std::size_t t = 0; t < s.terms.size(); ++t) {
    double& value = result[static_cast<Eigen::Index>(t)];
    if (s.index[t] >= 0) {
      const auto i = static_cast<std::size_t>(s.index[t]);
      value = rows_a.row(0)
                  .segment(s.rows->offsets()[i], s.basis[i]->lower.rows())
                  .dot(rows_b.row(0).segment(s.rows->offsets()[i], s.basis[i]->lower.rows()));
    } else {
      value = std::pow(s.terms[t].delta * s.terms[t].descriptor->multiplicity(), 2) * s.direct[t].energies(a, b);
    }
  }
  return result;
}

}  // namespace gapkit
