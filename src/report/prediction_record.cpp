#include <array>
#include <cmath>
#include <gapkit/core/units.hpp>
#include <gapkit/report/prediction_record.hpp>

namespace gapkit {
namespace {

// "train.xyz:12 (frame 3)" of "/long/way/train.xyz:12 (frame 3)".
std::string without_folders(const std::string& source) {
  const auto slash = source.rfind('/');
  return slash == std::string::npos ? source : source.substr(slash + 1);
}

}  // namespace

bool PredictionRecord::put(Values& values, double reference, double predicted, const double* std) {
  if (!std::isfinite(reference) || !std::isfinite(predicted) || (std && !std::isfinite(*std))) {
    ++not_finite_;
    return false;
  }
  if (!keep_values_) return true;
  values.reference.push_back(reference);
  values.predicted.push_back(predicted);
  if (std) values.std.push_back(*std);
  values.frame.push_back(static_cast<int>(frames_.size()));
  return true;
}

void PredictionRecord::add_forces(const Structure& frame, const Prediction& prediction, Frame& entry) {
  const auto& predicted = *prediction.forces;
  const auto& reference = *frame.forces;
  double sum = 0;
  long count = 0;
  for (int i = 0; i < frame.size(); ++i) {
    if (!frame.force_mask.empty() && frame.force_mask[static_cast<std::size_t>(i)]) continue;
    double square = 0;
    for (int c = 0; c < 3; ++c) {
      const double* std = prediction.forces_std ? &(*prediction.forces_std)(i, c) : nullptr;
      if (!put(forces_, reference(i, c), predicted(i, c), std)) continue;
      const double error = predicted(i, c) - reference(i, c);
      square += error * error;
      ++count;
    }
    sum += square;
    if (std::sqrt(square) > entry.largest_force_error) {
      entry.largest_force_error = std::sqrt(square);
      entry.worst_atom = i + 1;
    }
  }
  if (count > 0) entry.force_rmse = std::sqrt(sum / static_cast<double>(count));
}

void PredictionRecord::add_stress(const Structure& frame, const Prediction& prediction, Frame& entry) {
  constexpr std::array<std::array<int, 2>, 6> voigt = {{{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}}};
  const double volume = frame.volume(), unit = gpa_per_ev_per_cubic_angstrom / volume;
  const Voigt predicted = stress_of(*prediction.virial, volume) * gpa_per_ev_per_cubic_angstrom;
  double sum = 0;
  int count = 0;
  for (int k = 0; k < 6; ++k) {
    const auto [a, b] = voigt[static_cast<std::size_t>(k)];
    const double reference = -0.5 * ((*frame.virial)(a, b) + (*frame.virial)(b, a)) * unit;
    const double std = prediction.virial_std ? (*prediction.virial_std)(k)*unit : 0;
    if (!put(stress_, reference, predicted(k), prediction.virial_std ? &std : nullptr)) continue;
    sum += (predicted(k) - reference) * (predicted(k) - reference);
    ++count;
  }
  if (count > 0) entry.stress_rmse = std::sqrt(sum / count);
}

void PredictionRecord::add(const Structure& frame, const Prediction& prediction) {
  const int atoms = frame.size();
  if (atoms == 0) return;
  Frame entry;
  entry.number = static_cast<std::int64_t>(frames_.size()) + 1;
  entry.source = without_folders(frame.source);
  entry.atoms = atoms;
  const auto [found, is_new] = index_of_config_type_.emplace(frame.config_type, static_cast<int>(config_types_.size()));
  if (is_new) config_types_.push_back(frame.config_type);
  entry.config_type = found->second;
  atoms_ += atoms;

  double isolated = 0;
  for (const int element : frame.atomic_numbers)
    if (const auto e0 = reference_energies_.find(element); e0 != reference_energies_.end()) isolated += e0->second;
  entry.energy = (prediction.energy - isolated) / atoms;
  if (prediction.energy_std) entry.energy_std = *prediction.energy_std / atoms;
  if (prediction.forces_std && prediction.forces_std->rows() > 0)
    entry.largest_force_std = prediction.forces_std->rowwise().norm().maxCoeff();
  if (frame.energy && put(energy_, (*frame.energy - isolated) / atoms, entry.energy, entry.energy_std ? &*entry.energy_std : nullptr))
    entry.energy_error = entry.energy - (*frame.energy - isolated) / atoms;
  if (prediction.forces && frame.forces && prediction.forces->rows() == atoms && frame.forces->rows() == atoms)
    add_forces(frame, prediction, entry);
  if (prediction.virial && frame.virial && frame.volume() > 0) add_stress(frame, prediction, entry);
  frames_.push_back(std::move(entry));
}

std::map<std::string, std::int64_t> PredictionRecord::atoms_of_config_types() const {
  std::map<std::string, std::int64_t> result;
  for (const Frame& frame : frames_) result[config_types_[static_cast<std::size_t>(frame.config_type)]] += frame.atoms;
  return result;
}

}  // namespace gapkit
