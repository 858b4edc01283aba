#include "active/attempt_folders.hpp"

#include <fmt/format.h>

#include <gapkit/active/process.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>

namespace gapkit {
namespace {

namespace fs = std::filesystem;

}  // namespace

void AttemptFolders::prepare() {
  std::error_code error;
  fs::create_directories(parent_, error);
  if (!fs::is_directory(parent_)) throw InputError(fmt::format("cannot create the folder {}: {}", parent_.string(), error.message()));
  for (const auto& entry : fs::directory_iterator(parent_)) {
    const std::string name = entry.path().filename().string();
    if (name.size() == 6 && name.find_first_not_of("0123456789") == std::string::npos) newest_ = std::max(newest_, std::stoi(name));
  }
}

fs::path AttemptFolders::create(const Structure& structure) {
  const fs::path folder = parent_ / fmt::format("{:06d}", ++newest_);
  if (!fs::create_directory(folder)) throw InputError(folder.string() + " exists already; does another program use this folder?");
  Structure question = structure;
  remove_targets(question);
  ExtxyzWriter writer(input_of(folder));
  writer.write(question);
  writer.commit();
  return folder;
}

fs::path input_of(const fs::path& folder) {
  return folder / "input.xyz";
}

fs::path output_of(const fs::path& folder) {
  return folder / "output.xyz";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::vector<std::string> command_in(const std::vector<std::string>& command, const fs::path& folder, const fs::path& here) {
  std::vector<std::string> result;
  for (const std::string& part : command)
    result.push_back(replaced(replaced(replaced(part, "{input}", input_of(folder).string()), "{output}", output_of(folder).string()),
                              "{here}", here.string()));
  return result;
}

std::vector<std::string> with_program(const std::vector<std::string>& command, const std::string& key, const fs::path& here) {
  if (command.empty()) throw InputError(fmt::format("labeller: {} is empty, expected a program and its arguments", key));
  std::vector<std::string> found = command;
  try {
    found[0] = find_program(replaced(command[0], "{here}", fs::absolute(here).string()), here).string();
  } catch (const InputError& e) {
    throw InputError(fmt::format("labeller: {}: {}", key, e.what()));
  }
  return found;
}

void check_placeholders(const std::vector<std::string>& command, const std::string& key) {
  for (const char* placeholder : {"{input}", "{output}"}) {
    bool found = false;
    for (const std::string& part : command) found = found || part.find(placeholder) != std::string::npos;
    if (!found) throw InputError(fmt::format("labeller: {} has no {}, the program needs the name of that file", key, placeholder));
  }
}

void check_numbers(const LabellerOptions& o) {
  if (!(o.timeout > 0)) throw InputError(fmt::format("labeller: timeout is {} s, expected a positive number", o.timeout));
  if (o.retries < 0 || o.retries > 1000) throw InputError(fmt::format("labeller: retries is {}, expected 0 to 1000", o.retries));
  if (o.parallel_jobs < 1 || o.parallel_jobs > 10000)
    throw InputError(fmt::format("labeller: parallel_jobs is {}, expected 1 to 10000", o.parallel_jobs));
}

LabellerOptions with_absolute_folders(LabellerOptions options) {
  options.working_directory = fs::absolute(options.working_directory).lexically_normal();
  options.here = fs::absolute(options.here).lexically_normal();
  return options;
}

}  // namespace gapkit
