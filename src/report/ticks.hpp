#pragma once

#include <string>
#include <vector>

namespace gapkit {

struct Tick {
  double value = 0;
  std::string label;  ///< empty for the small ticks between
};

/// Ticks within [minimum, maximum], and what their labels are to be multiplied with ("×10⁻⁴"; empty: nothing).
struct Ticks {
  std::vector<Tick> ticks;
  std::string factor;
};

/// About `wanted` multiples of 1, 2 or 5 times a power of ten. Needs minimum < maximum, both finite.
Ticks linear_ticks(double minimum, double maximum, int wanted, bool integers = false);

/// Powers of ten, with 2 and 5 between if there are few, and small ticks; as linear_ticks within less than 0.7 decades. Needs 0 < minimum <
/// maximum.
Ticks logarithmic_ticks(double minimum, double maximum, int wanted);

/// "10⁻³"
std::string power_of_ten(int exponent);

/// Fixed point with a minus sign that is as wide as a plus.
std::string fixed_number(double value, int decimals);

}  // namespace gapkit
