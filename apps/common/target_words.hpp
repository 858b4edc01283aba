#pragma once

#include <gapkit/core/target.hpp>

namespace gapkit::apps {

/// Targets whose σ have the same unit and the same scaling with the number of atoms.
struct UnitGroup {
  const char* unit;
  bool scales_with_atoms;
  std::vector<const TargetInfo*> targets;

  /// "energy and virial"
  std::string names(const char* between) const;
  /// "forces": as tables show them
  std::string shown_names(const char* between) const;
};

/// In the order of the table.
std::vector<UnitGroup> unit_groups();
/// "energy and virial": the targets whose σ is multiplied by √N.
std::string names_that_scale();

}  // namespace gapkit::apps
