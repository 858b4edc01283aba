#include <gapkit/config/files.hpp>
#include <gapkit/config/potential.hpp>
#include <gapkit/config/term.hpp>

#include "config/keys.hpp"

namespace gapkit {

PotentialPointer read_potential(const Section& section, const PotentialKind& kind, const std::filesystem::path& folder) {
  std::vector<std::string> known = section_keys("baseline");
  for (const ParameterInfo& info : kind.parameters) known.push_back(info.name);
  section.check_keys(known);
  Parameters parameters = read_parameters(section, kind.parameters);
  if (section.has("file")) parameters.set("file", resolved_path(parameters.text("file"), folder));
  try {
    return kind.make(parameters);
  } catch (const InputError& error) {
    section.fail(section.line(), error.what());
  }
}

}  // namespace gapkit
