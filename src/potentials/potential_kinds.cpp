#include "potentials/potential_kinds.hpp"

#include <gapkit/core/kind_table.hpp>
#include <gapkit/potentials/long_range.hpp>

namespace gapkit {

const std::vector<PotentialKind>& potential_kinds() {
  static const std::vector<PotentialKind> kinds = {zbl_kind(),           pair_spline_kind(), stillinger_weber_kind(),
                                                   lennard_jones_kind(), coulomb_kind(),     dispersion_kind()};
  return kinds;
}

const PotentialKind& potential_kind(std::string_view name) {
  return find_kind(potential_kinds(), name, "potential");
}

bool is_long_range(std::string_view kind) {
  return kind == "coulomb" || kind == "dispersion";
}

PotentialPointer make_potential(std::string_view kind, const Parameters& parameters) {
  const PotentialKind& line = potential_kind(kind);
  return line.make(complete_parameters(parameters, line.parameters, line.name));
}

ParameterInfo positive_parameter(const std::string& name, const std::string& unit, const std::string& description, double default_value) {
  ParameterInfo info{.name = name, .unit = unit, .description = description, .default_value = default_value};
  info.smallest = 0;
  info.excludes_smallest = true;
  return info;
}

}  // namespace gapkit
