#pragma once

#include <gapkit/serve/committee.hpp>

namespace gapkit::serve {

/// Contents of the extra string (docs/serve.md).
struct ExtraContents {
  bool energy = false, local = false, forces = false, virial = false;  ///< error bars of one model, or the spread of several
  bool extrapolation = false;                                          ///< grades of the atoms, of one model
  bool members = false;                                                ///< energy, forces and virial of each of several models

  bool any() const { return energy || local || forces || virial || extrapolation || members; }
};

/// JSON in one line, in hartree and bohr like the rest of the message; "" if nothing is asked for.
std::string extra_text(std::span<const Prediction> members, const ExtraContents& contents);

}  // namespace gapkit::serve
