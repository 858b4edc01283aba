#include "c/checks.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gapkit::c {

void require_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) throw Failure(GAPKIT_ERROR_INPUT, fmt::format("{} is NULL", name));
}

void require_count(int count, const char* name) {
  if (count < 0) throw Failure(GAPKIT_ERROR_INPUT, fmt::format("{} is {}, expected 0 or more", name, count));
}

void require_finite(const double* positions, int atoms) {
  for (std::size_t i = 0; i < 3 * static_cast<std::size_t>(atoms); ++i)
    if (!std::isfinite(positions[i]))
      throw Failure(GAPKIT_ERROR_INPUT, fmt::format("positions[{}][{}] is {}, expected a finite number of Å", i / 3, i % 3, positions[i]));
}

KnownElements::KnownElements(const Model& model) {
  for (const auto& [element, e0] : model.reference_energies) {
    is_known_.at(static_cast<std::size_t>(element)) = true;
    names_ += (names_.empty() ? "" : ", ") + element_symbol(element);
  }
}

void KnownElements::require(const int* atomic_numbers, int atoms) const {
  for (int i = 0; i < atoms; ++i) {
    const int z = atomic_numbers[i];
    const bool exists = z >= 1 && z <= largest_atomic_number;
    if (exists && is_known_[static_cast<std::size_t>(z)]) continue;
    throw Failure(GAPKIT_ERROR_ELEMENT, fmt::format("atomic_numbers[{}] is {}{}, which the model does not know (it knows {})", i, z,
                                                    exists ? fmt::format(" ({})", element_symbol(z)) : "", names_));
  }
}

void fail_on_size(std::size_t size, std::size_t expected, const char* name) {
  throw Failure(GAPKIT_ERROR_VERSION,
                fmt::format("the size in {} is {}, expected {}: set it to the sizeof of the structure, and compile the "
                            "program with the gapkit.h of the library that it uses",
                            name, size, expected));
}

}  // namespace gapkit::c
