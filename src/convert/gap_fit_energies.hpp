#pragma once

#include "convert/gap_fit_data.hpp"
#include "convert/gap_fit_lines.hpp"

namespace gapkit {

/// e0, e0_method and e0_offset of a command line.
struct GapFitEnergies {
  std::optional<QuipOption> e0, method, offset;
  bool has_core = false;  ///< another potential is subtracted first
};

/// Writes [reference_energies]. `train`: name of the data; `named`: elements that the descriptors name, if there are no data to look at.
/// Throws InputError for options that are not of gap_fit's form.
void write_gap_fit_energies(const GapFitEnergies& given, const std::optional<GapFitData>& data, const std::string& train,
                            const std::set<int>& named, GapFitLines& out);

}  // namespace gapkit
