#include "bad_inputs/bad_inputs.hpp"

namespace gapkit::test {

std::vector<BadInput> bad_configurations() {
  const auto change = [](const std::string& from, const std::string& to) { return [=](Inputs& in) { in.configure(from, to); }; };
  return {
      {"not TOML", change("[data]", "[data"), Answer::refused, "fit.toml:1"},
      {"an XYZ file as configuration", [](Inputs& in) { in.configuration = "1\ncomment\nSi 0 0 0\n"; }, Answer::refused, "fit.toml:"},
      {"unknown key", change("n_sparse = 8", "n_spasre = 8"), Answer::refused,
       "unknown key 'n_spasre' in [[term]]; did you mean 'n_sparse'?"},
      {"unknown section", change("[regularization]", "[regularisation]"), Answer::refused, "did you mean 'regularization'?"},
      {"no term", [](Inputs& in) { in.configuration = "[data]\ntrain = [\"train.xyz\"]\n"; }, Answer::refused, "no [[term]]"},
      {"no training data", change("train = [\"train.xyz\"]", ""), Answer::refused, "'train' is missing or empty"},
      {"sigma 0", change("energy = 0.002", "energy = 0"), Answer::refused,
       "'energy' is the integer 0, expected a number larger than 0 (eV)"},
      {"sigma negative", change("force = 0.1", "force = -0.1"), Answer::refused,
       "'force' is the number -0.1, expected a number larger than 0"},
      {"sigma NaN", change("virial = 0.1", "virial = nan"), Answer::refused, "'virial' is the number nan"},
      {"n_sparse 0", change("n_sparse = 8", "n_sparse = 0"), Answer::refused, "'n_sparse' is the integer 0, expected at least 1"},
      {"cutoff negative", change("cutoff = 4.5", "cutoff = -4.5"), Answer::refused, "'cutoff' is -4.5, expected more than 0 Å"},
      {"unknown descriptor", change("\"soap\"", "\"saop\""), Answer::refused, "unknown descriptor 'saop'; did you mean 'soap'?"},
      {"unknown target", change("[data]", "[data]\nuse = [\"energies\"]"), Answer::refused, "'use' contains 'energies'"},
      {"n_sparse above the number of environments", change("n_sparse = 8", "n_sparse = 500"), Answer::warning,
       "n_sparse is 500, but there are only"},
      {"a term for an element that is not there", change("n_sparse = 8", "n_sparse = 8\nspecies = [\"Ge\"]"), Answer::error,
       "term 'soap': element Ge does not occur in the training data"},
      {"sigma for a config type that is not there",
       [](Inputs& in) { in.configuration += "[regularization.config_type.strian]\nenergy = 0.1\n"; }, Answer::warning,
       "[regularization.config_type] names the config type 'strian', which no training frame has; did you mean 'strain'?"},
      {"sparse points from a config type that is not there", change("n_sparse = 8", "n_sparse = 8\nconfig_type_n_sparse = { strian = 2 }"),
       Answer::error, "config_type_n_sparse names config type 'strian'"},
      {"config types that differ in case", [](Inputs& in) { in.frame(9).set_field("config_type", std::string("MD")); }, Answer::warning,
       "the config types 'MD' and 'md' differ in upper and lower case only; are they one?"},
      {"no reference energy for an element", change("mode = \"isolated\"", "mode = \"explicit\"\nexplicit = { Ge = -1.0 }"), Answer::error,
       "[reference_energies] explicit has no value for Si"},
      {"more memory than allowed", [](Inputs&) {}, Answer::error, "more than the", {"--memory", "1e-6"}},
      {"configuration missing", [](Inputs&) {}, Answer::refused, "--tarin", {"--tarin", "train.xyz"}},
      {"seed negative", [](Inputs&) {}, Answer::refused, "--seed", {"--seed", "-1"}},
      {"threads not a number", [](Inputs&) {}, Answer::refused, "--threads", {"--threads", "many"}},
      {"the report overwrites the data",
       [](Inputs&) {},
       Answer::refused,
       "this is an input file, which would be overwritten",
       {"--json", "train.xyz"}},
      {"the report in a folder that does not exist",
       [](Inputs&) {},
       Answer::refused,
       "the folder 'nowhere' does not exist",
       {"--json", "nowhere/report.json"}},
  };
}

}  // namespace gapkit::test
