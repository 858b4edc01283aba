#pragma once

#include <filesystem>
#include <string>

namespace gapkit::apps {

/// Writes a text file that appears under `path` only when it is complete: temporary file beside it, flushed to disk, renamed.
/// Throws InputError with the system's reason.
void write_text_file(const std::filesystem::path& path, const std::string& text);

/// Throws InputError now, rather than after hours of work, if `path` cannot be created: its folder is missing or not writable, or
/// `path` is itself a folder. `option` ("-o") begins the message.
void check_can_be_written(const std::filesystem::path& path, const std::string& option);

/// Throws InputError if `output` is the same file as `input`.
void check_differs(const std::filesystem::path& output, const std::string& option, const std::filesystem::path& input);

}  // namespace gapkit::apps
