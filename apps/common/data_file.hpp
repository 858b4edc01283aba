#pragma once

#include <string>

namespace gapkit::apps {

/// True for extended XYZ: by its ending (.xyz, .extxyz, .exyz), or because it begins with a number of atoms; and for files of known formats
/// that ASE reads, if they are read through it (ase_files.hpp).
/// Throws InputError, with how to convert it, for a file of a known format that no program here reads.
bool is_data(const std::string& file);

}  // namespace gapkit::apps
