#include <algorithm>
#include <array>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <span>

namespace gapkit {
namespace {

/// Entry z − 1 belongs to atomic number z.
const std::array<std::string, largest_atomic_number>& symbols() {
  static const std::array<std::string, largest_atomic_number> table = {
      "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",  "Cl", "Ar", "K",  "Ca",
      "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr",
      "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd",
      "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg",
      "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm",
      "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};
  return table;
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return upper(x) == upper(y); });
}

}  // namespace

const std::string& element_symbol(int atomic_number) {
  if (atomic_number < 1 || atomic_number > largest_atomic_number)
    throw InputError("atomic number " + std::to_string(atomic_number) + " does not exist, expected 1 to " +
                     std::to_string(largest_atomic_number));
  return symbols()[static_cast<std::size_t>(atomic_number - 1)];
}

int find_atomic_number(std::string_view symbol) {
  const auto& table = symbols();
  const auto found = std::find_if(table.begin(), table.end(), [&](const std::string& s) { return equal_ignoring_case(s, symbol); });
  return found == table.end() ? 0 : static_cast<int>(found - table.begin()) + 1;
}

int atomic_number(std::string_view symbol) {
  const int number = find_atomic_number(symbol);
  if (number > 0) return number;
  const std::string nearest = nearest_name(symbol, symbols());
  throw InputError("unknown chemical element '" + std::string(symbol) + "'" +
                   (nearest.empty() ? ", expected a symbol from H to Og" : "; did you mean '" + nearest + "'?"));
}

}  // namespace gapkit
