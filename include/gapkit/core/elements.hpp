#pragma once

#include <string>
#include <string_view>

namespace gapkit {

inline constexpr int largest_atomic_number = 118;

/// Chemical symbol of an atomic number (1 … 118). Throws InputError outside.
const std::string& element_symbol(int atomic_number);

/// Atomic number of a chemical symbol ("Si", any case). Throws InputError with the nearest symbol if unknown.
int atomic_number(std::string_view symbol);

/// The same; 0 if the symbol is unknown.
int find_atomic_number(std::string_view symbol);

}  // namespace gapkit
