#pragma once

// Vectors of numbers in the notation that GCC and Clang share, as wide as the registers: GCC 12 keeps wider ones in memory. Files that are
// compiled for several instruction sets include this, so everything has internal linkage. Packs are never passed or returned by value,
// because the calling convention depends on the instruction set.

#if defined(__AVX512F__)
#define GAPKIT_PACK_BYTES 64
#elif defined(__AVX2__)
#define GAPKIT_PACK_BYTES 32
#else
#define GAPKIT_PACK_BYTES 16
#endif

namespace gapkit::lanes {

// Typedefs, because Clang ignores `aligned` in an alias; specialisations, because GCC ignores attributes of dependent types.
// NOLINTBEGIN(modernize-use-using)
namespace {
template <class Real>
struct Packs;
template <>
struct Packs<double> {
  typedef double Pack __attribute__((vector_size(GAPKIT_PACK_BYTES)));
  typedef double Anywhere __attribute__((vector_size(GAPKIT_PACK_BYTES), aligned(sizeof(double)), may_alias));
  static constexpr int width = GAPKIT_PACK_BYTES / sizeof(double);
};
template <>
struct Packs<float> {
  typedef float Pack __attribute__((vector_size(GAPKIT_PACK_BYTES)));
  typedef float Anywhere __attribute__((vector_size(GAPKIT_PACK_BYTES), aligned(sizeof(float)), may_alias));
  static constexpr int width = GAPKIT_PACK_BYTES / sizeof(float);
};
}  // namespace
typedef Packs<double>::Pack Pack;
// NOLINTEND(modernize-use-using)
static constexpr int width = Packs<double>::width;
static_assert(alignof(Packs<double>::Anywhere) == alignof(double) && alignof(Packs<float>::Anywhere) == alignof(float));

static inline __attribute__((always_inline)) void store(double* to, const Pack& value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

}  // namespace gapkit::lanes

/// A pack at any address. Macros, because a function would return a Pack, or a reference that Clang binds to a temporary.
#define GAPKIT_LOAD(from) (*reinterpret_cast<const gapkit::lanes::Packs<double>::Anywhere*>(from))
/// The same of the type Real.
#define GAPKIT_AT(from) (*reinterpret_cast<const typename gapkit::lanes::Packs<Real>::Anywhere*>(from))
