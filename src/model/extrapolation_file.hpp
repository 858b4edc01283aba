#pragma once

#include <gapkit/io/archive.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Whether an element has a threshold of the full spectrum.
bool has_full_novelty(const std::vector<ExtrapolationThreshold>& thresholds);
/// The file has these arrays only if there are thresholds; earlier versions ignore them.
void save_extrapolation(ArchiveWriter& archive, const std::vector<ExtrapolationThreshold>& thresholds);
/// Empty if the file has none. Throws InputError, beginning with `where`, if they are no thresholds.
std::vector<ExtrapolationThreshold> load_extrapolation(const ArchiveReader& archive, const std::string& where);

}  // namespace gapkit
