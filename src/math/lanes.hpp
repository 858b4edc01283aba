#pragma once

// Eight numbers that are worked on at once, in the vector notation that GCC and Clang share: one register with AVX-512, two with AVX2,
// four with SSE2. Files that are compiled for several instruction sets include this, so everything has internal linkage. Packs are never
// passed or returned by value: how that is done depends on the instruction set.

namespace gapkit::lanes {

inline constexpr int width = 8;
typedef double Pack __attribute__((vector_size(width * sizeof(double))));
typedef double PackAnywhere __attribute__((vector_size(width * sizeof(double)), aligned(sizeof(double)), may_alias));

static inline __attribute__((always_inline)) const PackAnywhere& load(const double* from) {
  return *reinterpret_cast<const PackAnywhere*>(from);
}

static inline __attribute__((always_inline)) void store(double* to, const Pack& value) {
  *reinterpret_cast<PackAnywhere*>(to) = value;
}

}  // namespace gapkit::lanes
