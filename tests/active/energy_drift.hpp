#pragma once

#include <cmath>
#include <gapkit/active/molecular_dynamics.hpp>

namespace gapkit::test {

/// The total energy per atom along a trajectory without a thermostat.
struct EnergyDrift {
  double slope = 0;        ///< of the line of least squares, eV/atom/ps
  double range = 0;        ///< highest minus lowest, eV/atom
  double temperature = 0;  ///< mean, K
};

/// `samples` times `every` steps of 1 fs.
inline EnergyDrift energy_drift(MdState& state, const ForceProvider& forces, int samples, int every) {
  double sum_t = 0, sum_e = 0, sum_tt = 0, sum_te = 0, lowest = INFINITY, highest = -INFINITY, first = 0, temperatures = 0;
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
  return {(samples * sum_te - sum_t * sum_e) / (samples * sum_tt - sum_t * sum_t), highest - lowest, temperatures};
}

}  // namespace gapkit::test
