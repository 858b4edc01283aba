#include "fit/tensor_data.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/tensor_components.hpp>
#include <gapkit/model/tensor_kernel.hpp>

namespace gapkit {
namespace {

constexpr double largest_imbalance = 0.1;  // of the norm of derivatives

/// Length of one charge quantum per Å in the unit of dipoles; e Å if the unit is unknown.
double charge_quantum(const std::string& units) {
  std::string text;
  for (const char c : units)
    if (std::isalnum(static_cast<unsigned char>(c))) text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (text == "debye" || text == "d") return 4.80320;
  if (text == "ebohr" || text == "au" || text == "ea0") return 1.8897261;
  return 1;
}

/// Normal equations of Σ_Z n_Z t_Z, and squares of the labels.
class TensorScan {
 public:
  explicit TensorScan(const TensorLabels& labels) : labels_(labels), keys_(labels.keys) {}

  void add(const Structure& frame, std::int64_t number) {
    ++facts_.all_frames;
    const auto [label, derivatives] = labels_.read(frame);
    if ((!label && !derivatives) || frame.size() == 0) return;
    facts_.frames.push_back(number);
    facts_.atoms += frame.size();
    for (const int z : frame.atomic_numbers) ++facts_.atoms_of[z];
    if (derivatives) add_derivatives(frame, *derivatives);
    if (!label) return;
    check_charge_of_label(frame, keys_);
    ++facts_.labels;
    look_for_jump(frame, *label);
    const double weight = std::pow(tensor_noise_scale(keys_, frame.size()), -2);
    for (const int lambda : keys_.ranks()) {
      const Matrix t = spherical_components(*label, keys_, lambda);
      square_[lambda] += weight * t.squaredNorm();
      count_[lambda] += t.size();
      if (lambda == 0) add_to_baseline(frame, t, weight);
    }
  }

  TensorFacts finish() {
    for (const int lambda : keys_.ranks()) {
      double square = square_[lambda];
      if (lambda == 0 && facts_.labels > 0) square = solve_baseline(square);
      facts_.mean_square[lambda] = square / static_cast<double>(std::max<std::int64_t>(1, count_[lambda]));
      facts_.derivative_mean_square[lambda] =
          derivative_square_[lambda] / static_cast<double>(std::max<std::int64_t>(1, derivative_count_[lambda]));
    }
    return std::move(facts_);
  }

 private:
  // They sum to zero if nothing changes when all atoms move, which no sum of local tensors can change.
  void add_derivatives(const Structure& frame, const Matrix& derivatives) {
    ++facts_.derivatives;
    facts_.derivative_atoms += frame.size();
    facts_.largest_derivatives = std::max(facts_.largest_derivatives, static_cast<int>(frame.size()));
    for (const int lambda : keys_.ranks()) {
      const Matrix t = spherical_components(derivatives, keys_, lambda);
      derivative_square_[lambda] += t.squaredNorm();
      derivative_count_[lambda] += t.size();
    }
    Matrix sum = Matrix::Zero(3, derivatives.cols());
    for (Eigen::Index k = 0; k < frame.size(); ++k) sum += derivatives.middleRows(3 * k, 3);
    if (sum.norm() <= largest_imbalance * derivatives.norm()) return;
    if (facts_.unbalanced++ == 0)
      facts_.first_unbalanced = fmt::format("{}the derivatives of all atoms sum to {:.2g} of their norm, expected 0", frame.place(),
                                            sum.norm() / derivatives.norm());
  }

  // A dipole of a periodic cell is defined up to e times cell vectors.
  void look_for_jump(const Structure& frame, const Matrix& label) {
    if (keys_.kind != "vector" || keys_.is_per_atom() || !frame.cell || !(frame.pbc[0] || frame.pbc[1] || frame.pbc[2])) return;
    ++facts_.periodic;
    const Vector3 dipole = label.row(0).transpose() * (keys_.target == "mean" ? frame.size() : 1);
    const auto before = last_.find(frame.atomic_numbers);
    if (before != last_.end()) {
      const Vector3 quanta = frame.cell->transpose().inverse() * (dipole - before->second.first) / charge_quantum(keys_.units);
      for (Eigen::Index k = 0; k < 3; ++k)
        if (frame.pbc[static_cast<std::size_t>(k)] && std::abs(quanta[k]) > 0.25) {
          if (facts_.jumps++ == 0)
            facts_.first_jump = fmt::format("from {} to {} the dipole changes by {:.2f} quanta (charge times cell vector)",
                                            before->second.second, frame.source, std::abs(quanta[k]));
          break;
        }
    }
    last_[frame.atomic_numbers] = {dipole, frame.source};
  }

  void add_to_baseline(const Structure& frame, const Matrix& t, double weight) {
    const auto equation = [&](const std::map<int, double>& numbers, double value) {
      for (const auto& [z, n] : numbers) {
        moment_[z] += weight * n * value;
        for (const auto& [other, m] : numbers) gram_[{z, other}] += weight * n * m;
      }
    };
    if (keys_.is_per_atom()) {
      for (Eigen::Index i = 0; i < t.rows(); ++i) equation({{frame.atomic_numbers[static_cast<std::size_t>(i)], 1.0}}, t(i, 0));
      return;
    }
    std::map<int, double> numbers;
    for (const int z : frame.atomic_numbers) numbers[z] += keys_.target == "mean" ? 1.0 / frame.size() : 1.0;
    equation(numbers, t(0, 0));
  }

  /// Returns the weighted square of the residuals.
  double solve_baseline(double square) {
    const auto count = static_cast<Eigen::Index>(moment_.size());
    Matrix a = Matrix::Zero(count, count);
    Vector b(count);
    Eigen::Index i = 0;
    for (const auto& [z, value] : moment_) {
      b[i] = value;
      Eigen::Index j = 0;
      for (const auto& [other, unused] : moment_) {
        if (const auto found = gram_.find({z, other}); found != gram_.end()) a(i, j) = found->second;
        ++j;
      }
      ++i;
    }
    Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> solver;  // of least norm if the compositions are dependent
    solver.setThreshold(1e-10);
    solver.compute(Eigen::MatrixXd(a));
    const Vector means = solver.solve(b);
    i = 0;
    for (const auto& [z, value] : moment_) facts_.means[z] = means[i++];
    return std::max(0.0, square - 2 * means.dot(b) + means.dot(a * means));
  }

  const TensorLabels& labels_;
  const TensorKeys& keys_;
  TensorFacts facts_;
  std::map<int, double> square_, moment_, derivative_square_;
  std::map<int, std::int64_t> count_, derivative_count_;
  std::map<std::pair<int, int>, double> gram_;
  std::map<std::vector<int>, std::pair<Vector3, std::string>> last_;  // of each composition
};

}  // namespace

void check_charge_of_label(const Structure& frame, const TensorKeys& keys) {
  if (keys.kind != "vector" || keys.is_per_atom() || !keys.origin.empty()) return;
  if (const double charge = charge_of_frame(frame); charge != 0)
    throw InputError(
        fmt::format("{}the frame has a total charge of {}, so that its '{}' depends on the point it is about: shift the labels to one of "
                    "these points and name it in [[tensor]] with origin = \"mass\", \"nuclear_charge\" or \"geometric\"",
                    frame.place(), charge, keys.key));
}

Matrix spherical_components(const Matrix& cartesian, const TensorKeys& keys, int lambda) {
  return cartesian * spherical_map(keys.kind, lambda).transpose();
}

TensorLabels::Read TensorLabels::read(const Structure& frame) const {
  Read result{read_tensor(frame, keys), read_tensor_derivatives(frame, keys)};
  if (!charges || (!result.label && !result.derivatives)) return result;
  const ChargeDipole::Value part = charges->compute(frame, result.derivatives.has_value());
  if (result.label) *result.label -= part.dipole.transpose();
  if (result.derivatives) *result.derivatives -= part.derivatives;
  return result;
}

TensorFacts tensor_facts(const Dataset& data, const TensorOptions& options, const TensorLabels& labels) {
  TensorScan scan(labels);
  data.visit([&](const Structure& frame, const FramePlace& place) { scan.add(frame, place.number); });
  TensorFacts facts = scan.finish();
  const TensorKeys& keys = options.keys;
  if (facts.frames.empty())
    throw InputError(fmt::format("[[tensor]] '{}': none of the {} training frames has the {} '{}'{}", keys.name, facts.all_frames,
                                 keys.is_per_atom() ? "column" : "key", keys.key,
                                 keys.derivatives.empty() ? "" : fmt::format(" or the column '{}'", keys.derivatives)));
  if (!keys.derivatives.empty() && facts.derivatives == 0)
    throw InputError(fmt::format("[[tensor]] '{}': none of the {} training frames has the column '{}' of the derivatives", keys.name,
                                 facts.all_frames, keys.derivatives));
  return facts;
}

}  // namespace gapkit
