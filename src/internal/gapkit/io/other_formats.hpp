#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gapkit {

/// The format of a file that is no extended XYZ.
struct OtherFormat {
  std::string sentence;         ///< names the format and a way to convert the file; empty for unknown formats
  std::string kind = {};        ///< "a trajectory of ASE", of a format that ASE reads; else empty
  std::string ase_format = {};  ///< ASE's name of the format; empty if the name of the file shows it
};

/// `beginning`: the first bytes of the file (64 KiB suffice); formats without a signature are known by the name of the file.
OtherFormat other_format(const std::filesystem::path& path, std::string_view beginning);

/// Whether the name ends with .xyz, .extxyz or .exyz, in any case.
bool has_xyz_name(const std::filesystem::path& path);

/// The first bytes of a file (64 KiB); empty if it cannot be read.
std::string beginning_of(const std::filesystem::path& path);

/// True if the first line that is not blank is an integer: the number of atoms of an XYZ file.
bool begins_with_atom_count(std::string_view beginning);

}  // namespace gapkit
