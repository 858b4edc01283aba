#include <fmt/format.h>

#include <cmath>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/core/kept_neighbors.hpp>
#include <gapkit/core/masses.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {
namespace {

constexpr double kelvin = ev_per_kelvin;

std::string place(const MdState& state) {
  return fmt::format("molecular dynamics{}{}, step {}", state.structure.source.empty() ? "" : " of ", state.structure.source, state.step);
}

void check_positive(double value, const char* name) {
  if (!(value > 0) || !std::isfinite(value))
    throw InputError(fmt::format("molecular dynamics: {} is {}, expected a positive number", name, value));
}

void check_options(const MdOptions& options, const MdState& state) {
  const Structure& s = state.structure;
  check_positive(options.time_step, "time_step");
  if (state.velocities.rows() != s.size())
    throw InputError(
        fmt::format("molecular dynamics: {} velocities, expected one for each of {} atoms", state.velocities.rows(), s.size()));
  if (options.ensemble == Ensemble::nve) return;
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
    throw InputError(fmt::format("molecular dynamics: temperature is {} K, expected a number that is not negative", options.temperature));
  check_positive(options.friction_time, "friction_time");
  if (options.ensemble == Ensemble::nvt) return;
  check_positive(options.pressure_time, "pressure_time");
  check_positive(options.compressibility, "compressibility");
  if (!std::isfinite(options.pressure)) throw InputError("molecular dynamics: pressure is not finite");
  if (!s.cell || !s.pbc[0] || !s.pbc[1] || !s.pbc[2] || !(s.volume() > 0))
    throw InputError("molecular dynamics: the ensemble npt needs a cell that is periodic in three directions");
}

Vector masses_of(const Structure& structure) {
  Vector masses(structure.size());
  for (int i = 0; i < structure.size(); ++i) masses[i] = atomic_mass(structure.atomic_numbers[static_cast<std::size_t>(i)]);
  return masses;
}

Evaluation evaluate(const ForceProvider& forces, const MdState& state) {
  Evaluation result = forces(state.structure);
  if (result.forces.rows() != state.structure.size())
    throw InputError(
        fmt::format("{}: {} forces, expected one for each of {} atoms", place(state), result.forces.rows(), state.structure.size()));
  if (!std::isfinite(result.energy) || !result.forces.allFinite() || !result.virial.allFinite())
    throw NumericalError(place(state) + ": energy, forces or virial are not finite; try a smaller time_step");
  return result;
}

/// −dH/dV at constant scaled coordinates and momenta, eV/Å³.
double pressure_of(const MdState& state) {
  return (2 * kinetic_energy(state) + state.evaluation->virial.trace()) / (3 * state.structure.volume());
}

/// One time step of one trajectory: B A O A (rescaling) B.
class Step {
 public:
  Step(MdState& state, const MdOptions& options, const Vector& masses)
      : state_(state), options_(options), masses_(masses), half_(options.time_step / 2) {}

  void take(const ForceProvider& forces) {
    const double scaling = options_.ensemble == Ensemble::npt ? length_scaling() : 1;
    kick();
    drift();
    if (options_.ensemble != Ensemble::nve) thermalise();
    drift();
    if (scaling != 1) rescale(scaling);
    state_.evaluation = evaluate(forces, state_);
    kick();
    ++state_.step;
    state_.time += options_.time_step;
    if (!state_.velocities.allFinite()) throw NumericalError(place(state_) + ": velocities are not finite; try a smaller time_step");
  }

 private:
  void kick() {
    const Positions& forces = state_.evaluation->forces;
    for (Eigen::Index i = 0; i < masses_.size(); ++i)
      state_.velocities.row(i) += half_ * acceleration_per_ev_per_angstrom_amu / masses_[i] * forces.row(i);
  }

  void drift() { state_.structure.positions += half_ * state_.velocities; }

  /// The exact solution of dv = −γ v dt + √(2γkT/m) dW over one time step.
  void thermalise() {
    const double kept = std::exp(-options_.time_step / options_.friction_time);
    const double noise = std::sqrt(-std::expm1(-2 * options_.time_step / options_.friction_time) * kelvin * options_.temperature *
                                   acceleration_per_ev_per_angstrom_amu);
    for (Eigen::Index i = 0; i < masses_.size(); ++i)
      for (int k = 0; k < 3; ++k)
        state_.velocities(i, k) = kept * state_.velocities(i, k) + noise / std::sqrt(masses_[i]) * state_.random.normal();
  }

  /// dλ = βλ/(2τ) (P − P₀ + kT/(2V)) dt + √(kTβ/(2τ)) dW of λ = √V; the factor of lengths is (λ'/λ)^{2/3}.
  double length_scaling() {
    const double volume = state_.structure.volume(), lambda = std::sqrt(volume), energy = kelvin * options_.temperature;
    const double beta = options_.compressibility * gpa_per_ev_per_cubic_angstrom;  // Å³/eV
    const double excess = pressure_of(state_) - options_.pressure / gpa_per_ev_per_cubic_angstrom + energy / (2 * volume);
    const double rate = beta / (2 * options_.pressure_time);
    const double changed =
        lambda * (1 + rate * excess * options_.time_step) + std::sqrt(rate * energy * options_.time_step) * state_.random.normal();
    const double scaling = std::cbrt(changed * changed / volume);
    // A step that changes lengths by a tenth is too large for the integrator.
    if (!(changed > 0) || !(std::abs(scaling - 1) < 0.1))
      throw NumericalError(place(state_) + fmt::format(": the pressure of {:.3g} GPa changes lengths by a factor {:.3g} in one step; try a "
                                                       "larger pressure_time",
                                                       pressure_of(state_) * gpa_per_ev_per_cubic_angstrom, scaling));
    return scaling;
  }

  void rescale(double scaling) {
    *state_.structure.cell *= scaling;
    state_.structure.positions *= scaling;
    state_.velocities /= scaling;
  }

  MdState& state_;
  const MdOptions& options_;
  const Vector& masses_;
  double half_;
};

/// Σ m v / Σ m, Å/fs
Eigen::RowVector3d drift_velocity(const Positions& velocities, const Vector& masses) {
  return (masses.transpose() * velocities) / masses.sum();
}

double kinetic_energy_of(const Positions& velocities, const Vector& masses) {
  double sum = 0;
  for (Eigen::Index i = 0; i < masses.size(); ++i) sum += masses[i] * velocities.row(i).squaredNorm();
  return 0.5 * sum / acceleration_per_ev_per_angstrom_amu;
}

}  // namespace

MdState initial_state(const Structure& structure, double temperature, std::uint64_t seed, std::uint64_t replica) {
  if (!(temperature >= 0) || !std::isfinite(temperature))
    throw InputError(fmt::format("molecular dynamics: temperature is {} K, expected a number that is not negative", temperature));
  MdState state;
  state.structure = structure;
  state.structure.energy.reset();
  state.structure.forces.reset();
  state.structure.virial.reset();
  state.random = {seed, replica, 0};
  const Vector masses = masses_of(structure);
  state.velocities.resize(structure.size(), 3);
  for (Eigen::Index i = 0; i < masses.size(); ++i)
    for (int k = 0; k < 3; ++k)
      state.velocities(i, k) = std::sqrt(kelvin * temperature * acceleration_per_ev_per_angstrom_amu / masses[i]) * state.random.normal();
  if (structure.size() > 1) state.velocities.rowwise() -= drift_velocity(state.velocities, masses).eval();
  return state;
}

void advance(MdState& state, const MdOptions& options, const ForceProvider& forces, std::int64_t steps) {
  check_options(options, state);
  const Vector masses = masses_of(state.structure);
  if (!state.evaluation) state.evaluation = evaluate(forces, state);
  MdState next = state;
  for (std::int64_t k = 0; k < steps; ++k) {
    Step(next, options, masses).take(forces);
    // Copies only the parts of the structure that change.
    state.structure.positions = next.structure.positions;
    state.structure.cell = next.structure.cell;
    state.velocities = next.velocities;
    state.step = next.step;
    state.time = next.time;
    state.random = next.random;
    state.evaluation = next.evaluation;
  }
}

double kinetic_energy(const MdState& state) {
  return kinetic_energy_of(state.velocities, masses_of(state.structure));
}

double temperature(const MdState& state) {
  const int atoms = state.structure.size();
  if (atoms < 1) return 0;
  if (atoms == 1) return 2 * kinetic_energy(state) / (3 * kelvin);
  const Vector masses = masses_of(state.structure);
  Positions internal = state.velocities;
  internal.rowwise() -= drift_velocity(state.velocities, masses).eval();
  return 2 * kinetic_energy_of(internal, masses) / ((3.0 * atoms - 3) * kelvin);
}

double pressure(const MdState& state) {
  if (!state.evaluation || !(state.structure.volume() > 0))
    throw InputError("molecular dynamics: the pressure needs a cell and an evaluation");
  return pressure_of(state) * gpa_per_ev_per_cubic_angstrom;
}

ForceProvider forces_of(Predictor& predictor, bool single_precision) {
  // The pairs of a kept list and their order are those of a new one, so results do not depend on where a trajectory continues.
  return [&predictor, single_precision, neighbors = std::make_shared<KeptNeighbors>()](const Structure& structure) {
    // Values that a frame brings are those of where its atoms were.
    if (predictor.model().base.is_used())
      throw InputError("molecular dynamics: the model gives the difference from another one, " + predictor.model().base.text() +
                       ", which is not known where the atoms move");
    const Environments& environments = neighbors->update(structure, predictor.model().cutoff(), KeptNeighbors::usual_skin);
    Prediction p = predictor.compute(structure, environments, {.single_precision = single_precision});
    return Evaluation{p.energy, std::move(*p.forces), *p.virial};
  };
}

ForceProvider forces_of(PotentialPointer potential) {
  return [potential = std::move(potential)](const Structure& structure) { return evaluate(*potential, structure); };
}

}  // namespace gapkit
