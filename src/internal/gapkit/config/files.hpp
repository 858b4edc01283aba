#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace gapkit {

/// Absolute, without "." and "..": `text` relative to `folder`, `folder` relative to the current folder.
std::string resolved_path(const std::string& text, const std::filesystem::path& folder);

/// Why `path` cannot be read as a file ("No such file or directory", "is a folder"); empty if it can.
std::string why_not_a_file(const std::string& path);

/// Files in the order of `patterns`; those that match one glob (*, ?, [..] in any part of the path) in the order of their bytes.
/// A name that exists as it stands is no glob. A file that a glob matches but that is listed already counts once.
/// Calls `fail` with a sentence if a pattern matches nothing.
std::vector<std::string> expanded_files(const std::vector<std::string>& patterns, const std::filesystem::path& folder,
                                        const std::function<void(const std::string&)>& fail);

}  // namespace gapkit
