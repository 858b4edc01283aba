#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <gapkit/config/files.hpp>
#include <system_error>

namespace gapkit {
namespace {

namespace fs = std::filesystem;

/// `text` such that glob takes it literally.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::vector<std::string> matches(const std::string& pattern, const fs::path& folder) {
  const std::string full = fs::path(pattern).is_absolute() ? pattern : escaped(fs::absolute(folder).string()) + "/" + pattern;
  glob_t found{};
  std::vector<std::string> result;
  if (::glob(full.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) result.push_back(resolved_path(found.gl_pathv[i], folder));
  ::globfree(&found);
  std::erase_if(result, [](const std::string& path) { return !why_not_a_file(path).empty(); });
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

std::string resolved_path(const std::string& text, const fs::path& folder) {
  return (fs::absolute(folder) / text).lexically_normal().string();
}

std::string why_not_a_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return error ? error.message() : "No such file or directory";
  return fs::is_directory(status) ? "is a folder" : "";
}

std::vector<std::string> expanded_files(const std::vector<std::string>& patterns, const fs::path& folder,
                                        const std::function<void(const std::string&)>& fail) {
  std::vector<std::string> files;
  for (const std::string& pattern : patterns) {
    const std::string literal = resolved_path(pattern, folder);
    const std::string reason = why_not_a_file(literal);
    if (reason.empty()) {
      files.push_back(literal);
      continue;
    }
    if (pattern == "-") {
      fail("'-' (the standard input) cannot be read, as a fit reads its data more than once; write them to a file");
      continue;
    }
    if (pattern.find_first_of("*?[") == std::string::npos) {
      fail(fmt::format("the file '{}' cannot be read: {} ({})", pattern, reason, literal));
      continue;
    }
    const auto matching = matches(pattern, folder);
    if (matching.empty()) fail(fmt::format("no file matches '{}' ({})", pattern, literal));
    for (const auto& file : matching)
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }
  return files;
}

}  // namespace gapkit
