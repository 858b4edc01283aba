#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Energy of two atoms in vacuum over their distance, relative to the same atoms far apart.
struct DimerCurve {
  int first = 0, second = 0;     ///< atomic numbers
  std::vector<double> distance;  ///< Å, ascending
  std::vector<double> energy;    ///< eV
  std::vector<double> std;       ///< epistemic error bar of that difference, eV; empty if the model has no posterior
};

/// From half the sum of the covalent radii to the model's cutoff, `points` distances. Cost: as many predictions of two atoms.
DimerCurve dimer_curve(Predictor& predictor, int first, int second, int points = 120);

/// Of each pair of the model's elements; the first `most` in alphabetical order of atomic numbers if there are more.
std::vector<DimerCurve> dimer_curves(const std::shared_ptr<const Model>& model, std::size_t most = 36);

}  // namespace gapkit
