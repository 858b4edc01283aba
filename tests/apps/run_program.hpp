#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gapkit::test {

struct ProgramResult {
  int exit_code = -1;  ///< −1: ended by a signal
  std::string out, err;
};

/// build/bin/`program`; an absolute path as it is.
std::string program_path(const std::string& program);

/// Runs program_path(`program`) with `arguments` in `folder` and waits for it; stdin is `input`, a file in the folder.
ProgramResult run_program(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                          const std::filesystem::path& input = "/dev/null");

/// Names of the files in a folder, sorted.
std::vector<std::string> files_in(const std::filesystem::path& folder);

}  // namespace gapkit::test
