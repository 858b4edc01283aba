#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit::test {

/// Largest differences of a model's predictions from those that stand in a file.
struct Differences {
  double energy = 0;    ///< eV/atom
  double forces = 0;    ///< eV/Å
  double virial = 0;    ///< eV; 0 if the file has none
  double variance = 0;  ///< relative, of QUIP's local variance; 0 if the file has none
  int frames = 0, virials = 0, variances = 0;
};

/// Keys as QUIP writes them: energy, `forces_key`, virial, local_gap_variance.
Differences differences_from(const Model& model, const std::filesystem::path& predictions, const std::string& forces_key = "force");

/// Largest differences between two models over structures: energy per atom and forces.
Differences differences_between(const Model& a, const Model& b, const std::vector<Structure>& structures);

}  // namespace gapkit::test
