#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/run_program.hpp"
#include "support/support.hpp"

namespace gapkit::test {

/// A copy of tests/data/cases/`name` in a temporary folder, in which programs may write.
class Case {
 public:
  explicit Case(const std::string& name);

  const std::filesystem::path& folder() const { return folder_.path(); }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder());
  }

 private:
  TemporaryFolder folder_;
};

/// Path of a model fitted to tests/data/cases/base; fitted once in each run of the tests.
const std::filesystem::path& base_model();

}  // namespace gapkit::test
