#include "config/keys.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>

namespace gapkit {

const std::vector<SectionKeys>& configuration_keys() {
  static const std::vector<SectionKeys> sections = {
      {"data", {"train", "validation", "use", "energy_key", "forces_key", "virial_key", "stress_key", "config_type_key", "force_mask_key"}},
      {"reference_energies", {"mode", "explicit"}},
      {"baseline", {"kind"}},
      {"term",
       {"name", "descriptor", "species", "kernel", "delta", "n_sparse", "config_type_n_sparse", "selection", "max_candidates",
        "sparse_file", "sparse_file_cutoffs", "sparse_indices"}},
      {"regularization", {"energy", "force", "virial", "scale_with_atoms", "config_type"}},
      {"regularization.config_type.*", {"energy", "force", "virial"}},
      {"optimize", {"objective", "sigma", "delta", "classes", "max_factor", "min_rows", "max_evaluations", "folds", "fold", "weights"}},
      {"optimize.weights", {"energy", "force", "virial"}},
      {"calibration", {"source", "holdout", "rounds", "most_atoms"}},
      {"solver", {"jitter", "jitter_absolute"}},
      {"output", {"model", "sparse", "statistics"}},
      {"run", {"seed", "memory"}},
  };
  return sections;
}

const std::vector<std::string>& section_keys(const std::string& name) {
  const auto& sections = configuration_keys();
  const auto found = std::find_if(sections.begin(), sections.end(), [&](const SectionKeys& s) { return s.name == name; });
  if (found == sections.end()) throw Error("there is no section '" + name + "' in a configuration");
  return found->keys;
}

}  // namespace gapkit
