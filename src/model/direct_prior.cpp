#include "model/direct_prior.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/sub_environments.hpp>

#include "model/double_sum.hpp"
#include "model/force_functionals.hpp"

namespace gapkit {
namespace {

constexpr std::size_t chunk_environments = 20'000;      // or pairs
constexpr std::size_t group_bytes = 128'000'000;        // Jacobian of the environments around a group of atoms
constexpr int largest_group = 512, smallest_group = 8;  // atoms
// A sum in single precision that is smaller, relative to the sum of absolute values, is made again: most of it cancels.
constexpr double least_of_single = 1e-4;

// Bytes of a pair in the Jacobian: derivatives and indices.
double bytes_of_pair(int features) {
  return 24.0 * features + 100;
}

}  // namespace

DirectPrior::DirectPrior(const Term& term) : term_(term), stationary_(term.kernel->is_stationary() ? 1 : 0) {
  term_.sparse = {};
  term_.sparse.x.resize(0, term.descriptor->size());
  term_ = shortened(term_);
  scale_ = term.kernel->metric(term.descriptor->size()).cwiseSqrt();
}

template <class Real>
void DirectPrior::apply_metric(FunctionalsOf<Real>& parts) const {
  parts.scaled_x = parts.x.template cast<Real>();
  if (scale_.size() == 0) return;
  const Eigen::Matrix<Real, Eigen::Dynamic, 1> scale = scale_.template cast<Real>();
  parts.scaled_x = parts.scaled_x * scale.asDiagonal();
  for (MatrixOf<Real>& g : parts.gradient) g = g * scale.asDiagonal();
}

void DirectPrior::add_forces_of_group(const Features& features, int targets, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude) const {
  const PairTables tables(features, targets);
#pragma omp parallel
  {
    DoubleSumOf<double> exact{.kernel = *term_.kernel, .stationary = stationary_};
    DoubleSumOf<float> single{.kernel = *term_.kernel, .stationary = stationary_};
    FunctionalsOf<double> exact_parts;
    FunctionalsOf<float> single_parts;
    ForceFunctionals force(tables, features);
#pragma omp for schedule(dynamic, 4)
    for (int atom = 0; atom < targets; ++atom) {
      const auto add = [&](auto& sum, auto& parts) {
        Vector of_atom = Vector::Zero(3), magnitude_of_atom = of_atom;
        if (force.fill(atom, parts)) {
          apply_metric(parts);
          sum.add(parts, parts, 1, of_atom, magnitude_of_atom);
        }
        const bool is_sure = (of_atom.array() >= least_of_single * magnitude_of_atom.array()).all();
        if (std::is_same_v<std::decay_t<decltype(sum)>, DoubleSumOf<float>> && !is_sure) return false;
        value.segment<3>(3 * atom) += of_atom;
        magnitude.segment<3>(3 * atom) += magnitude_of_atom;
        return true;
      };
      if (!is_single_ || !add(single, single_parts)) add(exact, exact_parts);
    }
  }
}

double DirectPrior::energies(const Environments& a, const Environments& b) {
  const auto collect = [&](const Environments& environments, Matrix& x, Vector& f) {
    term_.descriptor->compute(environments, 0, environments.size(), Derivatives::none, features_);
    x = features_.x.view();
    f = Eigen::Map<const Vector>(features_.covariance_cutoff.data(), features_.size());
  };
  Matrix xa, xb, k;
  Vector fa, fb;
  collect(a, xa, fa);
  const bool same = &a == &b;
  if (!same) collect(b, xb, fb);
  const Matrix& z = same ? xa : xb;
  const Vector& g = same ? fa : fb;
  double sum = 0;
  for (Eigen::Index i = 0; i < xa.rows(); i += sum_block)
    for (Eigen::Index j = 0; j < (same ? i + 1 : z.rows()); j += sum_block) {
      const Eigen::Index ni = std::min(sum_block, xa.rows() - i), nj = std::min(sum_block, z.rows() - j);
      k.resize(ni, nj);
      term_.kernel->compute(xa.middleRows(i, ni), z.middleRows(j, nj), k);
      sum += (same && j < i ? 2.0 : 1.0) * fa.segment(i, ni).dot(k * g.segment(j, nj));
    }
  return sum;
}

Vector DirectPrior::weighted_sums(const Environments& environments, const Matrix& weights) {
  term_.descriptor->compute(environments, 0, environments.size(), Derivatives::none, features_);
  const Matrix x = features_.x.view();
  Matrix f(x.rows(), weights.rows());  // with the weight of the centre
  for (Eigen::Index e = 0; e < x.rows(); ++e) {
    const auto position = static_cast<std::size_t>(e);
    f.row(e) = features_.covariance_cutoff[position] * weights.col(features_.centre[position]).transpose();
  }
  Vector sums = Vector::Zero(weights.rows());
  Matrix k;
  for (Eigen::Index i = 0; i < x.rows(); i += sum_block)
    for (Eigen::Index j = 0; j <= i; j += sum_block) {
      const Eigen::Index ni = std::min(sum_block, x.rows() - i), nj = std::min(sum_block, x.rows() - j);
      k.resize(ni, nj);
      term_.kernel->compute(x.middleRows(i, ni), x.middleRows(j, nj), k);
      const Matrix products = k * f.middleRows(j, nj);
      sums += (j < i ? 2.0 : 1.0) * f.middleRows(i, ni).cwiseProduct(products).colwise().sum().transpose();
    }
  return sums;
}

void DirectPrior::add_observables(const Environments& environments, int atoms, const Observables& wanted, const Features* known,
                                  Vector& value, Vector& magnitude) {
  if (wanted.energy) {
    const double sum = energies(environments, environments);
    value[0] += sum;
    magnitude[0] += std::abs(sum);
  }
  if (wanted.forces) {
    auto forces = value.segment(wanted.forces_row(), 3 * atoms), forces_magnitude = magnitude.segment(wanted.forces_row(), 3 * atoms);
    if (known != nullptr)
      add_forces_of_group(*known, atoms, forces, forces_magnitude);
    else
      add_forces(environments, atoms, forces, forces_magnitude);
  }
  if (wanted.virial)
    add_virial(environments, known, value.segment(wanted.virial_row(atoms), 6), magnitude.segment(wanted.virial_row(atoms), 6));
}

// Groups of atoms such that the Jacobian of all environments that contain one of them fits into memory.
void DirectPrior::add_forces(const Environments& environments, int atoms, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude) {
  double rows = 0;  // of the Jacobian, in units of three
  for (int c = 0; c < environments.size(); ++c) rows += static_cast<double>(term_.descriptor->count(environments, c).pairs);
  const double per_atom = bytes_of_pair(term_.descriptor->size()) * rows / std::max(1, environments.size());
  // The environments of a group have a few times as many atoms as the group.
  const int most = std::clamp(static_cast<int>(static_cast<double>(group_bytes) / (3 * per_atom + 1)), smallest_group, largest_group);
  const auto add_group = [&](const Environments& group, int targets, const Eigen::Ref<Vector>& v, const Eigen::Ref<Vector>& m) {
    term_.descriptor->compute(group, 0, group.size(), Derivatives::jacobian, features_);
    add_forces_of_group(features_, targets, v, m);
  };
  if (atoms <= 3 * most) {
    add_group(environments, atoms, value, magnitude);
    return;
  }
  const std::vector<int> position = centre_positions(environments, static_cast<int>(environments.atomic_number.size()));
  for (std::vector<int>& group : compact_groups(environments, position, most)) {
    group.erase(std::remove_if(group.begin(), group.end(), [&](int atom) { return atom >= atoms; }), group.end());
    if (group.empty()) continue;
    const SubEnvironments around(environments, position, group);
    const int targets = static_cast<int>(group.size());
    Vector part = Vector::Zero(3 * targets), part_magnitude = part;
    add_group(around.view(), targets, part, part_magnitude);
    for (int i = 0; i < targets; ++i) {
      value.segment<3>(3 * group[static_cast<std::size_t>(i)]) += part.segment<3>(3 * i);
      magnitude.segment<3>(3 * group[static_cast<std::size_t>(i)]) += part_magnitude.segment<3>(3 * i);
    }
  }
}

void DirectPrior::add_virial(const Environments& environments, const Features* known, const Eigen::Ref<Vector>& value,
                             const Eigen::Ref<Vector>& magnitude) {
  const Eigen::Index size = term_.descriptor->size();
  std::vector<FunctionalsOf<double>> blocks;  // of chunks of centres
  for (int begin = 0; begin < environments.size();) {
    const int first = begin;
    const Descriptor& descriptor = *term_.descriptor;
    const int last = chunk_end(environments, descriptor, begin, chunk_environments);
    const int end = known != nullptr ? environments.size() : feature_chunk_end(environments, descriptor, begin, last, sum_block);
    begin = end;
    if (known == nullptr) term_.descriptor->compute(environments, first, end, Derivatives::jacobian, features_);
    const Features& features = known != nullptr ? *known : features_;
    if (features.size() == 0) continue;
    FunctionalsOf<double> parts;
    parts.value = Matrix::Zero(features.size(), 6);
    parts.gradient.assign(6, Matrix::Zero(features.size(), size));
    for (const JacobianBlock& block : features.blocks) {
      PairDerivatives pair(block, features);
      for (std::size_t q = 0; q < block.environment.size(); ++q) {
        pair.take(q);
        for (std::size_t c = 0; c < 6; ++c) {
          const auto [a, b] = voigt_index[c];
          const auto e = static_cast<Eigen::Index>(block.environment[q]);
          pair.add_to(static_cast<std::size_t>(a), -block.vector[q][b], false, parts.gradient[c].row(e),
                      parts.value(e, static_cast<Eigen::Index>(c)));
        }
      }
    }
    parts.x = features.x.view();
    apply_metric(parts);
    blocks.push_back(std::move(parts));
  }
  DoubleSumOf<double> sum{.kernel = *term_.kernel, .stationary = stationary_};
  for (std::size_t i = 0; i < blocks.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) sum.add(blocks[i], blocks[j], i == j ? 1 : 2, value, magnitude);
}

}  // namespace gapkit
