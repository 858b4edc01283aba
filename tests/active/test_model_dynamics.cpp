// Molecular dynamics with a fitted model.

#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>

#include "active/crystals.hpp"
#include "active/energy_drift.hpp"
#include "support/charged_clusters.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A small potential for silicon, fitted to data/silicon.
std::shared_ptr<const Model> silicon_model() {
  static const std::shared_ptr<const Model> model = [] {
    FitConfiguration options;
    options.train = {(source_folder() / "data" / "silicon" / "train.xyz").string()};
    options.terms = {small_two_body(0.8, 12, 4.5), small_soap(4, 3, 4, 80, 4.5)};
    options.regularization.standard = {0.002, 0.05, 0.05};
    return std::make_shared<const Model>(fit(options).model);
  }();
  return model;
}

}  // namespace

TEST_CASE("nve: silicon at 300 K keeps its energy with a fitted model") {
  Predictor predictor(silicon_model());
  const ForceProvider forces = forces_of(predictor);
  MdState state = initial_state(diamond_silicon(1, 5.46), 600, 1);
  advance(state, {.time_step = 1.0}, forces, 200);
  const EnergyDrift drift = energy_drift(state, forces, 400, 10);
  MESSAGE("drift ", drift.slope, " eV/atom/ps, range ", drift.range, " eV/atom, ", drift.temperature, " K");
  check_close(drift.temperature, 300, 100);  // 8 atoms
  CHECK(std::abs(drift.slope) < 1e-5);
  CHECK(drift.range < 2e-3);
}

TEST_CASE("a trajectory of a fitted model continues with the same bits, with another predictor too") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "states.h5";
  const MdOptions options{.ensemble = Ensemble::npt, .temperature = 900, .friction_time = 50, .pressure_time = 300};
  MdState whole = initial_state(diamond_silicon(1, 5.46), 900, 5), half = whole;
  {
    Predictor predictor(silicon_model());
    advance(whole, options, forces_of(predictor), 30);
  }
  {
    Predictor predictor(silicon_model());
    advance(half, options, forces_of(predictor), 11);
    save_states({half}, path);
  }
  MdState loaded = load_states(path).at(0);
  Predictor predictor(silicon_model());
  advance(loaded, options, forces_of(predictor), 19);
  CHECK(loaded.structure.positions == whole.structure.positions);
  CHECK(*loaded.structure.cell == *whole.structure.cell);
  CHECK(loaded.velocities == whole.velocities);
  CHECK(loaded.evaluation->energy == whole.evaluation->energy);
}

TEST_CASE(
    "nve: with learned charges the error of the energy falls as the square of the step, and the charge of the frame survives a file") {
  const MemoryDataset data(clusters(0, 24), "frames");
  const auto model = std::make_shared<const Model>(fit({data}, learned_options()).model);
  Predictor predictor(model);
  const ForceProvider forces = forces_of(predictor);
  Structure start = two_clusters(77, 9);
  start.set_field("total_charge", 0.5);
  // A short time, in which the atoms stay where the small model has data.
  const auto range_of = [&](double step) {
    MdState state = initial_state(start, 100, 1);
    double lowest = INFINITY, highest = -INFINITY;
    for (double time = 0; time < 20; time += step) {
      advance(state, {.time_step = step}, forces, 1);
      const double total = kinetic_energy(state) + state.evaluation->energy;
      lowest = std::min(lowest, total);
      highest = std::max(highest, total);
    }
    return highest - lowest;
  };
  const double coarse = range_of(1), fine = range_of(0.5), finest = range_of(0.25);
  MESSAGE("range ", coarse, ", ", fine, ", ", finest, " eV");
  CHECK(coarse < 0.05);
  check_close(coarse / fine, 4, 0.8);
  check_close(fine / finest, 4, 0.8);

  const TemporaryFolder folder;
  MdState state = initial_state(start, 100, 1);
  advance(state, {.time_step = 0.5}, forces, 5);
  save_states({state}, folder.path() / "states.h5");
  MdState loaded = load_states(folder.path() / "states.h5").at(0);
  advance(state, {.time_step = 0.5}, forces, 5);
  advance(loaded, {.time_step = 0.5}, forces, 5);
  CHECK(loaded.structure.positions == state.structure.positions);
}
