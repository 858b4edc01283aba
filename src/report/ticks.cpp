#include "report/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gapkit {
namespace {

// The smallest multiple by 1, 2, 5 or 10 of a power of ten that is at least `rough`.
double round_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

int decimals_of(double step) {
  return std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
}

}  // namespace

std::string fixed_number(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool is_zero = text.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !is_zero ? "−" + text : text;
}

std::string power_of_ten(int exponent) {
  static const char* const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "10⁻" : "10";
  for (const char c : std::to_string(std::abs(exponent))) text += digits[c - '0'];
  return text;
}

Ticks linear_ticks(double minimum, double maximum, int wanted, bool integers) {
  double step = round_step((maximum - minimum) / std::max(1, wanted));
  if (integers) step = std::max(1.0, std::round(step));
  Ticks result;
  const double largest = std::max(std::abs(minimum), std::abs(maximum));
  int exponent = 0;
  if (!integers && (largest >= 1e5 || largest < 1e-2)) exponent = static_cast<int>(std::floor(std::log10(largest)));
  const double unit = std::pow(10.0, exponent);
  if (exponent != 0) result.factor = "×" + power_of_ten(exponent);
  const int decimals = integers ? 0 : decimals_of(step / unit);
  // Counted in steps: 0 is exactly 0, and rounding errors do not add up.
  const double slack = 1e-9;
  const double first = std::ceil(minimum / step - slack), last = std::floor(maximum / step + slack);
  for (double i = first; i <= last && result.ticks.size() < 100; ++i) {
    const double value = std::clamp(i * step, minimum, maximum);
    result.ticks.push_back({value, fixed_number(i * step / unit, decimals)});
  }
  return result;
}

Ticks logarithmic_ticks(double minimum, double maximum, int wanted) {
  const double slack = 1e-9;
  const int first = static_cast<int>(std::floor(std::log10(minimum))), last = static_cast<int>(std::ceil(std::log10(maximum)));
  const double decades = std::log10(maximum / minimum);
  if (decades < 0.7) return linear_ticks(minimum, maximum, wanted);
  const int every = std::max(1, static_cast<int>(std::ceil(decades / std::max(1, wanted))));
  const bool plain = minimum >= 0.9e-3 && maximum <= 1.1e4;
  Ticks result;
  for (int k = first; k <= last; ++k)
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * std::pow(10.0, k);
      if (value < minimum * (1 - slack) || value > maximum * (1 + slack)) continue;
      const bool has_label = (digit == 1 && k % every == 0) || (decades < 1.7 && (digit == 2 || digit == 5));
      if (!has_label && every > 1 && digit != 1) continue;
      std::string label;
      if (has_label) {
        if (plain)
          label = fixed_number(value, std::max(0, -k));
        else
          label = digit == 1 ? power_of_ten(k) : fmt::format("{}·{}", digit, power_of_ten(k));
      }
      result.ticks.push_back({std::clamp(value, minimum, maximum), label});
    }
  return result;
}

}  // namespace gapkit
