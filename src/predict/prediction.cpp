// A prediction as rows of its targets.

#include <gapkit/core/errors.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {
namespace {

std::span<double> numbers_in(double& number) {
  return {&number, 1};
}

template <class Derived>
std::span<double> numbers_in(Eigen::PlainObjectBase<Derived>& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

template <class T>
std::span<double> numbers_in(std::optional<T>& observable) {
  return observable ? numbers_in(*observable) : std::span<double>();
}

}  // namespace

std::vector<double> Prediction::rows(Property property) const {
  if (property == Property::energy) return {energy};
  if (property == Property::force)
    return forces ? std::vector<double>(forces->data(), forces->data() + forces->size()) : std::vector<double>();
  if (!virial) return {};
  const Voigt six = voigt_of(*virial);
  return {six.data(), six.data() + six.size()};
}

void Prediction::add(Property property, const std::vector<double>& rows) {
  const auto count = static_cast<Eigen::Index>(rows.size());
  if (property == Property::energy)
    energy += rows.at(0);
  else if (property == Property::force)
    forces.value() += Eigen::Map<const Positions>(rows.data(), count / 3, 3);
  else
    virial.value() += tensor_of(Eigen::Map<const Voigt>(rows.data()));
}

void Prediction::leave_out(Property property) {
  if (property == Property::force) forces.reset();
  if (property == Property::virial) virial.reset();
}

std::span<double> Prediction::std_of(Property property) {
  return property == Property::energy  ? numbers_in(energy_std)
         : property == Property::force ? numbers_in(forces_std)
                                       : numbers_in(virial_std);
}

std::span<double> Prediction::epistemic_of(Property property) {
  return property == Property::energy  ? numbers_in(energy_std_epistemic)
         : property == Property::force ? numbers_in(forces_std_epistemic)
                                       : numbers_in(virial_std_epistemic);
}

std::vector<ComparedRow> compared_rows(const Structure& frame, const Prediction& prediction, const TargetInfo& target) {
  const std::vector<double> reference = target.rows(frame), predicted = prediction.rows(target.property);
  if (reference.empty() || predicted.empty()) return {};
  const auto count = static_cast<std::size_t>(target.row_count(frame.size()));
  if (reference.size() != count || predicted.size() != count)
    throw Error(frame.place() + std::to_string(predicted.size()) + " predicted and " + std::to_string(reference.size()) +
                " reference values of the " + target.name + ", expected " + std::to_string(count));
  const std::span<const double> std = prediction.std_of(target.property), epistemic = prediction.epistemic_of(target.property);
  std::vector<ComparedRow> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const int row = static_cast<int>(i);
    if (target.is_masked(frame, row)) continue;
    rows.push_back({row, predicted[i], reference[i], std.empty() ? 0 : std[i], epistemic.empty() ? 0 : epistemic[i]});
  }
  return rows;
}

Voigt stress_of(const Matrix3& virial, double volume) {
  return -voigt_of(virial) / volume;
}

}  // namespace gapkit
