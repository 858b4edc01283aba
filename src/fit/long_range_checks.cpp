#include "fit/long_range_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/io/targets.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <numeric>

namespace gapkit {
namespace {

constexpr const char* total_charge_key = "total_charge";
constexpr double charge_tolerance = 0.01;   // e
constexpr double learned_tolerance = 0.05;  // e, of charges by a partition of the density, with their rounding

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

// The total that the Coulomb energy takes is the frame's, or 0: charges of the data that sum to another are shifted to it in silence.
void check_sum(const PropertyKeys& keys, double total, bool is_given, const Structure& s, Findings& findings) {
  const std::vector<double> values = read_property(s, keys).values;
  if (values.empty()) return;
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  if (std::abs(sum - total) <= learned_tolerance) return;
  findings.warning(
      "charges", is_given ? fmt::format("{}: the charges of the column '{}' sum to {:.4g} e, but the key {} is {:.4g}; correct one of them",
                                        s.source, keys.column, sum, total_charge_key, total)
                          : fmt::format("{}: the charges of the column '{}' sum to {:.4g} e, but without the key {} the Coulomb energy "
                                        "takes 0 e; add the key to charged frames, or correct the charges",
                                        s.source, keys.column, sum, total_charge_key));
}

// With a key of the total the property itself compares sums with totals.
void check_total(const FitOptions& options, const std::string& property, const Structure& s, Findings& findings) {
  const auto found = std::find_if(options.properties.begin(), options.properties.end(),
                                  [&](const PropertyOptions& other) { return other.keys.name == property; });
  const std::string own = found == options.properties.end() ? "" : found->keys.total, key = own.empty() ? total_charge_key : own;
  const double total = total_charge_of(s, key);
  if (std::abs(total - std::round(total)) > learned_tolerance)
    findings.warning("charges", fmt::format("{}: the key {} is {:.4g} e, expected a whole number; correct it if it is not meant so",
                                            s.source, key, total));
  if (own.empty() && found != options.properties.end()) check_sum(found->keys, total, s.find_field(key) != nullptr, s, findings);
  if (s.cell && std::count(s.pbc.begin(), s.pbc.end(), true) == 1) check_charges(s, {total}, findings);
}

}  // namespace

void check_long_range(const FitOptions& options, const Structure& s, Findings& findings) {
  for (const PotentialPointer& potential : options.baselines) {
    if (!is_long_range(potential->name())) continue;
    try {
      // A fit has bound the field of the property, --check has not: both look at the charges of the data.
      check_elements({&potential, 1}, s);
      if (const FieldDependence* dependence = field_dependence(*potential)) {
        if (potential->name() == "coulomb") check_total(options, dependence->property(), s, findings);
        continue;
      }
      if (s.size() > 1) check_charges(s, charges_of(*potential, s), findings);
    } catch (const InputError& error) {
      findings.error("long range", error.what());
    }
  }
}

}  // namespace gapkit
