#pragma once

#include <string>

namespace gapkit::apps {

/// True for extended XYZ: by its ending (.xyz, .extxyz, .exyz), or because it begins with a number of atoms; and for files of known formats
/// that ASE reads, if a converter is set (ase_files.hpp).
/// Throws InputError with the conversion command for a file of a known format that gapkit does not read.
bool is_data(const std::string& file);

}  // namespace gapkit::apps
