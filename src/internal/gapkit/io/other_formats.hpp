#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gapkit {

/// A sentence on what a file is if it is no extended XYZ but something known, and how to convert it; empty if it is nothing known.
///
/// `beginning`: its first bytes (64 KiB are plenty); the name counts where the bytes say nothing.
std::string other_format(const std::filesystem::path& path, std::string_view beginning);

/// The first bytes of a file (64 KiB); empty if it cannot be read.
std::string beginning_of(const std::filesystem::path& path);

/// True if the first line that is not blank is an integer: the number of atoms of an XYZ file.
bool begins_with_atom_count(std::string_view beginning);

}  // namespace gapkit
