#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>

#include "active/crystals.hpp"
#include "active/energy_drift.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

ForceProvider silicon_forces() {
  return forces_of(make_potential("stillinger_weber"));
}

/// Every atom bound to the origin by E = k x²/2.
ForceProvider harmonic_forces(double k) {
  return [k](const Structure& s) { return Evaluation{0.5 * k * s.positions.squaredNorm(), Positions(-k * s.positions), Matrix3::Zero()}; };
}

Evaluation no_forces(const Structure& s) {
  return {0, Positions::Zero(s.size(), 3), Matrix3::Zero()};
}

bool same(const MdState& a, const MdState& b) {
  return a.structure.cell == b.structure.cell && a.structure.positions == b.structure.positions && a.velocities == b.velocities &&
         a.step == b.step && a.time == b.time && a.random.drawn == b.random.drawn && a.evaluation->energy == b.evaluation->energy &&
         a.evaluation->forces == b.evaluation->forces && a.evaluation->virial == b.evaluation->virial;
}

/// Mean and variance of the added values, and the standard error of the mean from `blocks` blocks.
class Statistics {
 public:
  void add(double x) { values_.push_back(x); }
  double mean() const { return mean_of(0, values_.size()); }
  double variance() const {
    double sum = 0;
    for (const double x : values_) sum += (x - mean_) * (x - mean_);
    return sum / static_cast<double>(values_.size());
  }
  double error(std::size_t blocks = 20) const {
    double sum = 0;
    const std::size_t length = values_.size() / blocks;
    for (std::size_t b = 0; b < blocks; ++b) sum += std::pow(mean_of(b * length, (b + 1) * length) - mean(), 2);
    return std::sqrt(sum) / static_cast<double>(blocks);
  }
  void finish() { mean_ = mean(); }

 private:
  double mean_of(std::size_t begin, std::size_t end) const {
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k) sum += values_[k];
    return sum / static_cast<double>(end - begin);
  }
  std::vector<double> values_;
  double mean_ = 0;
};

}  // namespace

TEST_CASE("initial velocities: seeded, no total momentum, the temperature on average") {
  const Structure silicon = diamond_silicon(3);
  const MdState state = initial_state(silicon, 500, 4);
  CHECK(state.velocities == initial_state(silicon, 500, 4).velocities);
  CHECK(state.velocities != initial_state(silicon, 500, 5).velocities);
  CHECK(state.velocities != initial_state(silicon, 500, 4, 1).velocities);
  CHECK(largest_entry(state.velocities.colwise().sum()) < 1e-14);
  // 216 atoms: the standard deviation of the temperature is 500 K √(2/645).
  check_close(temperature(state), 500, 5 * 500 * std::sqrt(2.0 / 645));
  CHECK(largest_entry(initial_state(silicon, 0, 4).velocities) == 0);
  // Every atom moves as its mass demands: √(kT/m) of hydrogen at 300 K is 0.0157 Å/fs.
  Structure atom;
  atom.atomic_numbers = {1};
  atom.positions = Positions::Zero(1, 3);
  double sum = 0;
  for (std::uint64_t replica = 0; replica < 2000; ++replica) sum += initial_state(atom, 300, 1, replica).velocities.squaredNorm();
  check_close(std::sqrt(sum / 6000), 0.015731, 5 * 0.0157 / std::sqrt(2.0 * 6000));
}

TEST_CASE("nve: silicon at 300 K keeps its energy, no drift at 1 fs") {
  // Half of the 600 K becomes potential energy.
  MdState state = initial_state(diamond_silicon(2), 600, 1);
  const ForceProvider forces = silicon_forces();
  advance(state, {.time_step = 1.0}, forces, 200);
  const EnergyDrift drift = energy_drift(state, forces, 500, 10);
  MESSAGE("drift ", drift.slope, " eV/atom/ps, range ", drift.range, " eV/atom");
  check_close(drift.temperature, 300, 40);
  CHECK(std::abs(drift.slope) < 1e-5);
  CHECK(drift.range < 1e-3);
  CHECK(drift.range > 1e-7);
  CHECK(largest_entry(state.velocities.colwise().sum()) < 1e-12);
}

TEST_CASE("nve: the error of the energy falls with the square of the time step") {
  const auto range = [](double time_step) {
    MdState state = initial_state(diamond_silicon(1), 600, 2);
    Statistics energies;
    double lowest = INFINITY, highest = -INFINITY;
    while (state.time < 200) {
      advance(state, {.time_step = time_step}, silicon_forces(), 1);
      const double total = kinetic_energy(state) + state.evaluation->energy;
      lowest = std::min(lowest, total);
      highest = std::max(highest, total);
    }
    return highest - lowest;
  };
  const double ratio = range(1.0) / range(0.5);
  check_close(ratio, 4, 0.4);
}

TEST_CASE("nve: a trajectory runs back when its velocities are reversed") {
  const MdState begin = initial_state(diamond_silicon(1), 900, 3);
  MdState state = begin;
  advance(state, {}, silicon_forces(), 400);
  CHECK(largest_difference(state.structure.positions, begin.structure.positions) > 0.05);
  state.velocities *= -1;
  advance(state, {}, silicon_forces(), 400);
  CHECK(largest_difference(state.structure.positions, begin.structure.positions) < 1e-9);
  CHECK(largest_difference(Positions(-state.velocities), begin.velocities) < 1e-10);
}

TEST_CASE("nvt: harmonic oscillators have the canonical distribution") {
  constexpr double temperature_k = 400, k = 2.0;
  Structure atoms;
  atoms.atomic_numbers = {14, 14, 8, 8, 6};
  atoms.positions = Positions::Zero(5, 3);
  MdState state = initial_state(atoms, temperature_k, 6);
  const MdOptions options{.ensemble = Ensemble::nvt, .time_step = 1.0, .temperature = temperature_k, .friction_time = 50};
  const ForceProvider forces = harmonic_forces(k);
  advance(state, options, forces, 2000);
  Statistics kinetic, potential, potential_squared;
  for (int sample = 0; sample < 40000; ++sample) {
    advance(state, options, forces, 20);
    kinetic.add(kinetic_energy(state));
    potential.add(state.evaluation->energy);
  }
  kinetic.finish();
  potential.finish();
  // 15 degrees of freedom: means 15 kT/2, variances 15 (kT)²/2; the samples are about 3 correlation times apart.
  const double kt = ev_per_kelvin * temperature_k, mean = 7.5 * kt, variance = 7.5 * kt * kt;
  CHECK(kinetic.error() < 0.005 * mean);
  check_close(potential.mean(), mean, 5 * potential.error());
  check_close(kinetic.mean(), mean, 5 * kinetic.error() + 0.005 * mean);  // velocities of BAOAB: error O(ω²Δt²/4)
  check_close(kinetic.variance(), variance, 0.08 * variance);
  check_close(potential.variance(), variance, 0.08 * variance);
}

TEST_CASE("npt: the volume of an ideal gas has its exact distribution") {
  // p(V) ∝ V^N exp(−P V/kT): mean (N+1) kT/P, variance (N+1) (kT/P)².
  constexpr int atoms = 20;
  constexpr double temperature_k = 300, pressure_gpa = 0.1;
  const double unit = ev_per_kelvin * temperature_k / (pressure_gpa / gpa_per_ev_per_cubic_angstrom);
  Structure gas = random_triclinic(atoms, 9, {18});
  const double scale = std::cbrt((atoms + 1) * unit / gas.volume());
  gas = deformed(gas, scale * Matrix3::Identity());
  MdState state = initial_state(gas, temperature_k, 12);
  const MdOptions options{.ensemble = Ensemble::npt,
                          .time_step = 5,
                          .temperature = temperature_k,
                          .friction_time = 100,
                          .pressure = pressure_gpa,
                          .pressure_time = 800,
                          .compressibility = 1 / pressure_gpa};
  Statistics volumes, pressures;
  for (int sample = 0; sample < 30000; ++sample) {
    advance(state, options, no_forces, 20);
    volumes.add(state.structure.volume());
    pressures.add(pressure(state));
  }
  volumes.finish();
  const double mean = (atoms + 1) * unit, variance = (atoms + 1) * unit * unit;
  MESSAGE("mean ", volumes.mean() / mean, " ± ", volumes.error() / mean, " variance ", volumes.variance() / variance);
  CHECK(volumes.error() < 0.01 * mean);
  check_close(volumes.mean(), mean, 4 * volumes.error() + 0.005 * mean);
  check_close(volumes.variance(), variance, 0.08 * variance);
  check_close(pressures.mean(), pressure_gpa, 4 * pressures.error() + 0.005 * pressure_gpa);
}

TEST_CASE("npt and nvt agree: at the mean volume the mean pressure is the one asked for") {
  constexpr double temperature_k = 60, pressure_gpa = 0.2;
  const ForceProvider forces = forces_of(make_potential("lennard_jones", {{"cutoff", 6.5}}));
  MdState state = initial_state(cubic_argon(2, 5.3), 2 * temperature_k, 21);
  MdOptions options{.ensemble = Ensemble::npt,
                    .time_step = 8,
                    .temperature = temperature_k,
                    .friction_time = 300,
                    .pressure = pressure_gpa,
                    .pressure_time = 800,
                    .compressibility = 0.3};
  advance(state, options, forces, 2000);
  Statistics volumes, temperatures;
  for (int sample = 0; sample < 1500; ++sample) {
    advance(state, options, forces, 8);
    volumes.add(state.structure.volume());
    temperatures.add(temperature(state));
  }
  // The cell stays cubic, only its size changes.
  CHECK(largest_difference(Matrix3(*state.structure.cell / (*state.structure.cell)(0, 0)), Matrix3(Matrix3::Identity())) < 1e-12);
  options.ensemble = Ensemble::nvt;
  const double stretch = std::cbrt(volumes.mean() / state.structure.volume());
  state.structure = deformed(state.structure, stretch * Matrix3::Identity());
  state.evaluation.reset();
  advance(state, options, forces, 1000);
  Statistics pressures;
  for (int sample = 0; sample < 1500; ++sample) {
    advance(state, options, forces, 8);
    pressures.add(pressure(state));
  }
  MESSAGE("volume ", volumes.mean(), " ± ", volumes.error(), " Å³, pressure ", pressures.mean(), " ± ", pressures.error(), " GPa");
  CHECK(volumes.error() < 0.004 * volumes.mean());
  check_close(temperatures.mean(), temperature_k, 4 * temperatures.error() + 0.01 * temperature_k);
  // An error of the volume is one of the pressure through the bulk modulus, about 2.5 GPa here.
  const double tolerance = 4 * std::hypot(pressures.error(), 2.5 * volumes.error() / volumes.mean());
  CHECK(tolerance < 0.05);
  check_close(pressures.mean(), pressure_gpa, tolerance);
}

TEST_CASE("a trajectory that is saved and loaded continues with the same bits") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "states.h5";
  std::vector<MdState> whole, halves;
  std::vector<MdOptions> options;
  for (const Ensemble ensemble : {Ensemble::nve, Ensemble::nvt, Ensemble::npt}) {
    options.push_back({.ensemble = ensemble, .temperature = 800, .friction_time = 30, .pressure = 1, .pressure_time = 100});
    whole.push_back(initial_state(diamond_silicon(1), 900, 0xfedcba9876543210, options.size()));
  }
  halves = whole;
  for (std::size_t k = 0; k < whole.size(); ++k) {
    advance(whole[k], options[k], silicon_forces(), 60);
    advance(halves[k], options[k], silicon_forces(), 23);
    if (k == 1) halves[k].evaluation.reset();  // computed again, which gives the same bits
  }
  save_states(halves, path);
  std::vector<MdState> loaded = load_states(path);
  REQUIRE(loaded.size() == 3);
  for (std::size_t k = 0; k < whole.size(); ++k) {
    CAPTURE(k);
    CHECK(loaded[k].random.seed == whole[k].random.seed);
    CHECK(loaded[k].random.stream == k + 1);
    CHECK(!same(loaded[0], whole[k]));
    advance(loaded[k], options[k], silicon_forces(), 37);
    CHECK(same(loaded[k], whole[k]));
  }
  MdState molecule = initial_state(random_triclinic(3, 1, {1, 8}), 300, 1);
  molecule.structure.cell.reset();
  molecule.structure.pbc = {false, false, false};
  molecule.structure.config_type = "water";
  save_states({molecule}, path);
  const MdState read = load_states(path).at(0);
  CHECK(!read.structure.cell);
  CHECK(!read.evaluation);
  CHECK(read.structure.config_type == "water");
  CHECK(read.structure.atomic_numbers == molecule.structure.atomic_numbers);
  CHECK_THROWS_AS(load_states(folder.write("wrong.h5", "nothing")), InputError);
}

TEST_CASE("a step that fails leaves the last complete one") {
  MdState state = initial_state(diamond_silicon(1), 600, 8), expected = state;
  advance(expected, {}, silicon_forces(), 5);
  const auto limited = [&](int calls, bool nan) -> ForceProvider {
    return [calls, nan, forces = silicon_forces()](const Structure& s) mutable {
      if (--calls >= 0) return forces(s);
      if (!nan) throw NumericalError("no more");
      Evaluation e = forces(s);
      e.forces(3, 1) = NAN;
      return e;
    };
  };
  MdState other = state;
  CHECK_THROWS_AS(advance(state, {}, limited(6, false), 10), NumericalError);
  CHECK(same(state, expected));
  CHECK(message_of<NumericalError>([&] { advance(other, {}, limited(6, true), 10); }).find("step 5") != std::string::npos);
  CHECK(same(other, expected));
}

TEST_CASE("options that cannot be are refused") {
  MdState state = initial_state(diamond_silicon(1), 600, 8);
  const auto message = [&](const MdOptions& options) {
    return message_of<InputError>([&] { advance(state, options, silicon_forces(), 1); });
  };
  CHECK(message({.time_step = 0}).find("time_step") != std::string::npos);
  CHECK(message({.ensemble = Ensemble::nvt, .temperature = NAN}).find("temperature") != std::string::npos);
  CHECK(message({.ensemble = Ensemble::nvt, .friction_time = -1}).find("friction_time") != std::string::npos);
  CHECK(message({.ensemble = Ensemble::npt, .pressure_time = 0}).find("pressure_time") != std::string::npos);
  state.structure.pbc[1] = false;
  CHECK(message({.ensemble = Ensemble::npt}).find("periodic in three directions") != std::string::npos);
  CHECK_THROWS_AS(initial_state(diamond_silicon(1), -1, 1), InputError);
}
