#include "model/direct_prior.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/sub_environments.hpp>

#include "model/double_sum.hpp"

namespace gapkit {
namespace {

constexpr std::size_t chunk_environments = 20'000;      // or pairs
constexpr std::size_t group_bytes = 128'000'000;        // Jacobian of the environments around a group of atoms
constexpr int largest_group = 512, smallest_group = 8;  // atoms

// Bytes of a pair in the Jacobian: derivatives and indices.
double bytes_of_pair(int features) {
  return 24.0 * features + 100;
}

// First of consecutive numbers; −1 for other numbers.
int first_of_run(const std::vector<int>& numbers) {
  for (std::size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] != numbers[0] + static_cast<int>(i)) return -1;
  return numbers.empty() ? 0 : numbers[0];
}

// dx_e/dr_qα and df_e/dr_qα of pairs of a block, dense.
class PairDerivatives {
 public:
  PairDerivatives(const JacobianBlock& block, const Features& features)
      : block_(block),
        features_(features),
        first_(block.has_all_features() ? 0 : first_of_run(block.feature)),
        first_radial_(first_of_run(block.radial_feature)),
        is_whole_(first_ >= 0 && first_radial_ >= 0 && block.values.cols() + block.direction.cols() == features.x.cols()),
        along_(block.direction.cols()) {}

  const JacobianBlock& block() const { return block_; }

  // Selects the pair of the next calls of add_to.
  void take(std::size_t q) {
    pair_ = q;
    unit_ = block_.unit(q);
    const Eigen::Index count = block_.radial.cols();
    if (count == 0) return;
    const double* radial = block_.radial.row(static_cast<Eigen::Index>(q));
    along_.setZero();
    for (Eigen::Index n = 0; n < count; ++n) along_ += radial[n] * row(block_.direction, block_.environment[q] * count + n);
  }

  // factor · (f dx, df); overwrites `gradient` if `is_first`, else is added to it.
  void add_to(std::size_t a, double factor, bool is_first, Eigen::Ref<Eigen::RowVectorXd> gradient, double& value) const {
    const int e = block_.environment[pair_];
    const double f = features_.covariance_cutoff[static_cast<std::size_t>(e)] * factor;
    const auto j = row(block_.values, static_cast<Eigen::Index>(3 * pair_ + a)), x = row(features_.x, e);
    const double projection = f * block_.projection[3 * pair_ + a], radial = f * unit_[static_cast<Eigen::Index>(a)];
    const auto put = [&](auto&& target, const auto& part) {
      if (is_first)
        target.noalias() = part;
      else
        target.noalias() += part;
    };
    if (is_whole_) {
      put(gradient.segment(first_, j.size()), f * j - projection * x.segment(first_, j.size()));
      put(gradient.segment(first_radial_, along_.size()), radial * along_ - projection * x.segment(first_radial_, along_.size()));
    } else {
      put(gradient, -projection * x);
      for (Eigen::Index c = 0; c < j.size(); ++c) gradient[block_.feature[static_cast<std::size_t>(c)]] += f * j[c];
      for (Eigen::Index c = 0; c < along_.size(); ++c) gradient[block_.radial_feature[static_cast<std::size_t>(c)]] += radial * along_[c];
    }
    if (!block_.cutoff_gradient.empty()) value += factor * block_.cutoff_gradient[3 * pair_ + a];
  }

 private:
  static Eigen::Map<const Eigen::RowVectorXd> row(const ReusableMatrix& matrix, Eigen::Index i) { return {matrix.row(i), matrix.cols()}; }

  const JacobianBlock& block_;
  const Features& features_;
  int first_, first_radial_;
  bool is_whole_;  // the features are two runs of consecutive numbers
  Eigen::RowVectorXd along_;
  std::size_t pair_ = 0;
  Vector3 unit_ = Vector3::Zero();
};

struct Incidence {
  int block = 0;
  std::size_t pair = 0;
};

// Pairs by environment, and by the target atom that is their neighbour.
struct PairTables {
  std::vector<std::vector<Incidence>> of_environment, of_neighbor;
  std::vector<std::vector<int>> environments_of_centre;

  PairTables(const Features& features, int targets)
      : of_environment(static_cast<std::size_t>(features.size())),
        of_neighbor(static_cast<std::size_t>(targets)),
        environments_of_centre(static_cast<std::size_t>(targets)) {
    for (std::size_t b = 0; b < features.blocks.size(); ++b)
      for (std::size_t q = 0; q < features.blocks[b].environment.size(); ++q) {
        const Incidence incidence{static_cast<int>(b), q};
        of_environment[static_cast<std::size_t>(features.blocks[b].environment[q])].push_back(incidence);
        const int j = features.blocks[b].neighbor[q];
        if (j < targets) of_neighbor[static_cast<std::size_t>(j)].push_back(incidence);
      }
    for (int e = 0; e < features.size(); ++e) {
      const int i = features.centre[static_cast<std::size_t>(e)];
      if (i < targets) environments_of_centre[static_cast<std::size_t>(i)].push_back(e);
    }
  }
};

}  // namespace

DirectPrior::DirectPrior(const Term& term) : term_(term), stationary_(term.kernel->is_stationary() ? 1 : 0) {
  term_.sparse = {};
  term_.sparse.x.resize(0, term.descriptor->size());
  term_ = shortened(term_);
  scale_ = term.kernel->metric(term.descriptor->size()).cwiseSqrt();
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

void DirectPrior::apply_metric(Functionals& parts) const {
  parts.scaled_x = parts.x;
  if (scale_.size() == 0) return;
  parts.scaled_x = parts.x * scale_.asDiagonal();
  for (Matrix& g : parts.gradient) g = g * scale_.asDiagonal();
}

void DirectPrior::add_forces_of_group(const Features& features, int targets, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude) const {
  const PairTables tables(features, targets);
  const Eigen::Index size = term_.descriptor->size();
#pragma omp parallel
  {
    DoubleSum sum{.kernel = *term_.kernel, .stationary = stationary_};
    Functionals parts;
    parts.gradient.resize(3);
    std::vector<PairDerivatives> derivatives;
    for (const JacobianBlock& block : features.blocks) derivatives.emplace_back(block, features);
    std::vector<int> members;
    std::vector<char> begun;  // by member
    std::vector<int> place(static_cast<std::size_t>(features.size()), -1);
#pragma omp for schedule(dynamic, 4)
    for (int atom = 0; atom < targets; ++atom) {
      const auto& own = tables.environments_of_centre[static_cast<std::size_t>(atom)];
      const auto& as_neighbor = tables.of_neighbor[static_cast<std::size_t>(atom)];
      members.clear();
      const auto add_member = [&](int e) {
        if (place[static_cast<std::size_t>(e)] >= 0) return;
        place[static_cast<std::size_t>(e)] = static_cast<int>(members.size());
        members.push_back(e);
      };
      for (const int e : own) add_member(e);
      for (const Incidence& i : as_neighbor) add_member(features.blocks[static_cast<std::size_t>(i.block)].environment[i.pair]);
      if (members.empty()) continue;
      const auto count = static_cast<Eigen::Index>(members.size());
      parts.x.resize(count, size);
      for (Eigen::Index e = 0; e < count; ++e)
        parts.x.row(e) = Eigen::Map<const Eigen::RowVectorXd>(features.x.row(members[static_cast<std::size_t>(e)]), size);
      parts.value = Matrix::Zero(count, 3);
      for (Matrix& g : parts.gradient) g.resize(count, size);
      begun.assign(members.size(), 0);
      // A force is −d/dr, and r_ij = r_j − r_i.
      const auto add = [&](const Incidence& i, double sign) {
        PairDerivatives& pair = derivatives[static_cast<std::size_t>(i.block)];
        pair.take(i.pair);
        const auto e = static_cast<Eigen::Index>(place[static_cast<std::size_t>(pair.block().environment[i.pair])]);
        char& has_begun = begun[static_cast<std::size_t>(e)];
        for (std::size_t a = 0; a < 3; ++a)
          pair.add_to(a, sign, has_begun == 0, parts.gradient[a].row(e), parts.value(e, static_cast<Eigen::Index>(a)));
        has_begun = 1;
      };
      for (const Incidence& i : as_neighbor) add(i, -1);
      for (const int e : own)
        for (const Incidence& i : tables.of_environment[static_cast<std::size_t>(e)]) add(i, 1);
      for (std::size_t m = 0; m < members.size(); ++m) {
        place[static_cast<std::size_t>(members[m])] = -1;
        if (begun[m] == 0)  // no neighbours
          for (Matrix& g : parts.gradient) g.row(static_cast<Eigen::Index>(m)).setZero();
      }
      apply_metric(parts);
      sum.add(parts, parts, 1, value.segment<3>(3 * atom), magnitude.segment<3>(3 * atom));
    }
  }
}

void DirectPrior::add_virial(const Environments& environments, const Features* known, const Eigen::Ref<Vector>& value,
                             const Eigen::Ref<Vector>& magnitude) {
  const Eigen::Index size = term_.descriptor->size();
  std::vector<Functionals> blocks;  // of chunks of centres
  for (int begin = 0; begin < environments.size();) {
    const int first = begin;
    const Descriptor& descriptor = *term_.descriptor;
    const int last = chunk_end(environments, descriptor, begin, chunk_environments);
    const int end = known != nullptr ? environments.size() : feature_chunk_end(environments, descriptor, begin, last, sum_block);
    begin = end;
    if (known == nullptr) term_.descriptor->compute(environments, first, end, Derivatives::jacobian, features_);
    const Features& features = known != nullptr ? *known : features_;
    if (features.size() == 0) continue;
    Functionals parts;
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
  DoubleSum sum{.kernel = *term_.kernel, .stationary = stationary_};
  for (std::size_t i = 0; i < blocks.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) sum.add(blocks[i], blocks[j], i == j ? 1 : 2, value, magnitude);
}

}  // namespace gapkit
