#pragma once

#include <gapkit/active/potential.hpp>

namespace gapkit {

PotentialKind stillinger_weber_kind();
PotentialKind lennard_jones_kind();

/// Throws NumericalError, naming the potential and the structure, unless every number is finite.
void check_evaluation(const Evaluation& evaluation, const char* potential, const Structure& structure);

}  // namespace gapkit
