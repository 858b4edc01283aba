#pragma once

#include <filesystem>
#include <gapkit/active/labeller.hpp>

namespace gapkit {

/// Folders labels/000001, labels/000002, … of attempts at labels, each with the question as input.xyz and the answer as output.xyz.
class AttemptFolders {
 public:
  explicit AttemptFolders(const std::filesystem::path& parent) : parent_(parent) {}

  /// Creates the parent; numbers continue after the existing folders, because those of failures stay. Throws InputError.
  void prepare();
  /// A new folder with the structure, without its targets, as input.xyz. Throws InputError if the folder exists.
  std::filesystem::path create(const Structure& structure);

 private:
  std::filesystem::path parent_;
  int newest_ = 0;
};

std::filesystem::path input_of(const std::filesystem::path& folder);
std::filesystem::path output_of(const std::filesystem::path& folder);

/// `text` with every `from` replaced by `to`.
std::string replaced(std::string text, const std::string& from, const std::string& to);

/// A command with {input} and {output} of a folder, and {here}, replaced.
std::vector<std::string> command_in(const std::vector<std::string>& command, const std::filesystem::path& folder,
                                    const std::filesystem::path& here);

/// The command with the path of its program. Throws InputError, which names the key: the command is empty, the program is not found.
std::vector<std::string> with_program(const std::vector<std::string>& command, const std::string& key, const std::filesystem::path& here);

/// Throws InputError if a command lacks {input} or {output}.
void check_placeholders(const std::vector<std::string>& command, const std::string& key);

/// Throws InputError for a timeout, retries or number of jobs out of range.
void check_numbers(const LabellerOptions& options);

/// Options with absolute paths of the folders.
LabellerOptions with_absolute_folders(LabellerOptions options);

}  // namespace gapkit
