#include "config/potential.hpp"

#include "config/files.hpp"
#include "config/keys.hpp"
#include "config/term.hpp"

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
