#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/targets.hpp>
#include <limits>

#include "io/field_numbers.hpp"

namespace gapkit {

namespace {

constexpr double relative_tolerance = 1e-3;  // of the norm of a tensor, for symmetry and for virial against stress
constexpr double absolute_tolerance = 1e-3;  // eV; below it a difference is noise of a tensor that should vanish

constexpr const char* target_prefixes[] = {"", "REF_", "dft_", "DFT_"};

std::string place(const Structure& structure) {
  return structure.source.empty() ? "" : structure.source + ": ";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "'" : i + 1 == words.size() ? " and '" : ", '") + words[i] + "'";
  return text;
}

/// The value as in the file: for messages, and for config types that look like numbers.
std::string text_of(const Field& field) {
  if (const auto* text = std::get_if<std::string>(&field.value)) return *text;
  if (!field.text.empty() && field.text.front() == '"') return field.text.substr(1, field.text.size() - 2);
  if (!field.text.empty()) return field.text;
  std::string text;
  extxyz::append_value(text, field.value);
  return text;
}

/// The key that holds a target, and other default names with the same values.
struct Choice {
  std::string name;
  std::vector<std::string> others;
};

/// The named key, or the first default name that the frame has and that is not the base's; no name if it has none. `text_of(name)` is for
/// messages.
template <class Has, class Same, class Text>
Choice choose_name(const Structure& structure, const TargetSource& source, const TargetKeys& keys, Has&& has, Same&& same, Text&& text) {
  const std::string& named = keys.named(source.name);
  if (!named.empty()) return {has(named) ? named : std::string(), {}};
  std::vector<std::string> found;
  for (const char* prefix : target_prefixes)
    for (const char* ending : source.endings)
      if (const std::string name = std::string(prefix) + ending; has(name) && !keys.base.reads(name)) found.push_back(name);
  if (found.empty()) return {};
  for (std::size_t i = 1; i < found.size(); ++i)
    if (!same(found[0], found[i]))
      throw InputError(fmt::format("{}{} could hold the {}, expected one of them; name it with [data] {}_key or --{}-key; {}",
                                   place(structure), joined(found), source.name, source.name, source.name, text(found[0], found[i])));
  return {found.front(), {found.begin() + 1, found.end()}};
}

/// True if the numbers are finite and equal up to rounding in text.
bool are_same(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.empty()) return false;
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return false;
    largest = std::max(largest, std::abs(a[i]));
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  // A single number is an energy: its size depends on an arbitrary zero, so only absolute differences count.
  return difference <= (a.size() == 1 ? 1e-6 + 1e-12 * largest : 1e-8 + 1e-6 * largest);
}

/// Nine numbers of a tensor row by row, from six or nine.
std::vector<double> nine_of(std::vector<double> v) {
  if (v.size() != 6) return v;
  const Matrix3 tensor = tensor_of(Eigen::Map<const Voigt>(v.data()));
  return {tensor.data(), tensor.data() + tensor.size()};
}

Choice choose_field(const Structure& s, const TargetSource& source, const TargetKeys& keys) {
  const auto has = [&](const std::string& name) { return s.find_field(name) != nullptr; };
  const auto same = [&](const std::string& a, const std::string& b) {
    return are_same(nine_of(numbers_of(*s.find_field(a))), nine_of(numbers_of(*s.find_field(b))));
  };
  const auto text = [&](const std::string& a, const std::string& b) {
    return fmt::format("they differ: '{}' and '{}'", extxyz::excerpt(text_of(*s.find_field(a))),
                       extxyz::excerpt(text_of(*s.find_field(b))));
  };
  return choose_name(s, source, keys, has, same, text);
}

Choice choose_column(const Structure& s, const TargetSource& source, const TargetKeys& keys) {
  const auto has = [&](const std::string& name) { return s.find_column(name) != nullptr; };
  const auto same = [&](const std::string& a, const std::string& b) {
    return are_same(numbers_of(*s.find_column(a)), numbers_of(*s.find_column(b)));
  };
  const auto text = [](const std::string&, const std::string&) { return std::string("they differ"); };
  return choose_name(s, source, keys, has, same, text);
}

double number_of(const Structure& structure, const Field& field) {
  const auto values = numbers_of(field);
  if (values.size() != 1 || !std::isfinite(values.front()))
    throw InputError(
        fmt::format("{}key '{}' is '{}', expected a finite number", place(structure), field.key, extxyz::excerpt(text_of(field))));
  return values.front();
}

std::optional<double> sigma_of(const Structure& structure, const std::string& key) {
  const Field* field = structure.find_field(key);
  if (!field) return std::nullopt;
  const double sigma = number_of(structure, *field);
  if (!(sigma > 0)) throw InputError(fmt::format("{}key '{}' is {}, expected a number above 0", place(structure), key, sigma));
  return sigma;
}

/// Six (Voigt) or nine numbers as a symmetric tensor. `volume` gives the size of an asymmetry in eV (1 for a virial).
Matrix3 read_tensor(const Structure& structure, const Field& field, double volume) {
  const auto v = numbers_of(field);
  const bool is_row = !std::holds_alternative<Matrix>(field.value) || std::get<Matrix>(field.value).rows() == 3 || v.size() == 6;
  if ((v.size() != 6 && v.size() != 9) || !is_row)
    throw InputError(fmt::format("{}key '{}' has {}, expected 6 (xx yy zz yz xz xy) or 9 (row by row)", place(structure), field.key,
                                 v.empty() ? fmt::format("the value '{}'", extxyz::excerpt(text_of(field)))
                                           : fmt::format("{} number{}", v.size(), v.size() == 1 ? "" : "s")));
  const Matrix3 tensor = v.size() == 6 ? tensor_of(Eigen::Map<const Voigt>(v.data())) : Matrix3(Eigen::Map<const Matrix3>(v.data()));
  if (!tensor.allFinite())
    throw InputError(fmt::format("{}key '{}' is '{}', expected finite numbers", place(structure), field.key, text_of(field)));
  const double norm = tensor.norm();
  const double asymmetry = (tensor - tensor.transpose()).cwiseAbs().maxCoeff();
  if (asymmetry > relative_tolerance * norm && asymmetry * volume > absolute_tolerance)
    throw InputError(
        fmt::format("{}key '{}' is not symmetric: off-diagonal elements differ by {:.6g}, expected at most {:.6g} ({} of its norm)",
                    place(structure), field.key, asymmetry, relative_tolerance * norm, relative_tolerance));
  return 0.5 * (tensor + tensor.transpose());
}

std::string row_text(const Matrix3& m) {
  const Voigt six = voigt_of(m);
  return fmt::format("{:.6g}", fmt::join(six.data(), six.data() + six.size(), " "));
}

void check_agreement(const Structure& structure, const Field& virial_field, const Matrix3& virial, const Field& stress_field,
                     const Matrix3& from_stress) {
  const auto differ = [&](const Matrix3& other) {
    const double difference = (virial - other).norm();
    return difference > relative_tolerance * std::max(virial.norm(), other.norm()) && difference > absolute_tolerance;
  };
  if (!differ(from_stress)) return;
  std::string hint;
  if (!differ(-from_stress))
    hint = "; the sign of the stress is reversed (it must be positive under tension)";
  else if (!differ(from_stress / gpa_per_ev_per_cubic_angstrom) || !differ(-from_stress / gpa_per_ev_per_cubic_angstrom))
    hint = "; the stress seems to be in GPa, expected eV/Å³";
  throw InputError(
      fmt::format("{}virial ('{}': {} eV) and stress ('{}': −stress·volume = {} eV; xx yy zz yz xz xy) disagree{}; correct "
                  "one, or name the right one only with [data] virial_key or stress_key (--virial-key, --stress-key; of a base with virial "
                  "or stress in [[baseline]])",
                  place(structure), virial_field.key, row_text(virial), stress_field.key, row_text(from_stress), hint));
}

/// The rows of a target of atoms. NaN and infinity of masked atoms become zero, but not in values of a base.
std::vector<double> rows_of_column(const Structure& structure, const TargetInfo& target, const TargetSource& source, const Column& column,
                                   bool is_base) {
  const auto fail = [&](const std::string& found) {
    throw InputError(fmt::format(
        "{}column '{}' has {}, expected {} real number{} for each of {} atoms; name the column of the {} with {}", place(structure),
        column.name, found, target.components, target.components == 1 ? "" : "s", structure.size(), source.plural,
        is_base ? fmt::format("{} in [[baseline]]", source.name) : fmt::format("[data] {0}_key or --{0}-key", source.name)));
  };
  if (column.count != target.components) fail(fmt::format("{} value{} per atom", column.count, column.count == 1 ? "" : "s"));
  std::vector<double> values = numbers_of(column);
  if (values.empty()) fail("no numbers");
  if (values.size() != static_cast<std::size_t>(target.row_count(structure.size()))) fail(fmt::format("{} values in all", values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const int row = static_cast<int>(i);
    if (is_base || !target.is_masked(structure, row))
      throw InputError(fmt::format("{}column '{}' has {} as {} component {} of atom {}, expected finite numbers", place(structure),
                                   column.name, values[i], target.name, row % target.components + 1, row / target.components + 1));
    values[i] = 0;
  }
  return values;
}

std::vector<bool> mask_of(const Structure& structure, const Column& column) {
  std::vector<bool> mask;
  if (const auto* logicals = std::get_if<std::vector<bool>>(&column.values)) mask = *logicals;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
    if (std::all_of(integers->begin(), integers->end(), [](std::int64_t i) { return i == 0 || i == 1; }))
      mask.assign(integers->begin(), integers->end());
  if (column.count != 1 || mask.size() != structure.atomic_numbers.size())
    throw InputError(fmt::format("{}column '{}' is the mask of the forces, expected one logical (or 0 or 1) for each of {} atoms",
                                 place(structure), column.name, structure.size()));
  return mask;
}

/// `count` numbers above 0 for each atom.
std::vector<double> atom_sigma_of(const Structure& structure, const Column& column, int count) {
  const auto* sigma = std::get_if<std::vector<double>>(&column.values);
  const auto per_atom = static_cast<std::size_t>(count);
  if (!sigma || column.count != count || sigma->size() != per_atom * structure.atomic_numbers.size())
    throw InputError(fmt::format("{}column '{}' has another shape or type, expected {} real number{} for each of {} atoms",
                                 place(structure), column.name, count == 1 ? "one" : std::to_string(count), count == 1 ? "" : "s",
                                 structure.size()));
  for (std::size_t i = 0; i < sigma->size(); ++i)
    if (!((*sigma)[i] > 0) || std::isinf((*sigma)[i]))
      throw InputError(fmt::format("{}column '{}' is {} for atom {}, expected a number above 0", place(structure), column.name, (*sigma)[i],
                                   i / per_atom + 1));
  return *sigma;
}

GivenSigmas sigmas_of(const Structure& structure, const TargetInfo& target) {
  const std::string beginning = target.name, of_atom = beginning + "_atom_sigma", of_component = beginning + "_component_sigma";
  GivenSigmas result;
  result.frame = sigma_of(structure, beginning + "_sigma");
  if (target.is_per_atom) {
    if (const Column* sigma = structure.find_column(of_atom)) result.atom = atom_sigma_of(structure, *sigma, 1);
    if (const Column* sigma = structure.find_column(of_component)) result.component = atom_sigma_of(structure, *sigma, target.components);
  } else if (const Field* field = target.is_tensor() ? structure.find_field(of_component) : nullptr) {
    const Voigt sigma = voigt_of(read_tensor(structure, *field, std::numeric_limits<double>::infinity()));
    if (!(sigma.array() > 0).all())
      throw InputError(fmt::format("{}key '{}' is '{}', expected numbers above 0", place(structure), field->key, text_of(*field)));
    result.component.assign(sigma.data(), sigma.data() + sigma.size());
  }
  return result;
}

/// By the name of the source.
using Choices = std::map<std::string_view, Choice>;

const Field* chosen_field(const Structure& structure, const Choices& chosen, std::string_view source) {
  const auto found = chosen.find(source);
  return found == chosen.end() || found->second.name.empty() ? nullptr : structure.find_field(found->second.name);
}

/// Virial and stress are one target.
Choices assign_virial(Structure& structure, const TargetKeys& keys, const TargetInfo& target) {
  // If one of the two keys is named, the other counts only if it is named too.
  Choices chosen;
  for (const TargetSource& source : target.sources)
    if (!keys.named(source.name).empty() || !keys.names_any(target)) chosen[source.name] = choose_field(structure, source, keys);

  const Field *virial = chosen_field(structure, chosen, "virial"), *stress = chosen_field(structure, chosen, "stress");
  if (virial) structure.virial = read_tensor(structure, *virial, 1.0);
  if (!stress) return chosen;
  const double volume = structure.volume();
  const Matrix3 tensor = read_tensor(structure, *stress, volume > 0 ? volume : 1.0);
  if (!(volume > 0)) {
    if (!tensor.isZero(0))
      throw InputError(fmt::format("{}key '{}' is a stress, but the frame has no cell with a volume; expected a Lattice or a virial",
                                   place(structure), stress->key));
    chosen.erase("stress");  // some programs write zeros for molecules
    return chosen;
  }
  const Matrix3 from_stress = -volume * tensor;
  if (virial)
    check_agreement(structure, *virial, *structure.virial, *stress, from_stress);
  else
    structure.virial = from_stress;
  return chosen;
}

/// The rows of a target of the frame.
std::vector<double> rows_of_field(const Structure& structure, const TargetInfo& target, const Field& field) {
  if (target.is_single()) return {number_of(structure, field)};
  if (target.is_tensor()) {
    const Voigt six = voigt_of(read_tensor(structure, field, std::numeric_limits<double>::infinity()));
    return {six.data(), six.data() + six.size()};
  }
  std::vector<double> rows = numbers_of(field);
  const bool are_finite = std::all_of(rows.begin(), rows.end(), [](double x) { return std::isfinite(x); });
  if (rows.size() != static_cast<std::size_t>(target.components) || !are_finite)
    throw InputError(fmt::format("{}key '{}' is '{}', expected {} finite numbers", place(structure), field.key,
                                 extxyz::excerpt(text_of(field)), target.components));
  return rows;
}

/// Numbers of the frame or of each atom.
Choices assign_numbers(Structure& structure, const TargetKeys& keys, const TargetInfo& target, bool is_base = false) {
  const TargetSource& source = target.sources.front();
  const Choice choice = source.is_column ? choose_column(structure, source, keys) : choose_field(structure, source, keys);
  if (!choice.name.empty())
    target.set(structure, source.is_column ? rows_of_column(structure, target, source, *structure.find_column(choice.name), is_base)
                                           : rows_of_field(structure, target, *structure.find_field(choice.name)));
  return {{source.name, choice}};
}

Choices assign_target(Structure& structure, const TargetKeys& keys, const TargetInfo& target) {
  if (target.has_mask)
    if (const Column* mask = structure.find_column(keys.force_mask)) structure.force_mask = mask_of(structure, *mask);
  Choices chosen = target.property == Property::virial ? assign_virial(structure, keys, target) : assign_numbers(structure, keys, target);
  structure.sigma[target.property] = sigmas_of(structure, target);
  return chosen;
}

void count(const Choice& choice, std::string_view source, TargetReport& report) {
  if (choice.name.empty()) return;
  ++report.keys[std::string(source)][choice.name];
  for (const std::string& other : choice.others) ++report.same_values[{choice.name, other}];
}

}  // namespace

// Read as targets are, which are put back afterwards.
void assign_base(Structure& structure, const BaseKeys& base) {
  TargetKeys keys;
  keys.names = base.columns;
  for (const TargetInfo& target : targets()) {
    structure.base[target.property].clear();
    if (!base.has(target)) continue;
    const std::vector<double> own = target.rows(structure);
    target.set(structure, {});
    if (target.property == Property::virial)
      assign_virial(structure, keys, target);
    else
      assign_numbers(structure, keys, target, true);
    structure.base[target.property] = target.rows(structure);
    target.set(structure, own);
  }
}

void assign_targets(Structure& structure, const TargetKeys& keys, TargetReport* report) {
  structure.force_mask.clear();
  Choices chosen;
  for (const TargetInfo& target : targets()) {
    target.set(structure, {});
    structure.sigma[target.property] = {};
    try {
      chosen.merge(assign_target(structure, keys, target));
    } catch (const InputError& e) {
      if (keys.use[target.property]) throw;
      target.set(structure, {});
      if (report && report->targets_left_out++ == 0) report->first_left_out = e.what();
    }
  }
  assign_base(structure, keys.base);
  const Field* config_type = structure.find_field(keys.config_type);
  structure.config_type = config_type ? text_of(*config_type) : "default";
  if (structure.config_type.empty()) structure.config_type = "default";

  if (!report) return;
  ++report->frames;
  for (const auto& [source, choice] : chosen) count(choice, source, *report);
  for (const TargetInfo& target : targets())
    if (target.rows(structure).empty()) ++report->frames_without[target.property];
  const Field* energy = chosen_field(structure, chosen, "energy");
  if ((!energy || energy->key != "free_energy") && structure.find_field("free_energy")) ++report->frames_with_unused_free_energy;
}

}  // namespace gapkit
