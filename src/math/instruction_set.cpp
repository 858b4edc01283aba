#include <cstdlib>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/instruction_set.hpp>

namespace gapkit {
namespace {

InstructionSet& chosen() {
  static InstructionSet set = [] {
    const char* variable = std::getenv("GAPKIT_ISA");
    return instruction_set_named(variable != nullptr ? variable : "");
  }();
  return set;
}

}  // namespace

InstructionSet instruction_set_named(const std::string& name) {
  InstructionSet best = InstructionSet::portable;
  std::string present;
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) continue;
    best = set;
    present += (present.empty() ? "" : ", ") + std::string(instruction_set_name(set));
  }
  if (name.empty()) return best;
  for (const InstructionSet set : instruction_sets) {
    if (name != instruction_set_name(set)) continue;
    if (has_instruction_set(set)) return set;
    throw InputError("the environment variable GAPKIT_ISA is '" + name + "', which this processor lacks; it has " + present);
  }
  throw InputError("the environment variable GAPKIT_ISA is '" + name + "', expected portable, avx2 or avx512, or no such variable");
}

const char* instruction_set_name(InstructionSet set) {
  return set == InstructionSet::avx512 ? "avx512" : set == InstructionSet::avx2 ? "avx2" : "portable";
}

bool has_instruction_set([[maybe_unused]] InstructionSet set) {
  if (set == InstructionSet::portable) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (set == InstructionSet::avx2 || !avx2) return avx2;
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw");
#else
  return false;
#endif
}

InstructionSet instruction_set() {
  return chosen();
}

void use_instruction_set(InstructionSet set) {
  if (!has_instruction_set(set)) throw Error(std::string("this processor lacks ") + instruction_set_name(set));
  chosen() = set;
}

}  // namespace gapkit
