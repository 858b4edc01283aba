#include "fit/equilibrated_dataset.hpp"

#include <Eigen/QR>
#include <gapkit/potentials/charge_equilibration.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "fit/property_dataset.hpp"

namespace gapkit {
namespace {

constexpr double most_bytes_kept = 3e8;
constexpr const char* usual_total = "total_charge";

bool has_dipole_target(const Structure& s, const LocalTargets& targets) {
  return targets.dipole && !s.pbc[0] && !s.pbc[1] && !s.pbc[2];
}

Positions about_centroid(const Structure& s) {
  return s.positions.rowwise() - s.positions.colwise().mean();
}

}  // namespace

/// Mean electronegativities of elements from charges and dipoles.
class EquilibratedDataset::LeastSquares {
 public:
  explicit LeastSquares(const PropertyOptions& property) : value_weight_(1 / property.sigma), dipole_weight_(1 / property.dipole_sigma) {}

  /// `targets`: less the offsets.
  void add(const Structure& s, const LocalTargets& targets, const Linear& linear) {
    Matrix of_elements = Matrix::Zero(s.size(), static_cast<Eigen::Index>(column_of_.size()) + 118);
    for (Eigen::Index i = 0; i < s.size(); ++i) {
      const auto next = static_cast<Eigen::Index>(column_of_.size());
      const Eigen::Index column = column_of_.try_emplace(s.atomic_numbers[static_cast<std::size_t>(i)], next).first->second;
      of_elements.col(column) += linear.response.col(i);
    }
    grow();
    const Matrix rows = of_elements.leftCols(square_.cols());
    if (!targets.values.empty())
      add_rows(value_weight_ * rows,
               value_weight_ * Eigen::Map<const Vector>(targets.values.data(), static_cast<Eigen::Index>(targets.values.size())));
    if (targets.dipole) add_rows(dipole_weight_ * about_centroid(s).transpose() * rows, dipole_weight_ * *targets.dipole);
  }

  std::map<int, double> solve() const {
    const Eigen::MatrixXd square = square_;
    const Vector solution = square.completeOrthogonalDecomposition().solve(product_);  // a constant has no effect: the smallest solution
    std::map<int, double> means;
    for (const auto& [z, column] : column_of_) means[z] = solution[column];
    return means;
  }

 private:
  void grow() {
    const auto size = static_cast<Eigen::Index>(column_of_.size()), old = square_.rows();
    if (size == old) return;
    Matrix square = Matrix::Zero(size, size);
    Vector product = Vector::Zero(size);
    square.topLeftCorner(old, old) = square_;
    product.head(old) = product_;
    square_ = std::move(square);
    product_ = std::move(product);
  }

  void add_rows(const Matrix& rows, const Vector& values) {
    square_ += rows.transpose() * rows;
    product_ += rows.transpose() * values;
  }

  double value_weight_, dipole_weight_;
  std::map<int, Eigen::Index> column_of_;
  Matrix square_ = Matrix::Zero(0, 0);
  Vector product_ = Vector::Zero(0);
};

EquilibratedDataset::EquilibratedDataset(const Dataset& frames, const PropertyOptions& property, Equilibration equilibration)
    : frames_(frames), property_(property), equilibration_(std::move(equilibration)) {
  LeastSquares sum(property);
  frames.visit([&](const Structure& given, const FramePlace& place) {
    const auto linear = linear_of(given, place.number);
    sum.add(given, targets_of(given, *linear), *linear);
  });
  means_ = sum.solve();
}

EquilibratedDataset::~EquilibratedDataset() = default;

std::shared_ptr<const EquilibratedDataset::Linear> EquilibratedDataset::linear_of(const Structure& given, std::int64_t number) const {
  if (const auto found = kept_.find(number); found != kept_.end()) return found->second;
  const ChargeEquilibration equilibration = equilibration_of(given, equilibration_);
  const std::string& key = property_.keys.total;
  auto linear = std::make_shared<Linear>();
  linear->offset = total_charge_of(given, key.empty() ? usual_total : key) * equilibration.share();
  linear->response.resize(given.size(), given.size());
  for (Eigen::Index i = 0; i < given.size(); ++i) linear->response.col(i) = -equilibration.response(Vector::Unit(given.size(), i));
  const double bytes = sizeof(double) * static_cast<double>(linear->response.size());
  if (kept_bytes_ + bytes <= most_bytes_kept) {
    kept_[number] = linear;
    kept_bytes_ += bytes;
  }
  return linear;
}

// Less the offsets and the part of the means that are known.
LocalTargets EquilibratedDataset::targets_of(const Structure& given, const Linear& linear) const {
  LocalTargets targets = read_property(given, property_.keys);
  Vector known = linear.offset;
  if (!means_.empty()) {
    Vector means(given.size());
    for (Eigen::Index i = 0; i < given.size(); ++i) means[i] = means_.at(given.atomic_numbers[static_cast<std::size_t>(i)]);
    known += linear.response * means;
  }
  for (std::size_t i = 0; i < targets.values.size(); ++i) targets.values[i] -= known[static_cast<Eigen::Index>(i)];
  if (!has_dipole_target(given, targets)) targets.dipole.reset();
  if (targets.dipole) {
    const Vector3 centroid = given.positions.colwise().mean().transpose();
    *targets.dipole -= linear.offset.sum() * centroid + about_centroid(given).transpose() * known;
  }
  targets.total.reset();  // by construction
  return targets;
}

std::int64_t EquilibratedDataset::visit_frames(const Visitor& visitor, const VisitRequest& request) const {
  return frames_.visit(
      [&](const Structure& given, const FramePlace& place) {
        const auto linear = linear_of(given, place.number);
        Structure s = bare_frame(given);
        s.local = targets_of(given, *linear);
        s.local.response = linear->response;
        visitor(s, place);
      },
      request);
}

}  // namespace gapkit
