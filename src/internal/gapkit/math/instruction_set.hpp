#pragma once

#include <string>

namespace gapkit {

/// Instruction sets that hot loops are compiled for (src/CMakeLists.txt: gapkit_vector_loops).
enum class InstructionSet { portable, avx2, avx512 };
inline constexpr InstructionSet instruction_sets[] = {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512};
const char* instruction_set_name(InstructionSet set);

/// The one in use: the one that the environment variable GAPKIT_ISA names.
InstructionSet instruction_set();
/// The best that this processor has for "", else the one of that name. Throws InputError if there is no such one, or the processor lacks
/// it.
InstructionSet instruction_set_named(const std::string& name);

/// Whether this processor has it.
bool has_instruction_set(InstructionSet set);
/// Another one from now on, for tests that compare them; not while other threads compute.
void use_instruction_set(InstructionSet set);

}  // namespace gapkit
