#include "math/instruction_set.hpp"

#include <cstdlib>
#include <string_view>

namespace gapkit {
namespace {

InstructionSet detect() {
#if defined(__x86_64__)
  const char* variable = std::getenv("GAPKIT_ISA");
  const std::string_view wanted = variable ? variable : "";
  if (wanted == "portable") return InstructionSet::portable;
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if (avx512 && wanted != "avx2") return InstructionSet::avx512;
  if (avx2) return InstructionSet::avx2;
#endif
  return InstructionSet::portable;
}

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet detected = detect();
  return detected;
}

}  // namespace gapkit
