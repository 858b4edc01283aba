#pragma once

#include <array>
#include <gapkit/descriptors/descriptor.hpp>

#include "model/double_sum.hpp"

namespace gapkit {

// First of consecutive numbers; −1 for other numbers.
inline int first_of_run(const std::vector<int>& numbers) {
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
        along_(block.direction.cols()) {
    for (std::size_t a = 0; a < 3; ++a) {
      values_[a].resize(block.values.cols());
      radial_[a].resize(block.direction.cols());
    }
  }

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
  template <class Gradient>
  void add_to(std::size_t a, double factor, bool is_first, Gradient&& gradient, double& value) const {
    const double f = features_.covariance_cutoff[static_cast<std::size_t>(block_.environment[pair_])] * factor;
    const double projection = f * block_.projection[3 * pair_ + a], radial = f * unit_[static_cast<Eigen::Index>(a)];
    put_parts(row(block_.values, static_cast<Eigen::Index>(3 * pair_ + a)), f, {along_.data(), along_.size()}, radial, projection, is_first,
              gradient);
    if (!block_.cutoff_gradient.empty()) value += factor * block_.cutoff_gradient[3 * pair_ + a];
  }

  // Selects the sum over the pairs first … last − 1 of one environment for the next calls of add_sum_to.
  void sum(std::size_t first, std::size_t last) {
    pair_ = first;
    const Eigen::Index count = block_.radial.cols();
    Matrix weight = Matrix::Zero(3, count);
    for (std::size_t a = 0; a < 3; ++a) {
      values_[a].setZero();
      projection_[a] = cutoff_gradient_[a] = 0;
    }
    for (std::size_t q = first; q < last; ++q) {
      for (std::size_t a = 0; a < 3; ++a) {
        values_[a] += row(block_.values, static_cast<Eigen::Index>(3 * q + a));
        projection_[a] += block_.projection[3 * q + a];
        if (!block_.cutoff_gradient.empty()) cutoff_gradient_[a] += block_.cutoff_gradient[3 * q + a];
      }
      if (count > 0) weight += block_.unit(q) * row(block_.radial, static_cast<Eigen::Index>(q));
    }
    for (std::size_t a = 0; a < 3; ++a) {
      radial_[a].setZero();
      for (Eigen::Index n = 0; n < count; ++n)
        radial_[a] += weight(static_cast<Eigen::Index>(a), n) * row(block_.direction, block_.environment[first] * count + n);
    }
  }

  // f dx and df of the sum; overwrites `gradient` if `is_first`, else is added to it.
  template <class Gradient>
  void add_sum_to(std::size_t a, bool is_first, Gradient&& gradient, double& value) const {
    const double f = features_.covariance_cutoff[static_cast<std::size_t>(block_.environment[pair_])];
    put_parts({values_[a].data(), values_[a].size()}, f, {radial_[a].data(), radial_[a].size()}, f, f * projection_[a], is_first, gradient);
    value += cutoff_gradient_[a];
  }

 private:
  using ConstRow = Eigen::Map<const Eigen::RowVectorXd>;

  // f j + radial along − projection x, at the features of each.
  template <class Gradient>
  void put_parts(ConstRow j, double f, ConstRow along, double radial, double projection, bool is_first, Gradient& gradient) const {
    using Real = typename std::decay_t<Gradient>::Scalar;
    const ConstRow x = row(features_.x, block_.environment[pair_]);
    const auto put = [&](auto&& target, const auto& part) {
      if (is_first)
        target.noalias() = part.template cast<Real>();
      else
        target.noalias() += part.template cast<Real>();
    };
    if (is_whole_) {
      put(gradient.segment(first_, j.size()), f * j - projection * x.segment(first_, j.size()));
      put(gradient.segment(first_radial_, along.size()), radial * along - projection * x.segment(first_radial_, along.size()));
    } else {
      put(gradient, -projection * x);
      for (Eigen::Index c = 0; c < j.size(); ++c) gradient[block_.feature[static_cast<std::size_t>(c)]] += static_cast<Real>(f * j[c]);
      for (Eigen::Index c = 0; c < along.size(); ++c)
        gradient[block_.radial_feature[static_cast<std::size_t>(c)]] += static_cast<Real>(radial * along[c]);
    }
  }

  static Eigen::Map<const Eigen::RowVectorXd> row(const ReusableMatrix& matrix, Eigen::Index i) { return {matrix.row(i), matrix.cols()}; }

  const JacobianBlock& block_;
  const Features& features_;
  int first_, first_radial_;
  bool is_whole_;  // the features are two runs of consecutive numbers
  Eigen::RowVectorXd along_;
  std::size_t pair_ = 0;
  Vector3 unit_ = Vector3::Zero();
  // Of sum()
  std::array<Eigen::RowVectorXd, 3> values_, radial_;
  std::array<double, 3> projection_{}, cutoff_gradient_{};
};

struct Incidence {
  int block = 0;
  std::size_t pair = 0;
};

// Consecutive pairs of one environment in a block.
struct PairRun {
  int block = 0;
  std::size_t first = 0, last = 0;
};

// Pairs by environment, and by the target atom that is their neighbour.
struct PairTables {
  std::vector<std::vector<PairRun>> of_environment;
  std::vector<std::vector<Incidence>> of_neighbor;
  std::vector<std::vector<int>> environments_of_centre;

  PairTables(const Features& features, int targets)
      : of_environment(static_cast<std::size_t>(features.size())),
        of_neighbor(static_cast<std::size_t>(targets)),
        environments_of_centre(static_cast<std::size_t>(targets)) {
    for (std::size_t b = 0; b < features.blocks.size(); ++b)
      for (std::size_t q = 0; q < features.blocks[b].environment.size(); ++q) {
        std::vector<PairRun>& runs = of_environment[static_cast<std::size_t>(features.blocks[b].environment[q])];
        if (!runs.empty() && runs.back().block == static_cast<int>(b) && runs.back().last == q)
          ++runs.back().last;
        else
          runs.push_back({static_cast<int>(b), q, q + 1});
        const int j = features.blocks[b].neighbor[q];
        if (j < targets) of_neighbor[static_cast<std::size_t>(j)].push_back({static_cast<int>(b), q});
      }
    for (int e = 0; e < features.size(); ++e) {
      const int i = features.centre[static_cast<std::size_t>(e)];
      if (i < targets) environments_of_centre[static_cast<std::size_t>(i)].push_back(e);
    }
  }
};

/// The force on an atom as linear functionals of the environments that contain it. Not re-entrant; all must outlive the object.
class ForceFunctionals {
 public:
  ForceFunctionals(const PairTables& tables, const Features& features)
      : tables_(tables), features_(features), place_(static_cast<std::size_t>(features.size()), -1) {
    for (const JacobianBlock& block : features.blocks) derivatives_.emplace_back(block, features);
  }

  /// Of target `atom`, with gradients for Λ = 1. False if no environment contains it.
  template <class Real>
  bool fill(int atom, FunctionalsOf<Real>& parts) {
    collect_members(atom);
    if (members_.empty()) return false;
    const auto count = static_cast<Eigen::Index>(members_.size()), size = features_.x.cols();
    parts.x.resize(count, size);
    for (Eigen::Index e = 0; e < count; ++e)
      parts.x.row(e) = Eigen::Map<const Eigen::RowVectorXd>(features_.x.row(members_[static_cast<std::size_t>(e)]), size);
    parts.value = Matrix::Zero(count, 3);
    parts.gradient.resize(3);
    for (MatrixOf<Real>& g : parts.gradient) g.resize(count, size);
    begun_.assign(members_.size(), 0);
    // A force is −d/dr, and r_ij = r_j − r_i.
    for (const Incidence& i : tables_.of_neighbor[static_cast<std::size_t>(atom)]) add_pair(i, parts);
    for (const int e : tables_.environments_of_centre[static_cast<std::size_t>(atom)])
      for (const PairRun& run : tables_.of_environment[static_cast<std::size_t>(e)]) add_run(run, parts);
    for (std::size_t m = 0; m < members_.size(); ++m) {
      place_[static_cast<std::size_t>(members_[m])] = -1;
      if (begun_[m] == 0)  // no neighbours
        for (MatrixOf<Real>& g : parts.gradient) g.row(static_cast<Eigen::Index>(m)).setZero();
    }
    return true;
  }

 private:
  void collect_members(int atom) {
    members_.clear();
    const auto add_member = [&](int e) {
      if (place_[static_cast<std::size_t>(e)] >= 0) return;
      place_[static_cast<std::size_t>(e)] = static_cast<int>(members_.size());
      members_.push_back(e);
    };
    for (const int e : tables_.environments_of_centre[static_cast<std::size_t>(atom)]) add_member(e);
    for (const Incidence& i : tables_.of_neighbor[static_cast<std::size_t>(atom)])
      add_member(features_.blocks[static_cast<std::size_t>(i.block)].environment[i.pair]);
  }

  template <class Real>
  void add_pair(const Incidence& i, FunctionalsOf<Real>& parts) {
    PairDerivatives& pair = derivatives_[static_cast<std::size_t>(i.block)];
    pair.take(i.pair);
    const auto e = static_cast<Eigen::Index>(place_[static_cast<std::size_t>(pair.block().environment[i.pair])]);
    char& has_begun = begun_[static_cast<std::size_t>(e)];
    for (std::size_t a = 0; a < 3; ++a)
      pair.add_to(a, -1, has_begun == 0, parts.gradient[a].row(e), parts.value(e, static_cast<Eigen::Index>(a)));
    has_begun = 1;
  }

  template <class Real>
  void add_run(const PairRun& run, FunctionalsOf<Real>& parts) {
    PairDerivatives& pairs = derivatives_[static_cast<std::size_t>(run.block)];
    const auto e = static_cast<Eigen::Index>(place_[static_cast<std::size_t>(pairs.block().environment[run.first])]);
    char& has_begun = begun_[static_cast<std::size_t>(e)];
    pairs.sum(run.first, run.last);
    for (std::size_t a = 0; a < 3; ++a)
      pairs.add_sum_to(a, has_begun == 0, parts.gradient[a].row(e), parts.value(e, static_cast<Eigen::Index>(a)));
    has_begun = 1;
  }

  const PairTables& tables_;
  const Features& features_;
  std::vector<PairDerivatives> derivatives_;  // by block
  std::vector<int> members_;
  std::vector<char> begun_;  // by member
  std::vector<int> place_;   // of each environment among the members, or −1
};

}  // namespace gapkit
