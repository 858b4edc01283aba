#pragma once

#include <string>
#include <vector>

namespace gapkit {

struct Tick {
  double value = 0;
  std::string label;  ///< empty for small ticks
};

/// Ticks within [minimum, maximum], and the common factor of their labels ("×10⁻⁴"; empty: 1).
struct Ticks {
  std::vector<Tick> ticks;
  std::string factor;
};

/// About `wanted` multiples of 1, 2 or 5 times a power of ten. Needs minimum < maximum, both finite.
Ticks linear_ticks(double minimum, double maximum, int wanted, bool integers = false);

/// Powers of ten, with 2 and 5 between if there are few, and small ticks; linear_ticks below 0.7 decades. Needs 0 < minimum <
/// maximum.
Ticks logarithmic_ticks(double minimum, double maximum, int wanted);

/// "10⁻³"
std::string power_of_ten(int exponent);

/// Fixed point, with the sign U+2212 for negative numbers.
std::string fixed_number(double value, int decimals);

}  // namespace gapkit
