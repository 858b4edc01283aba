#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gapkit {

/// What a file is that is no extended XYZ.
struct OtherFormat {
  std::string sentence;  ///< what it is, and how to convert it; empty if it is nothing known
  bool is_read_by_ase = false;
  std::string ase_format = {};  ///< ASE's name of the format; empty where the name of the file says it
};

/// `beginning`: the first bytes of the file (64 KiB are plenty); the name counts where they say nothing.
OtherFormat other_format(const std::filesystem::path& path, std::string_view beginning);

/// Whether it is called .xyz, .extxyz or .exyz, in any case.
bool has_xyz_name(const std::filesystem::path& path);

/// The first bytes of a file (64 KiB); empty if it cannot be read.
std::string beginning_of(const std::filesystem::path& path);

/// True if the first line that is not blank is an integer: the number of atoms of an XYZ file.
bool begins_with_atom_count(std::string_view beginning);

}  // namespace gapkit
