#pragma once

#include <filesystem>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

namespace gapkit::apps {

/// Writes a text file that appears under `path` when it is complete: temporary file in the same folder, flushed to disk, renamed.
/// Throws InputError with the system's reason.
void write_text_file(const std::filesystem::path& path, const std::string& text);

/// True if the path stands for the standard output: "-".
inline bool is_stdout(const std::filesystem::path& path) {
  return path == "-";
}

/// Redirects std::cout to stderr during its lifetime, for a program that writes a file to the standard output.
class TablesOnStderr {
 public:
  explicit TablesOnStderr(bool is_wanted);
  ~TablesOnStderr();
  TablesOnStderr(const TablesOnStderr&) = delete;
  TablesOnStderr& operator=(const TablesOnStderr&) = delete;

 private:
  std::streambuf* before_ = nullptr;
};

/// check_can_be_written for files that may go to the standard output.
void check_text_output(const std::filesystem::path& path, const std::string& option);

/// Throws InputError before the work begins if `path` cannot be created: its folder is missing or not writable, or
/// `path` is itself a folder or the standard output. `option` ("-o") begins the message.
void check_can_be_written(const std::filesystem::path& path, const std::string& option);

/// check_can_be_written for files that are renamed into place when complete (models, checkpoints): no devices, pipes or sockets.
void check_can_be_replaced(const std::filesystem::path& path, const std::string& option);

/// Throws InputError if `output` is the same file as `input`.
void check_differs(const std::filesystem::path& output, const std::string& option, const std::filesystem::path& input);

/// Throws InputError if two of the outputs (option, path) are the same file: one would replace the other.
void check_distinct(const std::vector<std::pair<std::string, std::string>>& outputs);

}  // namespace gapkit::apps
