#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <gapkit/math/instruction_set.hpp>

#include "support/support.hpp"

// The exit code that means "skipped" to ctest (CMakeLists.txt).
constexpr int skipped = 77;

int main(int argc, char** argv) {
  const char* wanted = std::getenv("GAPKIT_ISA");
  for (const gapkit::InstructionSet set : gapkit::instruction_sets)
    if (wanted != nullptr && std::string(wanted) == instruction_set_name(set) && !has_instruction_set(set)) {
      std::printf("skipped: this processor lacks %s\n", wanted);
      return skipped;
    }
  // The ctest of the layer itself runs with this set.
  if (wanted != nullptr && std::getenv("GAPKIT_OTHER_ISA_ONLY") != nullptr &&
      gapkit::instruction_set_named(wanted) == gapkit::instruction_set_named("")) {
    std::printf("skipped: the ctest without a given instruction set has %s\n", wanted);
    return skipped;
  }
  doctest::Context context(argc, argv);
  const int result = context.run();
  for (const std::string& data : gapkit::test::missing_data()) std::printf("skipped: the tests that need %s\n", data.c_str());
  // ctest must not report these tests as passed if they were the only ones.
  const std::string suite = std::string("--test-suite=") + gapkit::test::beside_checkout;
  const bool only_these = std::any_of(argv + 1, argv + argc, [&](const char* argument) { return argument == suite; });
  return result == 0 && only_these && !gapkit::test::missing_data().empty() ? skipped : result;
}
