#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/io/targets.hpp>
#include <limits>

#include "extxyz_values.hpp"

namespace gapkit {

namespace {

constexpr double relative_tolerance = 1e-3;  // of the norm of a tensor, for symmetry and for virial against stress
constexpr double absolute_tolerance = 1e-3;  // eV; below it a difference is noise of a tensor that should vanish

struct Property {
  const char* name;                            // as in "name it with [data] <name>_key"
  std::initializer_list<const char*> endings;  // after the prefixes
};

constexpr const char* target_prefixes[] = {"", "REF_", "dft_", "DFT_"};

const Property energy_property = {"energy", {"energy"}};
const Property forces_property = {"forces", {"forces", "force"}};
const Property virial_property = {"virial", {"virial", "virials"}};
const Property stress_property = {"stress", {"stress"}};

std::string place(const Structure& structure) {
  return structure.source.empty() ? "" : structure.source + ": ";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "'" : i + 1 == words.size() ? " and '" : ", '") + words[i] + "'";
  return text;
}

/// The value as it stands in a file: what messages show, and the config type of a frame whose type looks like a number.
std::string text_of(const Field& field) {
  if (const auto* text = std::get_if<std::string>(&field.value)) return *text;
  if (!field.text.empty() && field.text.front() == '"') return field.text.substr(1, field.text.size() - 2);
  if (!field.text.empty()) return field.text;
  std::string text;
  extxyz::append_value(text, field.value);
  return text;
}

/// All numbers of a field; empty if it holds something else.
std::vector<double> numbers_of(const Field& field) {
  if (const auto* real = std::get_if<double>(&field.value)) return {*real};
  if (const auto* integer = std::get_if<std::int64_t>(&field.value)) return {static_cast<double>(*integer)};
  if (const auto* reals = std::get_if<std::vector<double>>(&field.value)) return *reals;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&field.value)) return {integers->begin(), integers->end()};
  if (const auto* matrix = std::get_if<Matrix>(&field.value)) return {matrix->data(), matrix->data() + matrix->size()};
  return {};
}

/// The key that holds a target, and other default names with the same values.
struct Choice {
  std::string name;
  std::vector<std::string> others;
};

/// The named key, or the first default name that the frame has; no name if it has none. `text_of(name)` is for messages.
template <class Has, class Same, class Text>
Choice choose_name(const Structure& structure, const Property& property, const std::string& named, Has&& has, Same&& same, Text&& text) {
  if (!named.empty()) return {has(named) ? named : std::string(), {}};
  std::vector<std::string> found;
  for (const char* prefix : target_prefixes)
    for (const char* ending : property.endings)
      if (const std::string name = std::string(prefix) + ending; has(name)) found.push_back(name);
  if (found.empty()) return {};
  for (std::size_t i = 1; i < found.size(); ++i)
    if (!same(found[0], found[i]))
      throw InputError(fmt::format("{}{} could hold the {}, expected one of them; name it with [data] {}_key or --{}-key; {}",
                                   place(structure), joined(found), property.name, property.name, property.name, text(found[0], found[i])));
  return {found.front(), {found.begin() + 1, found.end()}};
}

/// True if the numbers are finite and equal up to what is lost in writing them.
bool are_same(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.empty()) return false;
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return false;
    largest = std::max(largest, std::abs(a[i]));
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  // A single number is an energy, whose size says nothing about the size of a difference that matters.
  return difference <= (a.size() == 1 ? 1e-6 + 1e-12 * largest : 1e-8 + 1e-6 * largest);
}

/// Numbers of a tensor row by row, also if it is written with six.
std::vector<double> nine_of(std::vector<double> v) {
  if (v.size() == 6) return {v[0], v[5], v[4], v[5], v[1], v[3], v[4], v[3], v[2]};
  return v;
}

Choice choose_field(const Structure& s, const Property& property, const std::string& named) {
  const auto has = [&](const std::string& name) { return s.find_field(name) != nullptr; };
  const auto same = [&](const std::string& a, const std::string& b) {
    return are_same(nine_of(numbers_of(*s.find_field(a))), nine_of(numbers_of(*s.find_field(b))));
  };
  const auto text = [&](const std::string& a, const std::string& b) {
    return fmt::format("they differ: '{}' and '{}'", extxyz::excerpt(text_of(*s.find_field(a))),
                       extxyz::excerpt(text_of(*s.find_field(b))));
  };
  return choose_name(s, property, named, has, same, text);
}

std::vector<double> numbers_of(const Column& column) {
  if (const auto* reals = std::get_if<std::vector<double>>(&column.values)) return *reals;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values)) return {integers->begin(), integers->end()};
  return {};
}

Choice choose_column(const Structure& s, const Property& property, const std::string& named) {
  const auto has = [&](const std::string& name) { return s.find_column(name) != nullptr; };
  const auto same = [&](const std::string& a, const std::string& b) {
    return are_same(numbers_of(*s.find_column(a)), numbers_of(*s.find_column(b)));
  };
  const auto text = [](const std::string&, const std::string&) { return std::string("they differ"); };
  return choose_name(s, property, named, has, same, text);
}

double number_of(const Structure& structure, const Field& field) {
  const auto values = numbers_of(field);
  if (values.size() != 1 || !std::isfinite(values.front()))
    throw InputError(
        fmt::format("{}key '{}' is '{}', expected a finite number", place(structure), field.key, extxyz::excerpt(text_of(field))));
  return values.front();
}

std::optional<double> sigma_of(const Structure& structure, const char* key) {
  const Field* field = structure.find_field(key);
  if (!field) return std::nullopt;
  const double sigma = number_of(structure, *field);
  if (!(sigma > 0)) throw InputError(fmt::format("{}key '{}' is {}, expected a number above 0", place(structure), key, sigma));
  return sigma;
}

/// Six (Voigt) or nine numbers as a symmetric tensor. `volume` gives the size of an asymmetry in eV (1 for a virial).
Matrix3 tensor_of(const Structure& structure, const Field& field, double volume) {
  const auto v = numbers_of(field);
  const bool is_row = !std::holds_alternative<Matrix>(field.value) || std::get<Matrix>(field.value).rows() == 3 || v.size() == 6;
  if ((v.size() != 6 && v.size() != 9) || !is_row)
    throw InputError(fmt::format("{}key '{}' has {}, expected 6 (xx yy zz yz xz xy) or 9 (row by row)", place(structure), field.key,
                                 v.empty() ? fmt::format("the value '{}'", extxyz::excerpt(text_of(field)))
                                           : fmt::format("{} number{}", v.size(), v.size() == 1 ? "" : "s")));
  Matrix3 tensor;
  if (v.size() == 6)
    tensor << v[0], v[5], v[4], v[5], v[1], v[3], v[4], v[3], v[2];
  else
    tensor = Eigen::Map<const Matrix3>(v.data());
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
  return fmt::format("{:.6g} {:.6g} {:.6g} {:.6g} {:.6g} {:.6g}", m(0, 0), m(1, 1), m(2, 2), m(1, 2), m(0, 2), m(0, 1));
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
                  "one, or name the right one with [data] virial_key or stress_key (--virial-key, --stress-key)",
                  place(structure), virial_field.key, row_text(virial), stress_field.key, row_text(from_stress), hint));
}

/// Zero stands for NaN and infinity of the atoms that the mask leaves out.
Positions forces_of(const Structure& structure, const Column& column) {
  const auto fail = [&](const std::string& found) {
    throw InputError(
        fmt::format("{}column '{}' has {}, expected 3 real numbers for each of {} atoms; name the column of the forces with "
                    "[data] forces_key or --forces-key",
                    place(structure), column.name, found, structure.size()));
  };
  if (column.count != 3) fail(fmt::format("{} value{} per atom", column.count, column.count == 1 ? "" : "s"));
  std::vector<double> values = numbers_of(column);
  if (values.empty()) fail("no numbers");
  if (values.size() != 3 * structure.atomic_numbers.size()) fail(fmt::format("{} values in all", values.size()));
  const std::vector<bool>& mask = structure.force_mask;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]) && !mask.empty() && mask[i / 3])
      values[i] = 0;
    else if (!std::isfinite(values[i]))
      throw InputError(fmt::format("{}column '{}' has {} as force component {} of atom {}, expected finite numbers", place(structure),
                                   column.name, values[i], i % 3 + 1, i / 3 + 1));
  return Eigen::Map<const Positions>(values.data(), structure.size(), 3);
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

std::optional<Matrix3> virial_component_sigma_of(const Structure& structure) {
  const Field* field = structure.find_field("virial_component_sigma");
  if (!field) return std::nullopt;
  const Matrix3 sigma = tensor_of(structure, *field, std::numeric_limits<double>::infinity());
  if (!(sigma.array() > 0).all())
    throw InputError(fmt::format("{}key '{}' is '{}', expected numbers above 0", place(structure), field->key, text_of(*field)));
  return sigma;
}

struct VirialChoice {
  Choice virial, stress;
};

VirialChoice assign_virial(Structure& structure, const TargetKeys& keys) {
  // Whoever names one of the two wants that one; the other is then looked at only if it is named as well.
  const bool only_stress = keys.virial.empty() && !keys.stress.empty();
  const bool only_virial = keys.stress.empty() && !keys.virial.empty();
  VirialChoice chosen;
  if (!only_stress) chosen.virial = choose_field(structure, virial_property, keys.virial);
  if (!only_virial) chosen.stress = choose_field(structure, stress_property, keys.stress);

  const Field* virial = chosen.virial.name.empty() ? nullptr : structure.find_field(chosen.virial.name);
  const Field* stress = chosen.stress.name.empty() ? nullptr : structure.find_field(chosen.stress.name);
  if (virial) structure.virial = tensor_of(structure, *virial, 1.0);
  if (!stress) return chosen;
  const double volume = structure.volume();
  const Matrix3 tensor = tensor_of(structure, *stress, volume > 0 ? volume : 1.0);
  if (!(volume > 0)) {
    if (!tensor.isZero(0))
      throw InputError(fmt::format("{}key '{}' is a stress, but the frame has no cell with a volume; expected a Lattice or a virial",
                                   place(structure), stress->key));
    chosen.stress = {};  // zeros that a program wrote for a molecule say nothing
    return chosen;
  }
  const Matrix3 from_stress = -volume * tensor;
  if (virial)
    check_agreement(structure, *virial, *structure.virial, *stress, from_stress);
  else
    structure.virial = from_stress;
  return chosen;
}

void count(const Choice& choice, std::map<std::string, long>& keys, TargetReport& report) {
  if (choice.name.empty()) return;
  ++keys[choice.name];
  for (const std::string& other : choice.others) ++report.same_values[{choice.name, other}];
}

/// Runs `assign`; if the target is not used, what is wrong with it is only taken down. False: the target has to be left out.
template <class Assign>
bool assign_or_leave_out(bool is_used, TargetReport* report, Assign&& assign) {
  try {
    assign();
    return true;
  } catch (const InputError& e) {
    if (is_used) throw;
    if (report && report->targets_left_out++ == 0) report->first_left_out = e.what();
    return false;
  }
}

struct Choices {
  Choice energy, forces;
  VirialChoice virial;
};

Choices assign_properties(Structure& structure, const TargetKeys& keys, TargetReport* report) {
  structure.energy.reset();
  structure.forces.reset();
  structure.virial.reset();
  structure.energy_sigma.reset();
  structure.force_sigma.reset();
  structure.virial_sigma.reset();
  structure.force_atom_sigma.clear();
  structure.force_component_sigma.reset();
  structure.virial_component_sigma.reset();
  structure.force_mask.clear();
  Choices chosen;
  const auto energy = [&] {
    chosen.energy = choose_field(structure, energy_property, keys.energy);
    if (!chosen.energy.name.empty()) structure.energy = number_of(structure, *structure.find_field(chosen.energy.name));
    structure.energy_sigma = sigma_of(structure, "energy_sigma");
  };
  const auto forces = [&] {
    if (const Column* mask = structure.find_column(keys.force_mask)) structure.force_mask = mask_of(structure, *mask);
    chosen.forces = choose_column(structure, forces_property, keys.forces);
    if (!chosen.forces.name.empty()) structure.forces = forces_of(structure, *structure.find_column(chosen.forces.name));
    structure.force_sigma = sigma_of(structure, "force_sigma");
    if (const Column* sigma = structure.find_column("force_atom_sigma")) structure.force_atom_sigma = atom_sigma_of(structure, *sigma, 1);
    if (const Column* sigma = structure.find_column("force_component_sigma"))
      structure.force_component_sigma = Eigen::Map<const Positions>(atom_sigma_of(structure, *sigma, 3).data(), structure.size(), 3);
  };
  const auto virial = [&] {
    chosen.virial = assign_virial(structure, keys);
    structure.virial_sigma = sigma_of(structure, "virial_sigma");
    structure.virial_component_sigma = virial_component_sigma_of(structure);
  };
  if (!assign_or_leave_out(keys.use_energy, report, energy)) {
    structure.energy.reset();
    chosen.energy = {};
  }
  if (!assign_or_leave_out(keys.use_forces, report, forces)) {
    structure.forces.reset();
    structure.force_sigma.reset();
    structure.force_atom_sigma.clear();
    structure.force_component_sigma.reset();
    chosen.forces = {};
  }
  if (!assign_or_leave_out(keys.use_virial, report, virial)) {
    structure.virial.reset();
    chosen.virial = {};
  }
  return chosen;
}

}  // namespace

void assign_targets(Structure& structure, const TargetKeys& keys, TargetReport* report) {
  const Choices chosen = assign_properties(structure, keys, report);
  const Field* config_type = structure.find_field(keys.config_type);
  structure.config_type = config_type ? text_of(*config_type) : "default";
  if (structure.config_type.empty()) structure.config_type = "default";

  if (!report) return;
  ++report->frames;
  count(chosen.energy, report->energy_keys, *report);
  count(chosen.forces, report->forces_keys, *report);
  count(chosen.virial.virial, report->virial_keys, *report);
  count(chosen.virial.stress, report->stress_keys, *report);
  if (!structure.energy) ++report->frames_without_energy;
  if (!structure.forces) ++report->frames_without_forces;
  if (!structure.virial) ++report->frames_without_virial;
  if (chosen.energy.name != "free_energy" && structure.find_field("free_energy")) ++report->frames_with_unused_free_energy;
}

}  // namespace gapkit
