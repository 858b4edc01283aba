#pragma once

#include <gapkit.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <gapkit/core/elements.hpp>
#include <gapkit/model/model.hpp>

#include "c/failure.hpp"

namespace gapkit::c {

/// Throws Failure if a required argument is null.
void require_pointer(const void* pointer, const char* name);
/// Throws Failure if a number of atoms is negative.
void require_count(int count, const char* name);
/// Throws Failure with the first of `atoms` × 3 numbers that is not finite, if any.
void require_finite(const double* positions, int atoms);

/// The atomic numbers that a model knows.
class KnownElements {
 public:
  explicit KnownElements(const Model& model);
  /// Throws Failure with the first atomic number that the model does not know.
  void require(const int* atomic_numbers, int atoms) const;

 private:
  std::array<bool, largest_atomic_number + 1> is_known_ = {};
  std::string names_;
};

/// Throws Failure: no structure of this interface has this `size`.
[[noreturn]] void fail_on_size(std::size_t size, std::size_t expected, const char* name);

/// Bytes of a structure in the first version of the interface; members that came later follow.
template <class Given>
inline constexpr std::size_t first_size = sizeof(Given);
template <>
inline constexpr std::size_t first_size<gapkit_results> = offsetof(gapkit_results, extrapolation);

/// Copy of a structure of the C interface. One of a program compiled for an earlier version lacks the last members, which are zero then. A
/// program compiled for a later version of the library may pass a longer one, if it sets the
/// members that this version does not know to zero.
template <class Given>
Given read_argument(const Given* given, const char* name) {
  require_pointer(given, name);
  const std::size_t size = given->size;
  if (size < first_size<Given>) fail_on_size(size, sizeof(Given), name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  constexpr std::size_t longest = 64 * 1024;  // larger values are no sizes
  if (size > longest) fail_on_size(size, sizeof(Given), name);
  for (std::size_t i = sizeof(Given); i < size; ++i)
    if (bytes[i] != 0) fail_on_size(size, sizeof(Given), name);
  Given result = {};
  std::memcpy(&result, given, std::min(size, sizeof(Given)));
  return result;
}

}  // namespace gapkit::c
