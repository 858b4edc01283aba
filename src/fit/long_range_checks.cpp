#include "fit/long_range_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <numeric>

namespace gapkit {
namespace {

constexpr const char* total_charge_key = "total_charge";
constexpr double charge_tolerance = 0.01;  // e

std::optional<double> total_charge(const Structure& s) {
  const Field* field = s.find_field(total_charge_key);
  if (!field) return std::nullopt;
  if (const auto* real = std::get_if<double>(&field->value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&field->value)) return static_cast<double>(*integer);
  return std::nullopt;
}

void check_charges(const Structure& s, const std::vector<double>& charges, Findings& findings) {
  const double sum = std::accumulate(charges.begin(), charges.end(), 0.0);
  const std::optional<double> given = total_charge(s);
  const auto directions = s.cell ? std::count(s.pbc.begin(), s.pbc.end(), true) : 0;
  if (given && !(std::abs(sum - *given) <= charge_tolerance))
    findings.warning(
        "charges", fmt::format("{}: the charges of [[long_range]] sum to {:.4g} e, but the key {} is {:.4g}; correct one of them", s.source,
                               sum, total_charge_key, *given));
  if (std::abs(sum) <= charge_tolerance || directions == 0) return;
  if (directions == 1)
    findings.error("charges",
                   fmt::format("{}: the charges of [[long_range]] sum to {:.4g} e, and a charged wire (one periodic direction) has "
                               "no Coulomb energy; take the frame out, or set pbc to true in another direction",
                               s.source, sum));
  else if (!given)
    findings.warning(
        "charges",
        fmt::format("{}: the charges of [[long_range]] sum to {:.4g} e in a periodic cell; {}, and its energy does not compare "
                    "with cells of other sizes: are the charges right for this composition?",
                    s.source, sum, directions == 3 ? "a uniform background makes it neutral" : "a charged slab has no background"));
}

// Charges of a property sum to the frame's total by construction.
void check_total(const FitOptions& options, const std::string& property, const Structure& s, Findings& findings) {
  std::string key;
  for (const PropertyOptions& other : options.properties)
    if (other.keys.name == property) key = other.keys.total;
  const double total = total_charge_of(s, key.empty() ? total_charge_key : key);
  if (s.cell && std::count(s.pbc.begin(), s.pbc.end(), true) == 1) check_charges(s, {total}, findings);
}

}  // namespace

void check_long_range(const FitOptions& options, const Structure& s, Findings& findings) {
  for (const PotentialPointer& potential : options.baselines) {
    if (!is_long_range(potential->name())) continue;
    try {
      if (const std::string property = missing_property(*potential); !property.empty()) {
        if (potential->name() == "coulomb") check_total(options, property, s, findings);
        continue;
      }
      check_elements({&potential, 1}, s);
      if (s.size() > 1) check_charges(s, charges_of(*potential, s), findings);
    } catch (const InputError& error) {
      findings.error("long range", error.what());
    }
  }
}

}  // namespace gapkit
