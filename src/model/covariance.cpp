#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/covariance.hpp>

#include "model/environment_chunks.hpp"

namespace gapkit {
namespace {

constexpr std::size_t chunk_pairs = 20'000;
constexpr Eigen::Index prior_block = 512;              // environments in a block of the double sum over environments
constexpr std::size_t local_chunk_bytes = 16'000'000;  // of rows or features of a chunk of atoms
constexpr double auxiliary_tolerance = 1e-12;          // of the largest covariance on the domain
constexpr double largest_clamp = 1e-10;                // novelty this far below zero, relative to k**, is rounding

// A kernel on one-dimensional features, written as κ(x, x') = Σ_q ψ_q(x) ψ_q(x') by pivoted Cholesky over the domain, so that double
// sums over environments become squares of single sums (METHODS 5).
struct AuxiliaryBasis {
  Matrix points;  // [Q, 1]
  Matrix lower;   // [Q, Q]

  AuxiliaryBasis() = default;
  AuxiliaryBasis(const Kernel& kernel, double cutoff) {
    const Vector metric = kernel.metric(1);
    const double length = metric.size() ? 1 / std::sqrt(metric[0]) : cutoff;
    const auto count = static_cast<Eigen::Index>(std::clamp(12 * cutoff / length, 200.0, 4000.0));
    Matrix grid(count, 1);
    for (Eigen::Index i = 0; i < count; ++i) grid(i, 0) = cutoff * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    Matrix k(count, count);
    kernel.compute(grid, grid, k);
    const PivotedCholesky factor = pivoted_cholesky(k, auxiliary_tolerance);
    const auto rank = static_cast<Eigen::Index>(factor.pivot.size());
    points.resize(rank, 1);
    for (Eigen::Index q = 0; q < rank; ++q) points(q, 0) = grid(factor.pivot[static_cast<std::size_t>(q)], 0);
    lower = factor.lower.topRows(rank);
  }
};

}  // namespace

struct Covariance::State {
  explicit State(std::span<const Term> terms) : rows(terms) {}
  KernelRows rows;
  std::vector<AuxiliaryBasis> auxiliary;  // per term; empty for many-dimensional features
  Features features;
};

Covariance::Covariance(const Model& model) : model_(model), state_(std::make_unique<State>(model.terms)) {
  for (const Term& term : model.terms)
    state_->auxiliary.push_back(term.descriptor->size() == 1 ? AuxiliaryBasis(*term.kernel, term.descriptor->cutoff()) : AuxiliaryBasis());
}

Covariance::~Covariance() = default;

std::vector<Variance> Covariance::split(MatrixSlice rows, const Vector& prior) const {
  const SparseFactor& factor = model_.factor;
  factor.whiten(rows);
  // Prior and φ carry S: with other amplitudes than the kernel rows', φ = S L⁻¹ k (METHODS 4).
  for (std::size_t t = 0; t < model_.terms.size(); ++t)
    rows.middleCols(factor.offsets()[t], factor.blocks()[t].rows()) *= model_.posterior.scale[t];
  std::vector<Variance> result(static_cast<std::size_t>(rows.rows()));
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    double novelty = prior[i] - rows.row(i).squaredNorm();
    if (novelty < 0) {
      if (novelty < -largest_clamp * prior[i])
        throw NumericalError("a posterior variance came out negative (" + std::to_string(novelty) + " eV² at a prior of " +
                             std::to_string(prior[i]) + " eV²): the model file does not fit together");
      novelty = 0;
    }
    result[static_cast<std::size_t>(i)].novelty = novelty;
  }
  solve_lower_rows(model_.posterior.factor, rows);
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    Variance& variance = result[static_cast<std::size_t>(i)];
    variance.data = rows.row(i).squaredNorm();
    if (!std::isfinite(variance.total()))
      throw NumericalError("a posterior variance is not finite (novelty " + std::to_string(variance.novelty) + " eV², data part " +
                           std::to_string(variance.data) + " eV²): the model file is damaged");
  }
  return result;
}

double Covariance::prior_total_energy(const Environments& environments) {
  double total = 0;
  for (std::size_t t = 0; t < model_.terms.size(); ++t) {
    const Term& term = model_.terms[t];
    const double amplitude = std::pow(term.delta * model_.posterior.scale[t], 2);
    Features& features = state_->features;
    if (state_->auxiliary[t].points.rows() > 0) {
      const AuxiliaryBasis& basis = state_->auxiliary[t];
      Vector sum = Vector::Zero(basis.points.rows());
      Matrix k;
      for (int begin = 0; begin < environments.size();) {
        const int end = chunk_end(environments, begin, chunk_pairs);
        term.descriptor->compute(environments, begin, end, Derivatives::none, features);
        begin = end;
        if (features.size() == 0) continue;
        k.resize(features.size(), basis.points.rows());
        term.kernel->compute(features.x.view(), basis.points, k);
        sum += k.transpose() * Eigen::Map<const Vector>(features.cutoff.data(), features.size());
      }
      total += amplitude * solve_lower(basis.lower, sum).squaredNorm();
      continue;
    }
    term.descriptor->compute(environments, 0, environments.size(), Derivatives::none, features);
    const auto x = features.x.view();
    const Eigen::Map<const Vector> f(features.cutoff.data(), features.size());
    Matrix k;
    double sum = 0;
    for (Eigen::Index i = 0; i < x.rows(); i += prior_block)
      for (Eigen::Index j = 0; j <= i; j += prior_block) {
        const Eigen::Index ni = std::min(prior_block, x.rows() - i), nj = std::min(prior_block, x.rows() - j);
        k.resize(ni, nj);
        term.kernel->compute(x.middleRows(i, ni), x.middleRows(j, nj), k);
        sum += (i == j ? 1.0 : 2.0) * f.segment(i, ni).dot(k * f.segment(j, nj));
      }
    total += amplitude * sum;
  }
  return total;
}

Variance Covariance::total_energy(const Environments& environments, int atoms) {
  Matrix row(1, state_->rows.columns());
  state_->rows.compute(environments, atoms, {.energy = true, .forces = false, .virial = false}, row);
  return split(row, Vector::Constant(1, prior_total_energy(environments)))[0];
}

std::vector<Variance> Covariance::local_energies(const Environments& environments, int atoms) {
  std::vector<Variance> result(static_cast<std::size_t>(atoms));
  Eigen::Index width = state_->rows.columns();
  for (const Term& term : model_.terms) width = std::max<Eigen::Index>(width, term.descriptor->size());
  const int most = std::max(1, static_cast<int>(local_chunk_bytes / (sizeof(double) * static_cast<std::size_t>(width))));
  for (int begin = 0; begin < environments.size();) {
    const int end = std::min(chunk_end(environments, begin, chunk_pairs), begin + most);
    Vector prior = Vector::Zero(end - begin);
    for (std::size_t t = 0; t < model_.terms.size(); ++t) add_local_prior(t, environments, begin, end, prior);
    Matrix rows(end - begin, state_->rows.columns());
    state_->rows.compute_local(environments, begin, end, rows);
    const std::vector<Variance> variances = split(rows, prior);
    for (int c = begin; c < end; ++c)
      result.at(static_cast<std::size_t>(environments.centre[static_cast<std::size_t>(c)])) =
          variances[static_cast<std::size_t>(c - begin)];
    begin = end;
  }
  return result;
}

// The double sum over the environments that an atom has a share in (see KernelRows::compute_local), for each centre of a range.
void Covariance::add_local_prior(std::size_t t, const Environments& environments, int begin, int end, Vector& prior) {
  const Term& term = model_.terms[t];
  const double amplitude = std::pow(term.delta * model_.posterior.scale[t], 2);
  Features& features = state_->features;
  term.descriptor->compute(environments, begin, end, Derivatives::none, features);
  Matrix k;
  for_each_centre(environments, begin, end, features, [&](int c, int from, int to) {
    const Eigen::Index n = to - from;
    const auto x = features.x.view().middleRows(from, n);
    const Eigen::Map<const Vector> f(&features.cutoff[static_cast<std::size_t>(from)], n);
    k.resize(n, n);
    term.kernel->compute(x, x, k);
    prior[c - begin] += amplitude * f.dot(k * f);
  });
}

}  // namespace gapkit
