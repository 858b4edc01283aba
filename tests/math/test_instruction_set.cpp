#include <gapkit/core/errors.hpp>
#include <gapkit/math/instruction_set.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("GAPKIT_ISA: names of instruction sets, and one sentence for any other") {
  CHECK(instruction_set_named("portable") == InstructionSet::portable);
  CHECK(has_instruction_set(instruction_set_named("")));
  for (const InstructionSet set : instruction_sets) {
    const std::string name = instruction_set_name(set);
    CAPTURE(name);
    if (has_instruction_set(set)) {
      CHECK(instruction_set_named(name) == set);
      CHECK(set <= instruction_set_named(""));  // which is the best
    } else {
      CHECK(message_of<InputError>([&] { instruction_set_named(name); }).find("lacks; it has portable") != std::string::npos);
    }
  }
  for (const char* name : {"sse9", "AVX2", "avx512 ", "native"}) {
    const std::string message = message_of<InputError>([&] { instruction_set_named(name); });
    CHECK(message.find("GAPKIT_ISA is '" + std::string(name) + "'") != std::string::npos);
    CHECK(message.find("expected portable, avx2 or avx512") != std::string::npos);
  }
}
