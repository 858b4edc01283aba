#include "fit/input_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/sample_errors.hpp>
#include <gapkit/kernels/kernel.hpp>

namespace gapkit {
namespace {

constexpr std::array<double, 7> scales = {0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
constexpr std::size_t usual_place = 3;
constexpr int steps_from_neighbour = 2;  // of the search for σ and δ
// Fewer points ask for smaller scales (docs/accuracy.md), so this is more than in other samples.
constexpr std::array<int, 3> points_of_scales = {500, 300, 100};  // the first whose sums fit into the memory
static_assert(scales[usual_place] == usual_input_scale);

using Losses = std::array<double, scales.size()>;

/// The mean of a loss with those of its neighbours. The loss is a smooth function of log s, but few structures far from all others make it
/// uneven: their errors are extrapolations, which change by factors from one scale to the next.
double smooth_loss(const Losses& losses, std::size_t place) {
  const std::size_t below = place > 0 ? place - 1 : place, above = std::min(place + 1, losses.size() - 1);
  if (!std::isfinite(losses[place])) return INFINITY;
  const auto known = [&](std::size_t neighbour) { return std::isfinite(losses[neighbour]) ? losses[neighbour] : losses[place]; };
  return 0.5 * losses[place] + 0.25 * (known(below) + known(above));
}

/// The errors of one term's scales.
class ScaleErrors {
 public:
  ScaleErrors(const Dataset& training, const std::map<int, double>& reference_energies, FitOptions& options, TermOptions& term,
              const ProgressCallback& progress)
      : training_(training), reference_energies_(reference_energies), options_(options), term_(term), progress_(progress) {}

  /// Leaves the best scale in the term; the usual one if the data are too few.
  void search() {
    const bool has_errors = find_losses();
    std::size_t best = usual_place;
    for (std::size_t place = 0; place < scales.size() && has_errors; ++place)
      if (smooth_loss(losses_, place) < smooth_loss(losses_, best)) best = place;
    term_.input_scale_over_size = scales[best];
    if (!progress_) return;
    const std::string chosen = fmt::format("term '{}': input_scale {{ over_size = {} }}", term_.name, scales[best]);
    std::string all;
    for (const std::string& text : texts_)
      if (!text.empty()) all += (all.empty() ? "" : "; ") + text;
    progress_({.phase = "input scale",
               .message = has_errors ? fmt::format("{} by errors of {} structures in {} folds, at most {} points: {}", chosen, structures_,
                                                   folds_, points_, all)
                                     : chosen + ", the usual one: a choice needs 20 structures, points that are selected, and memory"});
  }

 private:
  /// Returns false if the data are too few, or the memory is.
  bool choose_points() {
    for (const int points : points_of_scales) {
      const std::optional<FitPlan> plan = plan_of_sample(training_, options_, reference_energies_, points_ = points);
      if (!plan) return false;
      if (plan->memory_bytes <= 1e9 * options_.memory) return true;
    }
    return false;
  }

  /// From the usual scale down and up: the search for σ and δ begins where that of the neighbour has ended. Returns false if the data are
  /// too few.
  bool find_losses() {
    losses_.fill(INFINITY);
    if (!choose_points()) return false;
    const auto usual = find_loss(usual_place, {});
    if (!usual) return false;
    auto near = *usual;
    for (std::size_t place = usual_place; place-- > 0;) near = find_loss(place, near).value_or(near);
    near = *usual;
    for (std::size_t place = usual_place + 1; place < scales.size(); ++place) near = find_loss(place, near).value_or(near);
    return true;
  }

  /// Returns where the search for σ and δ has ended; absent if the data are too few.
  std::optional<std::map<std::string, double>> find_loss(std::size_t place, const std::map<std::string, double>& start) {
    term_.input_scale_over_size = scales[place];
    FitOptions options = options_;
    options.optimize.start = start;
    if (!start.empty()) options.optimize.max_evaluations = std::min(options.optimize.max_evaluations, steps_from_neighbour);
    try {
      const std::optional<SampleErrors> errors = fold_errors_of_sample(training_, options, reference_energies_, progress_, points_);
      if (!errors) return std::nullopt;
      structures_ = errors->structures;
      folds_ = errors->folds;
      texts_[place] = fmt::format("{} with {}", errors->text(), scales[place]);
      if (std::isfinite(errors->loss())) losses_[place] = errors->loss();
      return errors->factors;
    } catch (const NumericalError&) {
      return start;
    }
  }

  const Dataset& training_;
  const std::map<int, double>& reference_energies_;
  FitOptions& options_;
  TermOptions& term_;
  const ProgressCallback& progress_;
  std::int64_t structures_ = 0;
  int folds_ = 0, points_ = 0;
  Losses losses_ = {};
  std::array<std::string, scales.size()> texts_;
};

}  // namespace

bool has_free_input_scale(const TermOptions& term) {
  const std::vector<ParameterInfo>& parameters = kernel_kind(term.kernel).parameters;
  const bool has_scale =
      std::any_of(parameters.begin(), parameters.end(), [](const ParameterInfo& info) { return info.name == "input_scale"; });
  return has_scale && term.descriptor == "symmetry_functions" && term.compression.kind == "none" && !term.input_scale_over_size &&
         term.kernel_parameters.real("input_scale") == 0;
}

void choose_input_scales(const Dataset& training, const std::map<int, double>& reference_energies, FitOptions& options,
                         const ProgressCallback& progress) {
  std::vector<std::size_t> free;
  for (std::size_t t = 0; t < options.terms.size(); ++t)
    if (has_free_input_scale(options.terms[t])) free.push_back(t);
  for (const std::size_t t : free) options.terms[t].input_scale_over_size = usual_input_scale;
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    if (!progress) return;
    ProgressEvent named = event;
    if (event.message.empty()) named.phase = "input scale: " + event.phase;
    progress(named);
  };
  for (const std::size_t t : free) ScaleErrors(training, reference_energies, options, options.terms[t], shown).search();
}

}  // namespace gapkit
