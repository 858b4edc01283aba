// Molecular dynamics with a fitted model.

#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>

#include "active/crystals.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A small potential for silicon, fitted to data/silicon.
std::shared_ptr<const Model> silicon_model() {
  static const std::shared_ptr<const Model> model = [] {
    FitOptions options;
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
  double sum_t = 0, sum_e = 0, sum_tt = 0, sum_te = 0, lowest = INFINITY, highest = -INFINITY, first = 0, temperatures = 0;
  constexpr int samples = 400, every = 10;
  for (int k = 0; k < samples; ++k) {
    advance(state, {.time_step = 1.0}, forces, every);
    const double total = (kinetic_energy(state) + state.evaluation->energy) / state.structure.size(), ps = state.time / 1000;
    if (k == 0) first = total;
    sum_t += ps;
    sum_e += total - first;
    sum_tt += ps * ps;
    sum_te += ps * (total - first);
    lowest = std::min(lowest, total);
    highest = std::max(highest, total);
    temperatures += temperature(state) / samples;
  }
  const double drift = (samples * sum_te - sum_t * sum_e) / (samples * sum_tt - sum_t * sum_t);
  MESSAGE("drift ", drift, " eV/atom/ps, range ", highest - lowest, " eV/atom, ", temperatures, " K");
  check_close(temperatures, 300, 100);  // 8 atoms
  CHECK(std::abs(drift) < 1e-5);
  CHECK(highest - lowest < 2e-3);
}

TEST_CASE("a trajectory of a fitted model goes on with the same bits, with another predictor too") {
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
