#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gapkit {

/// A sentence that names the format of a file that is no extended XYZ, and a way to convert it; empty for unknown formats.
///
/// `beginning`: its first bytes (64 KiB suffice); formats without a signature are known by the name of the file.
std::string other_format(const std::filesystem::path& path, std::string_view beginning);

/// The first bytes of a file (64 KiB); empty if it cannot be read.
std::string beginning_of(const std::filesystem::path& path);

/// True if the first line that is not blank is an integer: the number of atoms of an XYZ file.
bool begins_with_atom_count(std::string_view beginning);

}  // namespace gapkit
