#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace gapkit {

/// Facts of the training data that a command line of gap_fit leaves open.
struct GapFitData {
  std::set<int> elements;
  std::set<std::string> keys;                                 ///< of fields and columns
  std::map<std::string, std::set<std::string>> keys_of_type;  ///< by config type; frames without one are "default"
  std::map<int, double> isolated;                             ///< energies of atoms without neighbours, eV, by element
  std::optional<double> mean_energy;                          ///< mean over the frames with an energy of energy/atoms, eV

  bool has(const std::string& key) const { return keys.count(key) > 0; }
};

/// Names of fields, and the distance within which an atom has neighbours, Å.
struct GapFitNames {
  std::string energy, config_type;
  double cutoff = 0;
};

/// Reads the file once; nothing if there is no such file. Throws InputError for a file that is not extended XYZ.
std::optional<GapFitData> look_into_gap_fit_data(const std::filesystem::path& path, const GapFitNames& names);

}  // namespace gapkit
