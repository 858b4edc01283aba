#pragma once

#include <string>

namespace gapkit {

/// Numbers with a unit, as options of programs give them.
enum class QuantityKind {
  duration,  ///< seconds; units s, m, h; more than 0
  interval,  ///< the same, or 0
  memory     ///< GB (10⁹ bytes); units MB, GB, TB; more than 0
};

/// "90", "90s", "10m", "2h" → seconds; "4", "4GB", "500MB" → GB. `where` ("--time") begins the message. Throws InputError if the text is
/// not such a number, or if it is not finite, negative or too large to mean anything.
double parse_quantity(const std::string& text, QuantityKind kind, const std::string& where);

}  // namespace gapkit
