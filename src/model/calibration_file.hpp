#pragma once

#include <gapkit/io/archive.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Whether earlier versions would take the factors for those of C.
bool needs_new_format(const Calibration& calibration);
/// Whether error bars need the powers of a cautious calibration.
bool is_cautious(const Calibration& calibration);
/// The file has these arrays only if the model has a calibration.
void save_calibration(ArchiveWriter& archive, const Calibration& calibration);
/// Absent if the file has none. Throws InputError, beginning with `where`, if it does not fit a model of `points` sparse points.
std::optional<Calibration> load_calibration(const ArchiveReader& archive, const std::string& where, Eigen::Index points);

}  // namespace gapkit
