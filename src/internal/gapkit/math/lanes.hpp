#pragma once

// Eight numbers that are worked on at once, in the vector notation that GCC and Clang share: one register with AVX-512, two with AVX2,
// four with SSE2. Files that are compiled for several instruction sets include this, so everything has internal linkage. Packs are never
// passed or returned by value: how that is done depends on the instruction set.

namespace gapkit::lanes {

inline constexpr int width = 8;
typedef double Pack __attribute__((vector_size(width * sizeof(double))));  // NOLINT(modernize-use-using)
// A typedef, for Clang leaves out `aligned` in an alias.
// NOLINTNEXTLINE(modernize-use-using)
typedef double PackAnywhere __attribute__((vector_size(width * sizeof(double)), aligned(sizeof(double)), may_alias));
static_assert(alignof(PackAnywhere) == alignof(double));

static inline __attribute__((always_inline)) void store(double* to, const Pack& value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

}  // namespace gapkit::lanes

/// Eight numbers at any address. A macro, because a function would return a Pack, or a reference that Clang binds to a temporary.
#define GAPKIT_LOAD(from) (*reinterpret_cast<const gapkit::lanes::PackAnywhere*>(from))
