#include "fit/left_out_calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/model/prior.hpp>
#include <set>

#include "fit/accumulate.hpp"
#include "fit/cautious_calibration.hpp"
#include "fit/left_out_structures.hpp"

namespace gapkit {
namespace {

constexpr double least_b = 0.2;            // of a row's σ: components that symmetry makes zero would drive b to 0
constexpr double familiar_share = 0.999;   // of the left-out rows have less novelty than what counts as familiar
constexpr double vanishing_prior = 1e-10;  // eV², (eV/Å)², or in the unit of a property: zero by symmetry
// Atoms whose priors of forces are computed, which takes as long as their error bars: a part of all, within bounds.
constexpr std::int64_t part_with_prior = 8, fewest_with_prior = 300, most_with_prior = 1000;
constexpr Eigen::Index share_of_points = 4;  // error bars from a quarter of the points have factors of their own
constexpr Eigen::Index fewest_points = 16;
// Atoms of a cautious calibration whose forces get J and C: in all, and of each structure.
constexpr int cautious_atoms = 1200, fewest_cautious = 3, most_cautious = 16;

/// Rows of structures by a pass of its own.
void visit_rows(const Dataset& training, std::vector<std::int64_t> numbers, bool is_exact, const Model& model, const RowRules& rules,
                LeftOutStructures& left_out, const std::function<void(double atoms)>& show) {
  if (numbers.empty()) return;
  std::sort(numbers.begin(), numbers.end());
  const Regularization regularization(rules);
  const RowSink sink{.wants = [](std::int64_t) { return true; },
                     .take = [&](std::vector<KeptRows> structures) { left_out.add(std::move(structures)); },
                     .is_exact = is_exact,
                     .is_only = true};
  accumulate(DatasetView(training, std::move(numbers)),
             {.model = model, .regularization = regularization, .folds = FoldAssigner({}, {}, 0), .fingerprint = "", .sink = sink}, {},
             show);
}

std::vector<std::int64_t> numbers_without(const std::vector<std::int64_t>& all, const std::vector<KeptRows>& kept) {
  std::set<std::int64_t> known;
  for (const KeptRows& structure : kept) known.insert(structure.number);
  std::vector<std::int64_t> rest;
  for (const std::int64_t number : all)
    if (!known.count(number)) rest.push_back(number);
  return rest;
}

/// The variances and errors of the structures in the form that calibrations take.
struct Errors {
  PerTarget<HeldOutRows> rows;
  HeldOutRows of_fewer;  // forces with variances of fewer points
  std::map<std::string, int> config_types;

  void add(const LeftOutStructure& structure, int index) {
    const int type = config_types.try_emplace(structure.config_type, static_cast<int>(config_types.size())).first->second;
    for (const LeftOutRow& row : structure.rows) {
      const TargetInfo& target = target_info(row.property);
      const double epistemic = std::sqrt(target.is_per_atom ? row.data : row.jackknife);
      // Components that symmetry makes zero are zero to rounding for every model.
      if (target.vanishes(row.reference + row.error, row.reference, epistemic) || !(epistemic + row.noise > 0)) continue;
      add_row(rows[row.property], row, epistemic, index, type);
      if (row.property == Property::force) add_row(of_fewer, row, std::sqrt(row.data_of_fewer), index, type);
    }
  }

 private:
  static void add_row(HeldOutRows& all, const LeftOutRow& row, double epistemic, int structure, int type) {
    all.error.push_back(row.error);
    all.epistemic.push_back(epistemic);
    all.noise.push_back(row.noise);
    all.structure.push_back(structure);
    all.config_type.push_back(type);
    if (target_info(row.property).is_per_atom) all.element.push_back(row.element);
  }
};

/// Novelty over prior of left-out rows, by property.
class Novelties {
 public:
  Novelties(const Model& model, const std::vector<LeftOutStructure>& structures) : model_(model), prior_(model.terms) {
    for (const LeftOutStructure& structure : structures) by_number_[structure.number] = &structure;
    scale_.resize(static_cast<Eigen::Index>(model.terms.size()));
    for (Eigen::Index t = 0; t < scale_.size(); ++t) scale_[t] = std::pow(model.posterior.delta_ratio[static_cast<std::size_t>(t)], 2);
  }

  /// `is_whole`: also of forces and virial, which take much longer.
  void add(const Structure& s, std::int64_t number, bool is_whole) {
    const LeftOutStructure& structure = *by_number_.at(number);
    Observables wanted = Observables::none();
    for (const LeftOutRow& row : structure.rows)
      wanted.wants(row.property) = is_whole || row.property == Property::energy || row.property == Property::value;
    if (wanted.rows(s.size()) == 0) return;
    const StructureEnvironments environments(s, largest_cutoff(model_.terms));
    const PriorVariances of_terms = wanted.has_local() ? prior_.property(environments.view(), wanted, local_weights(wanted, s.positions))
                                                       : prior_.observables(environments.view(), s.size(), wanted);
    const Vector prior = of_terms.value * scale_;
    for (const LeftOutRow& row : structure.rows) {
      if (!wanted.wants(row.property)) continue;
      const double all = prior[wanted.first_row(row.property, s.size()) + row.row];
      if (!(all > vanishing_prior)) continue;
      ratios_[row.property].push_back(std::clamp(1 - row.spanned / all, 0.0, 1.0));
      if (row.property == Property::force) of_fewer_.push_back(std::clamp(1 - row.spanned_of_fewer / all, 0.0, 1.0));
    }
  }

  PerTarget<double> familiar() {
    PerTarget<double> result;
    for (const TargetInfo& target : all_targets()) result[target.property] = quantile(ratios_[target.property]);
    return result;
  }
  /// Of forces, with the first points.
  double familiar_of_fewer() { return quantile(of_fewer_); }

 private:
  static double quantile(std::vector<double>& ratios) {
    if (ratios.empty()) return 0;
    const auto place = static_cast<std::size_t>(std::ceil(familiar_share * static_cast<double>(ratios.size()))) - 1;
    std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(place), ratios.end());
    return ratios[place];
  }

  const Model& model_;
  Prior prior_;
  Vector scale_;
  std::map<std::int64_t, const LeftOutStructure*> by_number_;
  PerTarget<std::vector<double>> ratios_;
  std::vector<double> of_fewer_;
};

// Atoms of each element of the model in each structure.
Matrix counts_of_elements(const Model& model, const std::vector<LeftOutStructure>& structures) {
  Matrix counts = Matrix::Zero(static_cast<Eigen::Index>(structures.size()), static_cast<Eigen::Index>(model.reference_energies.size()));
  for (std::size_t s = 0; s < structures.size(); ++s)
    for (const LeftOutAtom& atom : structures[s].local_energies) {
      const auto element = std::distance(model.reference_energies.begin(), model.reference_energies.find(atom.element));
      counts(static_cast<Eigen::Index>(s), element) += structures[s].atoms > 1 ? 1 : 0;
    }
  return counts;
}

void set_familiar(const Model& model, const Dataset& training, const std::vector<LeftOutStructure>& structures,
                  const std::function<void(double atoms)>& show, Calibration& calibration) {
  std::vector<std::int64_t> numbers;
  std::int64_t atoms = 0;
  for (const LeftOutStructure& s : structures) {
    numbers.push_back(s.number);
    atoms += s.atoms;
  }
  std::sort(numbers.begin(), numbers.end());
  const std::int64_t wanted = std::clamp(atoms / part_with_prior, fewest_with_prior, most_with_prior);
  Novelties novelties(model, structures);
  std::int64_t seen = 0, whole = 0;
  DatasetView(training, std::move(numbers)).visit([&](const Structure& s, const FramePlace& place) {
    seen += s.size();
    const bool is_whole =
        static_cast<double>(whole) * static_cast<double>(atoms) <= static_cast<double>(wanted) * static_cast<double>(seen);
    if (is_whole) whole += s.size();
    novelties.add(s, place.number, is_whole);
    show(0);
  });
  calibration.familiar = novelties.familiar();
  const auto is_of_fewer = [](const CalibrationFactors& f) { return f.points > 0; };
  if (std::any_of(calibration.factors.begin(), calibration.factors.end(), is_of_fewer))
    calibration.familiar_of_fewer = novelties.familiar_of_fewer();
}

}  // namespace

double left_out_bytes(const FitOptions& options, Eigen::Index points) {
  const double matrices = options.calibration.cautious ? 4 + most_left_out_groups / 2.0 : 4.0;
  return matrices * sizeof(double) * static_cast<double>(points) * static_cast<double>(points);
}

LeftOutCalibration::LeftOutCalibration(const Dataset& training, const FitOptions& options, Eigen::Index points, double bytes,
                                       const std::vector<std::int64_t>& known)
    : training_(training), options_(options), plan_(plan_left_out(training.summary(), options, points, bytes, known)) {}

RowSink LeftOutCalibration::sink() {
  return {.wants = [this](std::int64_t number) { return std::binary_search(plan_.kept.begin(), plan_.kept.end(), number); },
          .take =
              [this](std::vector<KeptRows> structures) {
                for (KeptRows& structure : structures) kept_.push_back(std::move(structure));
              }};
}

void LeftOutCalibration::watch(const Structure& frame, std::int64_t number) {
  Checksum checksum;
  add_frame(checksum, frame);
  checksums_.emplace_back(checksum.value(), number);
  if (frame.size() == 1 && std::binary_search(plan_.sample.begin(), plan_.sample.end(), number)) lone_atoms_.insert(number);
}

std::set<std::int64_t> LeftOutCalibration::repeated() const {
  auto sorted = checksums_;
  std::sort(sorted.begin(), sorted.end());
  std::set<std::int64_t> result;
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i].first == sorted[i - 1].first) {
      result.insert(sorted[i].second);
      result.insert(sorted[i - 1].second);
    }
  return result;
}

std::optional<Calibration> LeftOutCalibration::calibrate(const Model& model, const RowRules& rules, const ProgressCallback& progress) {
  const Eigen::Index points = model.factor.size();
  const int fewer = points / share_of_points >= fewest_points ? static_cast<int>(points / share_of_points) : 0;
  LeftOutStructures left_out(model, rules, plan_.sample, fewer);
  if (options_.calibration.cautious)
    left_out.leave_out_groups(
        group_rule(training_.summary(), kept_, options_.seed),
        std::clamp(cautious_atoms / std::max(1, static_cast<int>(plan_.sample.size())), fewest_cautious, most_cautious));
  const NearCopies near_copies(model, training_.summary(), options_.seed);
  left_out.leave_out_around(near_copies);
  const std::vector<std::int64_t> missing = numbers_without(plan_.needed, kept_);
  const auto show = [&](double atoms) {
    if (progress) progress({.phase = "calibrate", .done = atoms, .unit = "atoms"});
  };
  constexpr std::size_t batch = 64;  // structures
  for (std::size_t first = 0; first < kept_.size(); first += batch) {
    const auto begin = kept_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(std::min(first + batch, kept_.size()));
    left_out.add({std::make_move_iterator(begin), std::make_move_iterator(end)});
    show(0);
  }
  kept_.clear();
  if (!missing.empty() && progress)
    progress({.phase = "calibrate",
              .message = fmt::format("the rows of {} of {} structures that the error bars need exceed --memory: one more pass over them{}",
                                     missing.size(), plan_.needed.size(),
                                     plan_.needed.size() > plan_.sample.size() ? " ([calibration] energies = \"sample\" avoids it)" : "")});
  visit_rows(training_, missing, false, model, rules, left_out, show);
  visit_rows(training_, left_out.imprecise(), true, model, rules, left_out, show);

  const std::vector<LeftOutStructure>& structures = left_out.finish();
  const std::set<std::int64_t> copies = repeated();
  Errors errors;
  int index = 0;
  std::vector<LeftOutAtom> atoms;
  for (const LeftOutStructure& structure : structures) {  // a copy was not left out; an isolated atom is the zero of energy
    if (copies.count(structure.number) || lone_atoms_.count(structure.number)) continue;
    errors.add(structure, index++);
    atoms.insert(atoms.end(), structure.local_energies.begin(), structure.local_energies.end());
  }
  Calibration result;
  result.source = "leave_one_out";
  FactorRules factor_rules{.fewest_structures = options_.calibration.fewest_structures, .least_b = least_b, .has_quality = true};
  const auto append = [&](Property property, const HeldOutRows& rows) {
    const auto found = factors_of_rows(property, rows, errors.config_types, factor_rules);
    result.factors.insert(result.factors.end(), found.begin(), found.end());
  };
  std::set<std::int64_t> excluded = copies;
  excluded.insert(lone_atoms_.begin(), lone_atoms_.end());
  if (options_.calibration.cautious)
    result.factors = cautious_factors({model, training_, left_out, structures, excluded, options_.calibration.fewest_structures});
  for (const TargetInfo& target : all_targets()) {
    if (options_.calibration.cautious) break;
    factor_rules.part = target.is_per_atom ? EpistemicPart::data : EpistemicPart::jackknife;
    append(target.property, errors.rows[target.property]);
  }
  report_uncalibrated(model, result, options_.calibration.fewest_structures, progress);
  if (result.factors.empty()) return std::nullopt;
  if (fewer > 0 && result.covers(Property::force) && !options_.calibration.cautious) {
    factor_rules.part = EpistemicPart::data;
    factor_rules.points = fewer;
    append(Property::force, errors.of_fewer);
  }
  set_familiar(model, training_, structures, show, result);
  const auto is_of_frame = [](const CalibrationFactors& f) { return !target_info(f.property).is_per_atom; };
  if (options_.calibration.cautious || std::any_of(result.factors.begin(), result.factors.end(), is_of_frame))
    result.jackknife = left_out.jackknife_factor();
  if (options_.field == AtomicField::energy)
    result.extrapolation = extrapolation_thresholds(model, atoms, settles_elements(counts_of_elements(model, structures)), progress);
  return result;
}

}  // namespace gapkit
