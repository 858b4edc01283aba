#include "config/keys.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/target.hpp>

namespace gapkit {

namespace {

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& then,
                                const std::vector<std::string>& last) {
  first.insert(first.end(), then.begin(), then.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const TargetInfo& target : targets()) names.emplace_back(target.name);
  return names;
}

std::vector<std::string> source_keys() {
  std::vector<std::string> keys;
  for (const TargetSource& source : target_sources()) keys.push_back(std::string(source.name) + "_key");
  return keys;
}

}  // namespace

bool is_list_of_tables(const std::string& section) {
  return section == "term" || section == "baseline" || section == "property" || section == "tensor" || section == "long_range";
}

const std::vector<SectionKeys>& configuration_keys() {
  static const std::vector<SectionKeys> sections = {
      {"data", joined({"train", "validation", "use"}, source_keys(), {"config_type_key", "force_mask_key"})},
      {"reference_energies", {"mode", "explicit"}},
      {"baseline", {"kind"}},
      {"long_range", {"kind"}},
      {"term",
       {"name", "descriptor", "species", "kernel", "delta", "n_sparse", "config_type_n_sparse", "selection", "max_candidates",
        "sparse_file", "sparse_file_cutoffs", "sparse_indices", "compression", "rank", "floor"}},
      {"property", {"name", "key", "unit", "total", "dipole", "sigma", "total_sigma", "dipole_sigma", "optimize", "term"}},
      {"tensor",
       {"name", "key", "kind", "target", "units", "origin", "sigma", "derivatives", "derivatives_sigma", "charges", "optimize", "term"}},
      {"regularization", joined(target_names(), {"scale_with_atoms", "config_type"}, {})},
      {"regularization.config_type.*", target_names()},
      {"optimize", {"objective", "sigma", "delta", "classes", "max_factor", "min_rows", "max_evaluations", "folds", "fold", "weights"}},
      {"optimize.weights", target_names()},
      {"calibration", {"source", "energies", "cautious", "holdout", "rounds", "most_atoms"}},
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
