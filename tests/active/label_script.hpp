#pragma once

#include <gapkit/active/labeller.hpp>

#include "support/support.hpp"

namespace gapkit::test {

/// A function of a shell script: `label INPUT OUTPUT` labels with the sum of the coordinates as energy and ten times the coordinates as
/// forces.
inline const std::string label_function =
    "label() {\n"
    "awk 'NR == 2 { sub(/pos:R:3/, \"pos:R:3:forces:R:3\"); comment = $0 }\n"
    "     NR > 2 { e += $2 + $3 + $4; atoms = atoms sprintf(\"%s %s %s %s %.15g %.15g %.15g\\n\", $1, $2, $3, $4, 10 * $2, 10 * $3, 10 * "
    "$4) }\n"
    "     END { printf \"%d\\n%s energy=%.15g\\n%s\", NR - 2, comment, e, atoms }' \"$1\" > \"$2\"\n}\n";

inline void check_label(const Label& label, const Structure& asked) {
  REQUIRE_MESSAGE(label.structure.has_value(), label.failure);
  CHECK(label.failure.empty());
  CHECK(label.structure->positions == asked.positions);
  CHECK(label.structure->atomic_numbers == asked.atomic_numbers);
  check_close(*label.structure->energy, asked.positions.sum(), 1e-10);
  CHECK(largest_difference(*label.structure->forces, Positions(10 * asked.positions)) < 1e-10);
}

}  // namespace gapkit::test
