#include "fit/label_checks.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/checksum.hpp>
#include <numeric>
#include <set>

#include "fit/findings.hpp"
#include "fit/known_factors.hpp"

namespace gapkit {
namespace {

constexpr std::size_t most_groups = 10000;
constexpr std::size_t most_copies = 20000;  // in all, about 200 bytes each
constexpr std::size_t most_copies_of_one = 16;
constexpr double largest_displacement = 0.25;  // Å, up to which the mean of two forces gives the energy difference well
constexpr double largest_strain = 0.06;

std::map<int, int> reduced_composition(const std::vector<int>& atomic_numbers) {
  std::map<int, int> composition;
  for (const int z : atomic_numbers) ++composition[z];
  int divisor = 0;
  for (const auto& [z, n] : composition) divisor = std::gcd(divisor, n);
  if (divisor > 1)
    for (auto& [z, n] : composition) n /= divisor;
  return composition;
}

/// Fractional positions on a grid whose lines avoid simple fractions.
std::optional<std::uint64_t> fractional_fingerprint(const Structure& s) {
  constexpr double grid = 200, offset = 0.3719;
  const double determinant = s.cell->determinant();
  if (!(std::abs(determinant) > 1e-6)) return std::nullopt;
  const Matrix3 inverse = s.cell->inverse();
  Checksum sum;
  for (int i = 0; i < s.size(); ++i) {
    const Eigen::RowVector3d f = s.positions.row(i) * inverse;
    sum.add(static_cast<std::int64_t>(s.atomic_numbers[static_cast<std::size_t>(i)]));
    for (int k = 0; k < 3; ++k) {
      const double place = std::floor((f[k] - std::floor(f[k])) * grid + offset);
      sum.add(place >= grid ? 0.0 : place);
    }
  }
  return sum.value();
}

}  // namespace

bool LabelChecks::Group::is_narrow() const {
  const double size = std::abs(mean());
  return frames >= 2 && highest - lowest <= 0.5 * size;
}

LabelChecks::LabelChecks(std::vector<std::string> files) : files_(std::move(files)), sums_(files_.size()) {}

void LabelChecks::add(const Structure& s, const FramePlace& place) {
  Sums& sums = sums_[static_cast<std::size_t>(place.part)];
  // Further types share the last place, which is no type then.
  const bool has_place = sums_of_types_.size() < most_groups || sums_of_types_.count({place.part, s.config_type});
  Sums& of_type = sums_of_types_[{place.part, has_place ? s.config_type : "(others)"}];
  const double atoms = s.size();
  if (s.energy && s.size() > 1) {
    GroupKey key{reduced_composition(s.atomic_numbers), s.config_type, place.part};
    if (groups_.size() < most_groups || groups_.count(key)) {
      Group& group = groups_[key];
      const double e = *s.energy / atoms;
      group.lowest = group.frames ? std::min(group.lowest, e) : e;
      group.highest = group.frames ? std::max(group.highest, e) : e;
      group.sum += e;
      ++group.frames;
    }
  }
  if (s.forces && s.size() > 1) {
    ++sums.frames_with_forces;
    sums.frames_with_zero_forces += s.forces->isZero(0);
  }
  if (s.virial && s.cell) {
    const double size = s.virial->cwiseAbs().maxCoeff() / atoms;
    if (size > 0) sums.virial_per_atom.push_back(static_cast<float>(size));
  }
  if (s.energy && s.forces && s.force_mask.empty()) compare_with_previous(s, place.part, sums, of_type);
  if (s.energy && s.virial && s.cell) compare_strained_copies(s, place.part, sums, of_type);
}

void LabelChecks::compare_with_previous(const Structure& s, int file, Sums& all, Sums& of_type) {
  const bool is_alike = previous_ && previous_file_ == file && previous_->config_type == s.config_type &&
                        previous_->atomic_numbers == s.atomic_numbers && previous_->cell.has_value() == s.cell.has_value() &&
                        (!s.cell || previous_->cell->isApprox(*s.cell, 1e-9));
  if (is_alike) {
    Positions moved = s.positions - previous_->positions;
    if (s.cell && std::abs(s.cell->determinant()) > 1e-6) {
      const Matrix3 inverse = s.cell->inverse();
      for (int i = 0; i < s.size(); ++i) {
        Eigen::RowVector3d f = moved.row(i) * inverse;
        for (int k = 0; k < 3; ++k)
          if (s.pbc[static_cast<std::size_t>(k)]) f[k] -= std::round(f[k]);
        moved.row(i) = f * *s.cell;
      }
    }
    if (moved.cwiseAbs().maxCoeff() <= largest_displacement)
      for (Sums* sums : {&all, &of_type})
        sums->displaced.add(-0.5 * (*s.forces + *previous_->forces).cwiseProduct(moved).sum(), *s.energy - *previous_->energy, s.size(), 1);
  }
  // Only the compared parts of the frame.
  previous_.emplace();
  previous_->config_type = s.config_type;
  previous_->cell = s.cell;
  previous_->atomic_numbers = s.atomic_numbers;
  previous_->positions = s.positions;
  previous_->energy = s.energy;
  previous_->forces = s.forces;
  previous_file_ = file;
}

void LabelChecks::compare_strained_copies(const Structure& s, int file, Sums& all, Sums& of_type) {
  const std::optional<std::uint64_t> fingerprint = fractional_fingerprint(s);
  if (!fingerprint) return;
  if (copy_count_ >= most_copies && !copies_.count(*fingerprint)) return;
  auto& copies = copies_[*fingerprint];
  Checksum origin;
  origin.add(static_cast<std::int64_t>(file));
  origin.add(s.config_type);
  const StrainedCopy* nearest = nullptr;
  Matrix3 strain = Matrix3::Zero();
  for (const StrainedCopy& copy : copies) {
    if (copy.origin != origin.value()) continue;
    const Matrix3 change = copy.cell.inverse() * *s.cell - Matrix3::Identity();
    const double size = change.cwiseAbs().maxCoeff();
    if (size < 1e-6 || size > largest_strain || (nearest && size >= strain.cwiseAbs().maxCoeff())) continue;
    nearest = &copy;
    strain = change;
  }
  if (nearest) {
    const double volume = 0.5 * (s.volume() + std::abs(nearest->cell.determinant()));
    const Matrix3 symmetric = 0.5 * (strain + strain.transpose());
    for (Sums* sums : {&all, &of_type})
      sums->strained.add(-0.5 * (nearest->virial + *s.virial).cwiseProduct(symmetric).sum(), *s.energy - nearest->energy, s.size(), volume);
  }
  if (copies.size() >= most_copies_of_one)
    copies.erase(copies.begin());
  else if (copy_count_ >= most_copies)
    return;
  else
    ++copy_count_;
  copies.push_back({origin.value(), *s.cell, *s.virial, *s.energy});
}

void LabelChecks::finish(Findings& findings, const TargetReport& targets, const std::map<int, double>& reference_energies) const {
  report_slopes(findings, targets);
  report_virial_size(findings, targets);
  report_energies_between_groups(findings);
  report_energies_against_atoms(findings, reference_energies);
  for (std::size_t f = 0; f < files_.size(); ++f)
    if (sums_[f].frames_with_forces >= 3 && sums_[f].frames_with_forces == sums_[f].frames_with_zero_forces)
      findings.warning("zero forces",
                       fmt::format("{}: the forces of all {} frames with more than one atom are exactly 0; if they only fill a "
                                   "column, take it out or name another with [data] forces_key or --forces-key",
                                   files_[f], sums_[f].frames_with_forces));
}

void LabelChecks::report_slopes(Findings& findings, const TargetReport& targets) const {
  struct Law {
    Slopes Sums::*slopes;
    const char *pairs_of, *law;
    std::vector<LabelTransformation> causes;
  };
  const std::vector<Law> laws = {
      {&Sums::displaced, "pairs of frames with small displacements", "−force·displacement", displacement_causes()},
      {&Sums::strained, "pairs of strained copies", targets.keys_of("stress").empty() ? "−virial:strain" : "stress·volume:strain",
       strain_causes(targets)}};
  // True if there was something to report.
  const auto report = [&](const Slopes& slopes, const std::string& where, const Law& law) {
    const SlopeCauses causes = causes_of(slopes, law.causes);
    const Slope& plain = slopes.plain();
    if (plain.pairs < 3 || (!plain.is_clear() && causes.meaning.empty())) return false;
    const double s = plain.value(), size = std::abs(s);
    if (s >= 0.75 && s <= 1.33) return false;
    const std::string found =
        fmt::format("{}: energy differences of {} {} are {:.4g} times {}", where, plain.pairs, law.pairs_of, s, law.law);
    if (causes.meaning.empty()) {
      findings.warning("labels",
                       found +
                           ", expected 1: energies and their derivatives do not belong together (units, sign, or an energy that is "
                           "not the one the forces are derivatives of)");
    } else {
      const bool is_certain = causes.is_close && (causes.is_reversed || size > 5 || size < 0.2);
      const char* kind = causes.is_reversed ? "signs" : "units";
      is_certain ? findings.error(kind, found + ": " + causes.meaning) : findings.warning(kind, found + ": " + causes.meaning);
    }
    return true;
  };
  for (std::size_t f = 0; f < files_.size(); ++f)
    for (const Law& law : laws) {
      std::vector<std::pair<std::string, const Slopes*>> types;
      for (const auto& [key, sums] : sums_of_types_)
        if (static_cast<std::size_t>(key.first) == f)
          types.emplace_back(fmt::format("{}, config type '{}'", files_[f], key.second), &(sums.*law.slopes));
      const Slopes& all = sums_[f].*law.slopes;
      const bool is_of_one_type = types.size() > 1 && std::any_of(types.begin(), types.end(), [&](const auto& t) {
                                    return t.second->plain().pairs == all.plain().pairs;
                                  });
      if (!is_of_one_type && report(all, files_[f], law)) continue;
      for (const auto& [name, of_type] : types) report(*of_type, name, law);
    }
}

void LabelChecks::report_virial_size(Findings& findings, const TargetReport& targets) const {
  constexpr double largest_plausible = 20;  // eV per atom: more than diamond has at 500 GPa
  for (std::size_t f = 0; f < files_.size(); ++f) {
    std::vector<float> values = sums_[f].virial_per_atom;
    if (values.empty() || sums_[f].strained.plain().is_clear()) continue;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (*middle < largest_plausible) continue;
    const double gpa = *middle / gpa_per_ev_per_cubic_angstrom;
    findings.warning(
        "units", fmt::format("{}: the virials are {:.3g} eV per atom (median of the largest component in {} frames), expected less than "
                             "{:g}; {} ({:.3g} eV per atom if it was in GPa, {:.3g} in kBar)",
                             files_[f], *middle, values.size(), largest_plausible,
                             targets.keys_of("stress").empty() ? "is it in eV?" : "is the stress in eV/Å³?", gpa, gpa / 10));
  }
}

std::string LabelChecks::name_of(const GroupKey& key) const {
  return fmt::format("{} of config type '{}' in {}", formula(key.composition), key.config_type, files_[static_cast<std::size_t>(key.file)]);
}

void LabelChecks::report_energies_between_groups(Findings& findings) const {
  // The reference of each composition is the group with the most frames.
  for (auto begin = groups_.begin(); begin != groups_.end();) {
    auto end = begin;
    while (end != groups_.end() && end->first.composition == begin->first.composition) ++end;
    auto standard = groups_.end();
    for (auto g = begin; g != end; ++g)
      if (g->second.is_narrow() && (standard == groups_.end() || g->second.frames > standard->second.frames)) standard = g;
    std::set<GroupKey> suspected;  // each once
    for (auto g = begin; g != end && standard != groups_.end(); ++g) {
      if (g == standard || !g->second.is_narrow()) continue;
      const double ratio = standard->second.mean() / g->second.mean();
      const bool is_smaller = std::abs(ratio) > 1;
      const KnownFactor* known = find_factor(known_energy_factors(), is_smaller ? ratio : 1 / ratio, 0.12);
      if (!known || ratio < 0) continue;
      const auto& small = is_smaller ? g : standard;
      const auto& large = is_smaller ? standard : g;
      if (!suspected.insert(small->first).second) continue;
      findings.warning("units",
                       fmt::format("energies of {} are {:.6g} eV per atom, those of {} {:.6g}, {:.3g} times as much: are the former in {}? "
                                   "expected eV",
                                   name_of(small->first), small->second.mean(), name_of(large->first), large->second.mean(),
                                   large->second.mean() / small->second.mean(), known->meaning));
    }
    begin = end;
  }
}

void LabelChecks::report_energies_against_atoms(Findings& findings, const std::map<int, double>& reference_energies) const {
  constexpr double strongest_binding = 20, strongest_repulsion = 100;  // eV per atom
  for (const auto& [key, group] : groups_) {
    double atoms = 0, energy = 0;
    bool is_known = true;
    for (const auto& [z, n] : key.composition) {
      const auto e0 = reference_energies.find(z);
      is_known = is_known && e0 != reference_energies.end();
      atoms += n;
      if (is_known) energy += n * e0->second;
    }
    if (!is_known) continue;
    const double of_atoms = energy / atoms, mean = group.mean(), binding = mean - of_atoms;
    if (binding > -strongest_binding && binding < strongest_repulsion) continue;
    const double ratio = std::abs(mean) > std::abs(of_atoms) ? mean / of_atoms : of_atoms / mean;
    std::string hint = "; are one of them total energies and the others relative to something?";
    if (const KnownFactor* known = ratio > 0 ? find_factor(known_energy_factors(), ratio, 0.05) : nullptr)
      hint = fmt::format("; the {} seem to be in {}, expected eV", std::abs(mean) > std::abs(of_atoms) ? "reference energies" : "energies",
                         known->meaning);
    findings.warning("units",
                     fmt::format("energies of {} are {:.6g} eV per atom, the isolated atoms have {:.6g} on average: {:.4g} eV of binding "
                                 "per atom is not plausible{}",
                                 name_of(key), mean, of_atoms, -binding, hint));
  }
}

}  // namespace gapkit
