#include "active/joint_rows.hpp"

#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <numeric>

#include "active/noise.hpp"

namespace gapkit {
namespace {

constexpr double novelty_tolerance = 1e-7;  // relative to the prior variance of an environment

using EnvironmentList = std::vector<std::unique_ptr<StructureEnvironments>>;

EnvironmentList environments_of(const Model& model, std::span<const Structure* const> structures) {
  EnvironmentList list;
  for (const Structure* s : structures) list.push_back(std::make_unique<StructureEnvironments>(*s, model.cutoff()));
  return list;
}

/// Environments of a term in all structures.
Candidates candidates_of(const Term& term, const EnvironmentList& list) {
  std::vector<double> x, covariance_cutoff;
  Features features;
  for (const auto& e : list) {
    term.descriptor->compute(e->view(), 0, e->view().size(), Derivatives::none, features);
    const auto values = features.x.view();
    for (Eigen::Index i = 0; i < values.rows(); ++i) x.insert(x.end(), values.row(i).data(), values.row(i).data() + values.cols());
    covariance_cutoff.insert(covariance_cutoff.end(), features.covariance_cutoff.begin(), features.covariance_cutoff.end());
  }
  Candidates result;
  const Eigen::Index size = term.descriptor->size();
  result.x = Eigen::Map<const Matrix>(x.data(), static_cast<Eigen::Index>(x.size()) / size, size);
  result.covariance_cutoff = Eigen::Map<const Vector>(covariance_cutoff.data(), static_cast<Eigen::Index>(covariance_cutoff.size()));
  return result;
}

Term extended(const Term& term, const EnvironmentList& list, int auxiliary) {
  Term result = term;
  result.sparse.origin.clear();
  const Candidates found = candidates_of(term, list);
  if (found.x.rows() == 0) return result;
  const Eigen::Index before = term.sparse.size();
  Candidates all;
  all.x.resize(before + found.x.rows(), found.x.cols());
  all.x << term.sparse.x, found.x;
  all.covariance_cutoff.resize(all.x.rows());
  all.covariance_cutoff << term.sparse.covariance_cutoff, found.covariance_cutoff;
  all.config_type.resize(static_cast<std::size_t>(all.x.rows()));
  all.origin.resize(all.config_type.size());
  all.serial.resize(all.config_type.size());
  SelectionRequest request;
  request.count = auxiliary;
  request.kernel = term.kernel.get();
  request.tolerance = novelty_tolerance;
  request.chosen_before = static_cast<int>(before);
  std::vector<int> kept(static_cast<std::size_t>(before));
  std::iota(kept.begin(), kept.end(), 0);
  for (const int i : selection_kind("variance").choose(all, request)) kept.push_back(i);
  result.sparse.x = all.x(kept, Eigen::all);
  result.sparse.covariance_cutoff = all.covariance_cutoff(kept);
  return result;
}

/// Whitened rows of the model's points, then of the auxiliary points: z = (R_A⁻¹ S L⁻¹ k, S L'⁻¹ k').
Matrix posterior_coordinates(const Model& model, const SparseFactor& factor, Matrix& rows) {
  factor.whiten(rows);
  const std::vector<Eigen::Index> own = sparse_offsets(model.terms);
  Matrix z(rows.rows(), factor.size());
  Eigen::Index auxiliary = own.back();
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const double scale = model.posterior.delta_ratio[t];
    const Eigen::Index count = model.terms[t].sparse.size(), more = factor.blocks()[t].rows() - count;
    z.middleCols(own[t], count) = scale * rows.middleCols(factor.offsets()[t], count);
    z.middleCols(auxiliary, more) = scale * rows.middleCols(factor.offsets()[t] + count, more);
    auxiliary += more;
  }
  solve_lower_rows(model.posterior.factor, z.leftCols(own.back()));
  return z;
}

}  // namespace

std::vector<Matrix> joint_rows(const Model& model, std::span<const Structure* const> structures, ChooseOptions::Covariance covariance,
                               int auxiliary) {
  using Kind = ChooseOptions::Covariance;
  const EnvironmentList list = environments_of(model, structures);
  std::vector<Term> terms;
  for (const Term& term : model.terms) terms.push_back(extended(term, list, auxiliary));
  const SparseFactor factor = SparseFactor::of(terms, model.factor.jitter());
  KernelRows kernel_rows(terms);
  std::vector<Matrix> result;
  for (std::size_t i = 0; i < structures.size(); ++i) {
    const Structure& s = *structures[i];
    const Environments& environments = list[i]->view();
    const bool is_local = covariance == Kind::local_energy, has_forces = covariance == Kind::forces;
    Matrix rows(is_local ? s.size() : has_forces ? 1 + 3 * s.size() : 1, kernel_rows.columns());
    if (is_local)
      kernel_rows.compute_local(environments, s.size(), rows);
    else
      kernel_rows.compute(environments, s.size(), {.energy = true, .forces = has_forces, .virial = false}, rows);
    Matrix z = posterior_coordinates(model, factor, rows);
    const double sigma = noise_unit(model, Property::energy, s.config_type);
    if (is_local) {
      z /= sigma;
    } else {
      z.row(0) /= sigma * target_info(Property::energy).noise_scale(s.size(), model.scale_with_atoms);
      z.bottomRows(z.rows() - 1) /= noise_unit(model, Property::force, s.config_type);
    }
    if (!z.allFinite()) throw NumericalError("a posterior covariance is not finite: the model is damaged");
    result.push_back(std::move(z));
  }
  return result;
}

}  // namespace gapkit
