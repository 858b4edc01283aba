#include "fit/equilibration_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/covalent_radii.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <limits>
#include <numbers>

#include "fit/equilibrated_dataset.hpp"
#include "fit/frame_sample.hpp"
#include "fit/sample_options.hpp"

namespace gapkit {
namespace {

constexpr std::int64_t most_atoms_of_search = 2000;
constexpr int most_points_of_search = 100, most_steps_of_search = 25;
constexpr double first_hardness = 5;                                // eV/e²
constexpr double first_step = std::numbers::ln2, last_step = 0.15;  // of logarithms
constexpr int most_trials = 30;

/// Logarithms of the factor of the covalent radii, and of the hardness over its start.
using Outer = std::array<double, 2>;

Equilibration equilibration_at(const Outer& x, const Equilibration& given, const std::vector<int>& elements) {
  Equilibration result = given;
  for (const int z : elements) {
    result.widths.try_emplace(z, covalent_radius(z) * std::exp(x[0]));
    result.hardness.try_emplace(z, first_hardness * std::exp(x[1]));
  }
  return result;
}

/// A search along the two axes, with steps that become smaller.
class OuterSearch {
 public:
  OuterSearch(const Dataset& sample, const PropertyOptions& property, FitOptions options, const FieldFit& of_field,
              const ProgressCallback& progress)
      : sample_(sample), property_(property), options_(std::move(options)), of_field_(of_field), progress_(progress) {}

  Equilibration run(const std::vector<int>& elements) {
    const Equilibration& given = *property_.equilibration;
    const auto lacks = [&](const std::map<int, double>& values) {
      return std::any_of(elements.begin(), elements.end(), [&](int z) { return !values.count(z); });
    };
    const std::array<bool, 2> is_free = {lacks(given.widths), lacks(given.hardness)};
    Outer best = {0, 0};
    if (!is_free[0] && !is_free[1]) return equilibration_at(best, given, elements);
    double largest = evidence_at(equilibration_at(best, given, elements));
    for (double step = first_step; step > last_step && trials_ < most_trials; step /= 2)
      for (bool has_moved = true; has_moved && trials_ < most_trials;) {
        has_moved = false;
        for (std::size_t axis = 0; axis < 2; ++axis)
          for (const double sign : {1.0, -1.0}) {
            Outer x = best;
            x[axis] += sign * step;
            if (!is_free[axis] || std::abs(x[axis]) > largest_logarithm[axis]) continue;
            const double evidence = evidence_at(equilibration_at(x, given, elements));
            if (!(evidence > largest)) continue;
            largest = evidence;
            best = x;
            has_moved = true;
            break;
          }
      }
    return equilibration_at(best, given, elements);
  }

  int trials() const { return trials_; }

 private:
  static constexpr Outer largest_logarithm = {1.4, 3.5};

  // −∞ if equilibration has no solution.
  double evidence_at(const Equilibration& equilibration) {
    ++trials_;
    if (progress_) progress_({.phase = "equilibration", .done = static_cast<double>(trials_), .total = most_trials, .unit = "fits"});
    try {
      const EquilibratedDataset data(sample_, property_, equilibration);
      return of_field_(data, options_, {}).model.posterior.log_evidence;
    } catch (const InputError&) {
    } catch (const NumericalError&) {
    }
    return -std::numeric_limits<double>::infinity();
  }

  const Dataset& sample_;
  const PropertyOptions& property_;
  FitOptions options_;
  const FieldFit& of_field_;
  const ProgressCallback& progress_;
  int trials_ = 0;
};

/// A part of the frames, evenly over the sample.
std::vector<std::int64_t> frames_of_search(const DatasetSummary& summary, std::uint64_t seed) {
  std::vector<std::int64_t> sample = choose_sample(summary, seed);
  if (sample.empty())  // single atoms only
    for (const auto& frame : summary.frames) sample.push_back(frame.number);
  std::map<std::int64_t, std::int64_t> atoms_of;
  std::int64_t atoms = 0;
  for (const auto& frame : summary.frames) atoms_of[frame.number] = frame.atoms;
  for (const std::int64_t number : sample) atoms += atoms_of.at(number);
  const auto every = std::max<std::int64_t>(1, (atoms + most_atoms_of_search - 1) / most_atoms_of_search);
  std::vector<std::int64_t> chosen;
  for (std::size_t i = 0; i < sample.size(); i += static_cast<std::size_t>(every)) chosen.push_back(sample[i]);
  return chosen;
}

FitOptions options_of_search(const FitOptions& of_field) {
  FitOptions options = options_of_sample(of_field);
  options.optimize = of_field.optimize;
  options.optimize.max_evaluations = std::min(options.optimize.max_evaluations, most_steps_of_search);
  for (TermOptions& term : options.terms) {
    term.n_sparse = std::min(term.n_sparse, most_points_of_search);
    for (auto& [combination, points] : term.species_n_sparse) points = std::min(points, most_points_of_search);
  }
  return options;
}

std::string named_values(const std::map<int, double>& values) {
  std::string text;
  for (const auto& [z, value] : values) text += fmt::format("{}{} {:.3g}", text.empty() ? "" : ", ", element_symbol(z), value);
  return text;
}

}  // namespace

EquilibrationFit fit_equilibration(const Dataset& training, const PropertyOptions& property, const PropertyFacts& facts, FitOptions options,
                                   const FieldFit& of_field, const ProgressCallback& progress) {
  const DatasetView frames(training, facts.frames);
  std::vector<int> elements;
  for (const auto& [z, first] : facts.elements) elements.push_back(z);
  // Targets are differences from the means, and rows of sums of targets come from the response.
  for (auto& [symbol, mean] : options.reference_energies.values) mean = 0;
  options.use[Property::total] = false;
  options.calibration.source = CalibrationOptions::Source::none;
  EquilibrationFit fitted;
  {
    const DatasetView sample(frames, frames_of_search(facts.summary, options.seed));
    OuterSearch search(sample, property, options_of_search(options), of_field, progress);
    fitted.equilibration = search.run(elements);
    if (progress)
      progress({.phase = "equilibration",
                .message = fmt::format("widths {} Å, hardness {} eV/e²{}", named_values(fitted.equilibration.widths),
                                       named_values(fitted.equilibration.hardness),
                                       search.trials() > 0 ? fmt::format(", by evidence in {} fits", search.trials()) : "")});
  }
  const EquilibratedDataset data(frames, property, fitted.equilibration);
  fitted.result = of_field(data, options, progress);
  for (auto& [z, mean] : fitted.result.model.reference_energies)
    if (const auto found = data.electronegativities().find(z); found != data.electronegativities().end()) mean = found->second;
  return fitted;
}

}  // namespace gapkit
