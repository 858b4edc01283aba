#include <cctype>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/masses.hpp>
#include <set>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("elements: symbol and number are inverse to each other, in any case") {
  std::set<std::string> seen;
  for (int z = 1; z <= largest_atomic_number; ++z) {
    std::string symbol = element_symbol(z);
    CAPTURE(symbol);
    CHECK(seen.insert(symbol).second);
    CHECK(atomic_number(symbol) == z);
    for (char& c : symbol) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    CHECK(find_atomic_number(symbol) == z);
    for (char& c : symbol) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    CHECK(find_atomic_number(symbol) == z);
  }
}

TEST_CASE("elements: landmarks of the periodic table") {
  const std::pair<int, const char*> landmarks[] = {{1, "H"},   {2, "He"},  {6, "C"},    {10, "Ne"},  {14, "Si"}, {18, "Ar"}, {26, "Fe"},
                                                   {36, "Kr"}, {47, "Ag"}, {54, "Xe"},  {57, "La"},  {71, "Lu"}, {74, "W"},  {79, "Au"},
                                                   {86, "Rn"}, {92, "U"},  {103, "Lr"}, {112, "Cn"}, {118, "Og"}};
  for (const auto& [z, symbol] : landmarks) CHECK(element_symbol(z) == symbol);
}

TEST_CASE("elements: unknown elements are refused") {
  for (const int z : {0, -1, 119}) CHECK(message_of<InputError>([&] { element_symbol(z); }).find(std::to_string(z)) != std::string::npos);
  CHECK(find_atomic_number("Xx") == 0);
  CHECK(find_atomic_number("") == 0);
  CHECK(find_atomic_number("Sii") == 0);
  CHECK(message_of<InputError>([] { atomic_number("Sii"); }) == "unknown chemical element 'Sii'; did you mean 'Si'?");
  CHECK(message_of<InputError>([] { atomic_number("qwertz"); }) == "unknown chemical element 'qwertz', expected a symbol from H to Og");
}

TEST_CASE("atomic masses") {
  CHECK(atomic_mass(1) == 1.008);
  CHECK(atomic_mass(6) == 12.011);
  CHECK(atomic_mass(14) == 28.085);
  CHECK(atomic_mass(42) == 95.95);
  CHECK(atomic_mass(79) == 196.97);
  CHECK(atomic_mass(92) == 238.03);
  CHECK(atomic_mass(118) == 294);
  for (int z = 2; z <= 118; ++z) {
    CAPTURE(z);
    CHECK(atomic_mass(z) > 1.98 * z);
    CHECK(atomic_mass(z) < 2.66 * z);
    if (z > 2) CHECK(atomic_mass(z) >= atomic_mass(z - 2));
  }
  CHECK_THROWS_AS(atomic_mass(0), InputError);
  CHECK_THROWS_AS(atomic_mass(119), InputError);
}
