#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gapkit {

/// Settings of a Behler–Parrinello potential as a configuration of gap-fit.
struct InputNnTranslation {
  std::string toml;                  ///< with `notes` as comments; config/ reads it
  std::vector<std::string> notes;    ///< assumptions, and keywords without a counterpart, with their lines
  std::vector<std::string> unknown;  ///< keywords that neither n2p2 nor RuNNer has, with their lines
};

/// Reads settings of n2p2 and RuNNer (input.nn): symmetry functions, cutoff function, scaling, energies of atoms; bohr → Å, hartree → eV.
/// Throws InputError with the line if a function has no counterpart or cannot be read.
InputNnTranslation translate_input_nn(const std::filesystem::path& path);

}  // namespace gapkit
