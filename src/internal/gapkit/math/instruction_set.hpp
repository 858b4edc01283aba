#pragma once

#include <string>

namespace gapkit {

/// Instruction sets that hot loops are compiled for (src/CMakeLists.txt: gapkit_vector_loops).
enum class InstructionSet { portable, avx2, avx512 };
inline constexpr InstructionSet instruction_sets[] = {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512};
const char* instruction_set_name(InstructionSet set);

/// The instruction set in use; the environment variable GAPKIT_ISA can select it.
InstructionSet instruction_set();
/// The best one of this processor for "", else the one with this name. Throws InputError if the name is unknown or the processor lacks it.
InstructionSet instruction_set_named(const std::string& name);

/// Of hot loops compiled for each instruction set: those of the one in use.
template <class Loops>
const Loops& loops_in_use(const Loops& portable, const Loops& avx2, const Loops& avx512) {
  switch (instruction_set()) {
    case InstructionSet::avx512:
      return avx512;
    case InstructionSet::avx2:
      return avx2;
    default:
      return portable;
  }
}

/// Whether this processor has it.
bool has_instruction_set(InstructionSet set);
/// Selects another one, for tests that compare them; not while other threads compute.
void use_instruction_set(InstructionSet set);

}  // namespace gapkit
