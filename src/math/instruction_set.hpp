#pragma once

namespace gapkit {

/// Instruction sets that hot loops are compiled for (src/CMakeLists.txt: gapkit_vector_loops).
enum class InstructionSet { portable, avx2, avx512 };

/// The best one that this processor has; the environment variable GAPKIT_ISA = portable | avx2 | avx512 holds it back.
InstructionSet instruction_set();

}  // namespace gapkit
