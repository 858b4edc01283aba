#pragma once

#include <gapkit/core/parameters.hpp>
#include <map>

#include "convert/quip_options.hpp"

namespace gapkit {

/// A descriptor string of QUIP ("soap l_max=8 … Z=14 species_Z={14 6}") in gapkit's terms.
struct QuipDescriptor {
  std::string quip_name;                ///< "soap", "distance_2b", "angle_3b", or one that gapkit does not have
  std::string name;                     ///< of gapkit's descriptor; empty if gapkit has none
  Parameters parameters;                ///< of gapkit's descriptor, complete unless there are problems
  std::vector<int> species;             ///< the combination in gapkit's order: {Z}, {Z1, Z2} or {Z, Z1, Z2}; empty if not given
  std::vector<int> neighbor_species;    ///< of SOAP, in the order of species_Z; empty if not given
  std::vector<QuipOption> fit_options;  ///< delta, n_sparse, …: under the first of their names
  std::vector<std::string> given;       ///< names of the parameters that the string gives; the others are defaults
  std::optional<int> gap_version;       ///< xml_version in the string: see apply_gap_version
  bool counts_pairs_once = false;       ///< distance_Nb with compact_clusters=F: a bond is one environment; in gapkit two
  bool is_complete = true;              ///< false: an option without default is missing, or cannot be read
  std::vector<std::string> problems;    ///< options that gapkit cannot represent: "radial_basis=GTO: …"

  const QuipOption* find_fit_option(std::string_view key) const;
};

/// Options that gapkit cannot represent become `problems`. Throws InputError (beginning with `where`) for a string that is not of QUIP's
/// form.
QuipDescriptor read_quip_descriptor(std::string_view text, const std::string& where);

/// Versions of GAP before which SOAP was different: the density of the centre was in the channels of all elements; the power spectrum was
/// not divided by √(2l+1).
inline constexpr int gap_version_of_own_channel = 1426512068;
inline constexpr int gap_version_of_divided_spectrum = 1423143769;
/// Version from which on distance_Nb without compact_clusters means compact_clusters=T; F before.
inline constexpr int gap_version_of_compact_clusters = 1596837814;

/// Sets the SOAP, and the default of compact_clusters, of this version of GAP. Adds a problem if the string asks for another.
void apply_gap_version(QuipDescriptor& descriptor, int version);

/// "key=value", as messages name an option.
std::string option_text(const QuipOption& option);

}  // namespace gapkit
