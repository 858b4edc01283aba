#include "fit/data_checker.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/core/covalent_radii.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/checksum.hpp>
#include <limits>

#include "fit/long_range_checks.hpp"

namespace gapkit {
namespace {

constexpr double closest_distance = 0.1;          // Å: atoms nearer than this are a mistake
constexpr double closest_fraction = 0.3;          // of the sum of covalent radii: nearer is suspicious
constexpr double smallest_volume_per_atom = 0.1;  // Å³; in smaller cells neighbour lists become too large
constexpr double largest_force = 1000;            // eV/Å

// Positions and cell to 10⁻⁴ Å.
std::uint64_t fingerprint(const Structure& s) {
  const auto rounded = [](double x) { return std::floor(x * 1e4 + 0.3719); };
  Checksum sum;
  for (const int z : s.atomic_numbers) sum.add(static_cast<std::int64_t>(z));
  for (Eigen::Index i = 0; i < s.positions.size(); ++i) sum.add(rounded(s.positions.data()[i]));
  if (s.cell)
    for (Eigen::Index i = 0; i < 9; ++i) sum.add(rounded(s.cell->data()[i]));
  return sum.value();
}

std::string atom_name(const Structure& s, int i) {
  return fmt::format("{} ({})", i + 1, element_symbol(s.atomic_numbers[static_cast<std::size_t>(i)]));
}

bool has_nan(const FieldValue& value) {
  const auto any = [](const double* begin, Eigen::Index count) {
    return std::any_of(begin, begin + count, [](double x) { return !std::isfinite(x); });
  };
  if (const auto* real = std::get_if<double>(&value)) return !std::isfinite(*real);
  if (const auto* reals = std::get_if<std::vector<double>>(&value)) return any(reals->data(), static_cast<Eigen::Index>(reals->size()));
  if (const auto* matrix = std::get_if<Matrix>(&value)) return any(matrix->data(), matrix->size());
  return false;
}

}  // namespace

DataChecker::DataChecker(const FitOptions& options, std::vector<std::string> parts, CheckReport& report, Findings& findings)
    : options_(options),
      parts_(std::move(parts)),
      report_(report),
      findings_(findings),
      labels_(parts_),
      look_alikes_(options.used_keys()),
      validation_look_alikes_(options.used_keys()) {}

std::optional<NeighborList> DataChecker::neighbors(const Structure& s, double cutoff) {
  const bool is_periodic = s.cell && s.pbc[0] && s.pbc[1] && s.pbc[2];
  if (is_periodic && s.volume() < smallest_volume_per_atom * s.size()) {
    findings_.error("cell",
                    fmt::format("{}: the cell has a volume of {:.4g} Å³ for {} atom{}, expected at least {:g} Å³ per atom; are two of its "
                                "vectors parallel, or is the Lattice not in Å?",
                                s.source, s.volume(), s.size(), s.size() == 1 ? "" : "s", smallest_volume_per_atom));
    return std::nullopt;
  }
  try {
    return NeighborList(s, cutoff);
  } catch (const InputError& e) {
    findings_.error("cell", e.what());
    return std::nullopt;
  }
}

void DataChecker::examine(const Structure& s, const NeighborList& list, const FramePlace& place) {
  auto& counts = report_.config_types[s.config_type];
  ++counts.frames;
  counts.atoms += s.size();
  for (const TargetInfo& target : targets()) counts.with[target.property] += !target.rows(s).empty();
  for (const int z : s.atomic_numbers) elements_.insert(z);
  remember_names(s);
  check_cell(s);
  check_distances(s, list);
  check_targets(s);
  check_other_values(s);
  check_duplicate(s, place);
  labels_.add(s, place);
  base_.add(s);
  check_long_range(options_, s, findings_);
}

void DataChecker::examine_validation(const Structure& s) {
  validation_look_alikes_.add(s);
  if (const auto list = neighbors(s, 1.0)) check_distances(s, *list);
  check_cell(s);
  check_long_range(options_, s, findings_);
  for (const int z : s.atomic_numbers)
    if (!elements_.count(z)) {
      findings_.error("elements",
                      fmt::format("{}: the validation frame has {}, which the training data do not have; a model cannot predict it: take "
                                  "the frame out, or add training data with {}",
                                  s.source, element_symbol(z), element_symbol(z)));
      break;
    }
  if (const auto found = known_.find(fingerprint(s)); found != known_.end() && s.size() > 1)
    findings_.warning("validation",
                      fmt::format("{}: the same structure as training frame {} of {}: errors of validation will look too small; take one "
                                  "of them out",
                                  s.source, found->second.frame, parts_[static_cast<std::size_t>(found->second.file)]));
}

void DataChecker::check_cell(const Structure& s) {
  if (!s.cell) return;
  if (s.cell->determinant() < 0)
    findings_.note("left-handed cell", fmt::format("{}: the cell is left-handed (a·(b×c) = {:.6g} Å³), which makes no difference here",
                                                   s.source, s.cell->determinant()));
  const bool any_periodic = s.pbc[0] || s.pbc[1] || s.pbc[2];
  if (!any_periodic && s.virial && !s.virial->isZero(0))
    findings_.warning("virial",
                      fmt::format("{}: the frame has a virial or stress, but pbc is F F F: its atoms see no images; correct pbc, or take "
                                  "the virial out",
                                  s.source));
  const double shortest = s.cell->rowwise().norm().minCoeff();
  const bool looks_fractional =
      any_periodic && s.size() >= 4 && shortest > 2.5 && s.positions.minCoeff() > -0.01 && s.positions.maxCoeff() < 1.01;
  if (looks_fractional)
    findings_.warning("positions",
                      fmt::format("{}: all positions lie between 0 and 1 in a cell of {:.3g} Å and more; they seem to be fractional, "
                                  "expected Å",
                                  s.source, shortest));
}

void DataChecker::check_distances(const Structure& s, const NeighborList& list) {
  double worst = std::numeric_limits<double>::infinity(), distance = 0;
  int first = 0, second = 0;
  std::int64_t lonely = 0;
  for (int i = 0; i < s.size(); ++i) {
    const auto a = static_cast<std::size_t>(i);
    lonely += list.begin()[a] == list.begin()[a + 1];
    for (std::size_t p = list.begin()[a]; p < list.begin()[a + 1]; ++p) {
      const double d = list.distance()[p];
      if (d > 3) continue;  // beyond 0.3 of any sum of radii
      const int j = list.index()[p];
      const double fraction = d / (covalent_radius(s.atomic_numbers[a]) + covalent_radius(s.atomic_numbers[static_cast<std::size_t>(j)]));
      if (fraction >= worst) continue;
      worst = fraction;
      distance = d;
      first = i;
      second = j;
    }
  }
  const std::string pair = first == second ? fmt::format("atom {} and its own image", atom_name(s, first))
                                           : fmt::format("atoms {} and {}", atom_name(s, first), atom_name(s, second));
  if (worst < std::numeric_limits<double>::infinity() && distance < closest_distance)
    findings_.error(
        "overlap",
        fmt::format("{}: {} are {:.3g} Å apart, expected at least {:g} Å; is the frame damaged, are positions or Lattice not in Å, "
                    "or do pbc or Lattice not belong to the positions?",
                    s.source, pair, distance, closest_distance));
  else if (worst < closest_fraction)
    findings_.warning("overlap",
                      fmt::format("{}: {} are {:.3g} Å apart, {:.0f} % of the sum of their covalent radii; if that is not meant, take the "
                                  "frame out",
                                  s.source, pair, distance, 100 * worst));
  if (list.cutoff() < 2 || s.size() == 1) return;
  ++frames_of_several_;
  frames_with_neighbors_ += list.pair_count() > 0;
  if (lonely > 0 && lonely_atoms_ == 0) first_lonely_ = s.source;
  lonely_atoms_ += lonely;
}

void DataChecker::check_targets(const Structure& s) {
  const bool is_used = std::any_of(targets().begin(), targets().end(),
                                   [&](const TargetInfo& target) { return options_.use[target.property] && !target.rows(s).empty(); });
  if (!is_used)
    findings_.warning(
        "no target", fmt::format("{}: the frame has no energy, forces or virial that is fitted, and adds nothing but candidates for sparse "
                                 "points; take it out or name the keys in [data], or with --energy-key and its like",
                                 s.source));
  if (s.energy && *s.energy == 0 && s.size() > 1)
    findings_.warning("zero energy", fmt::format("{}: the energy of {} atoms is exactly 0; if it stands for a missing value, take it out",
                                                 s.source, s.size()));
  if (!s.forces) return;
  Eigen::Index atom = 0, component = 0;
  const double largest = s.forces->cwiseAbs().maxCoeff(&atom, &component);
  if (largest > largest_force)
    findings_.warning("large force", fmt::format("{}: a force of {:.4g} eV/Å on atom {}, more than {:g}; check units and structure",
                                                 s.source, largest, atom_name(s, static_cast<int>(atom)), largest_force));
  const double net = s.forces->colwise().sum().norm(), size = s.forces->norm();
  const bool is_whole = std::none_of(s.force_mask.begin(), s.force_mask.end(), [](bool is_left_out) { return is_left_out; });
  if (s.size() > 1 && is_whole && net > 0.1 && net > 0.3 * size)
    findings_.warning("net force",
                      fmt::format("{}: the forces add up to {:.3g} eV/Å, expected 0; were some set to zero (constraints), or are the "
                                  "columns mixed up? The model cannot fit a net force",
                                  s.source, net));
  if (s.size() == 1 && size > 1e-3)
    findings_.warning("net force", fmt::format("{}: a frame of one atom has a force of {:.3g} eV/Å, expected 0", s.source, size));
}

void DataChecker::check_other_values(const Structure& s) {
  for (const Field& field : s.fields)
    if (has_nan(field.value))
      findings_.note("NaN", fmt::format("{}: key '{}', which is not used, holds NaN or infinity", s.source, field.key));
  for (const Column& column : s.columns) {
    const auto* reals = std::get_if<std::vector<double>>(&column.values);
    const bool is_masked = !s.force_mask.empty() && column.count == 3;
    if (reals && has_nan(*reals))
      findings_.note("NaN", fmt::format("{}: column '{}', which is not used{}, holds NaN or infinity", s.source, column.name,
                                        is_masked ? " for the atoms that the mask leaves out" : ""));
  }
}

void DataChecker::check_duplicate(const Structure& s, const FramePlace& place) {
  Known now{std::numeric_limits<double>::quiet_NaN(), -1, -1, place.part, place.frame};
  if (s.energy) now.energy = *s.energy;
  if (s.forces) now.forces = static_cast<float>(s.forces->norm());
  if (s.virial) now.virial = static_cast<float>(s.virial->norm());
  const auto [found, is_new] = known_.emplace(fingerprint(s), now);
  if (is_new) return;
  const Known& before = found->second;
  const std::string other = fmt::format("frame {} of {}", before.frame, parts_[static_cast<std::size_t>(before.file)]);
  const auto differ = [](float a, float b) { return a >= 0 && b >= 0 && std::abs(a - b) > 1e-3f + 1e-3f * std::max(a, b); };
  if (std::abs(now.energy - before.energy) > 1e-4 * s.size())
    findings_.warning("duplicate",
                      fmt::format("{}: the same structure as {} with another energy: {:.8g} eV against {:.8g} eV; keep the right one",
                                  s.source, other, now.energy, before.energy));
  else if (differ(now.forces, before.forces) || differ(now.virial, before.virial))
    findings_.warning("duplicate", fmt::format("{}: the same structure as {} with other {}; keep the right one", s.source, other,
                                               differ(now.forces, before.forces) ? "forces" : "virial or stress"));
  else
    findings_.note("duplicate", fmt::format("{}: the same structure as {}; it counts twice", s.source, other));
}

void DataChecker::remember_names(const Structure& s) {
  look_alikes_.add(s);
  constexpr std::size_t most = 200;
  for (const Field& field : s.fields)
    if (field_names_.size() < most) field_names_.insert(field.key);
  for (const Column& column : s.columns)
    if (column_names_.size() < most) column_names_.insert(column.name);
  has_mask_ = has_mask_ || !s.force_mask.empty();
}

}  // namespace gapkit
