#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/term_potential.hpp>

namespace gapkit {
namespace {

constexpr std::size_t term_chunk = 16'384;  // pairs or environments in a chunk of centres: enough rows for matrix products
constexpr int spline_domain = 1000;         // for the range of a spline

}  // namespace

struct TermPotential::Scratch {
  Features features;
  ReusableMatrix dE_dx, kernel_values;
  std::vector<double> energy;  // ε of each environment: dE/df
};

TermPotential::TermPotential(const Term& given, const Vector& weights) : scratch_(std::make_unique<Scratch>()) {
  const Term term = shortened(given);
  label_ = term.label();
  descriptor_ = term.descriptor;
  kernel_ = term.kernel;
  sparse_points_ = term.sparse.size();
  if (sparse_points_ == 0) return;
  const Vector scale = term.weight() * term.sparse.covariance_cutoff;
  const Matrix domain = descriptor_->size() == 1 ? descriptor_->domain_points(spline_domain) : Matrix();
  local_energy_ = kernel_->compile(weights.cwiseProduct(scale), term.sparse.x, domain);
}

TermPotential::~TermPotential() = default;

double TermPotential::cutoff() const {
  return descriptor_->cutoff();
}

bool TermPotential::has_environments(const Environments& environments) const {
  for (int c = 0; c < environments.size(); ++c)
    if (descriptor_->count(environments, c).environments > 0) return true;
  return false;
}

void TermPotential::add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const {
  if (!is_sampled() && !observer_) return;
  const bool with_derivatives = !dE_dr.empty();
  Features& features = scratch_->features;
  features.single_precision = single_precision_;
  for (int begin = 0; begin < environments.size();) {
    const int first = begin, end = chunk_end(environments, *descriptor_, begin, term_chunk);
    begin = end;
    descriptor_->compute(environments, first, end, with_derivatives ? Derivatives::pullback : Derivatives::none, features);
    const Eigen::Index n = features.size();
    if (n == 0) continue;
    if (!is_sampled()) {
      observer_(environments, {first, end, features, nullptr});
      continue;
    }
    std::vector<double>& energy = scratch_->energy;
    energy.resize(static_cast<std::size_t>(n));
    scratch_->dE_dx.resize(n, descriptor_->size());
    MatrixSlice gradient = scratch_->dE_dx.view();
    const bool gives_values = observer_ && local_energy_->gives_values();
    if (gives_values) scratch_->kernel_values.resize(n, sparse_points_);
    MatrixSlice values = scratch_->kernel_values.view();
    local_energy_->compute(features.x.view(), energy, with_derivatives ? &gradient : nullptr, gives_values ? &values : nullptr);
    if (observer_) {
      const MatrixView known = values;
      observer_(environments, {first, end, features, gives_values ? &known : nullptr});
    }
    for (std::size_t e = 0; e < static_cast<std::size_t>(n); ++e) {
      const double f = features.covariance_cutoff[e];
      // Each end of a pair has half of its energy. The list has each pair from both ends, so an atom gets the whole from its own end;
      // ghosts, which are no centres, get nothing.
      local_energy[static_cast<std::size_t>(features.centre[e])] += f * energy[e];
      if (with_derivatives && f != 1) gradient.row(static_cast<Eigen::Index>(e)) *= f;
    }
    if (with_derivatives) descriptor_->pullback(environments, first, end, features, {scratch_->dE_dx.view(), energy}, dE_dr);
  }
}

}  // namespace gapkit
