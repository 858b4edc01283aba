#include "text_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <iostream>

namespace gapkit::apps {

void write_text_file(const std::filesystem::path& path, const std::string& text) {
  TemporaryFile file(path);
  file.append(text);
  file.commit();
}

TablesOnStderr::TablesOnStderr(bool is_wanted) {
  if (is_wanted) before_ = std::cout.rdbuf(std::cerr.rdbuf());
}

TablesOnStderr::~TablesOnStderr() {
  if (before_) std::cout.rdbuf(before_);
}

void check_text_output(const std::filesystem::path& path, const std::string& option) {
  if (!is_stdout(path)) check_can_be_written(path, option);
}

void check_can_be_written(const std::filesystem::path& path, const std::string& option) {
  if (is_stdout(path)) throw InputError(fmt::format("{} -: this file cannot go to the standard output; give it a name", option));
  if (path.empty()) throw InputError(fmt::format("{}: the file name is empty", option));
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw InputError(fmt::format("{} {}: this is a folder; expected a file name", option, path.string()));
  const bool is_there = std::filesystem::exists(path, ignored);
  if (is_there && ::access(path.c_str(), W_OK) != 0)
    throw InputError(fmt::format("{} {}: cannot replace the file: {}", option, path.string(), std::strerror(errno)));
  if (is_there && !std::filesystem::is_regular_file(path, ignored)) return;  // a device
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored))
    throw InputError(fmt::format("{} {}: the folder '{}' does not exist; create it first", option, path.string(), folder.string()));
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw InputError(
        fmt::format("{} {}: cannot write into the folder '{}': {}", option, path.string(), folder.string(), std::strerror(errno)));
  try {
    const TemporaryFile probe(path);  // finds other reasons: a name too long, a folder without support for new files
  } catch (const InputError& e) {
    throw InputError(fmt::format("{} {}", option, e.what()));
  }
}

void check_can_be_replaced(const std::filesystem::path& path, const std::string& option) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status))
    throw InputError(fmt::format("{} {}: this is a device or a pipe, which cannot be replaced by a file; give the name of a file", option,
                                 path.string()));
  check_can_be_written(path, option);
}

void check_differs(const std::filesystem::path& output, const std::string& option, const std::filesystem::path& input) {
  std::error_code ignored;
  if (std::filesystem::equivalent(output, input, ignored))
    throw InputError(fmt::format("{} {}: this is an input file, which would be overwritten; choose another name", option, output.string()));
}

void check_distinct(const std::vector<std::pair<std::string, std::string>>& outputs) {
  const auto resolved = [](const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error), found = std::filesystem::weakly_canonical(whole, error);
    return error ? whole.lexically_normal() : found;  // the folder cannot be entered; check_can_be_written reports it
  };
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!is_stdout(outputs[i].second) && resolved(outputs[i].second) == resolved(outputs[j].second))
        throw InputError(fmt::format("{} and {}: both are {}, so one would replace the other; choose another name", outputs[j].first,
                                     outputs[i].first, outputs[i].second));
}

}  // namespace gapkit::apps
