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
constexpr int usual_place = 3, place_count = static_cast<int>(scales.size());
static_assert(scales[usual_place] == usual_input_scale);

/// The errors of one term's scales, each computed once.
class ScaleErrors {
 public:
  ScaleErrors(const Dataset& training, const std::map<int, double>& reference_energies, FitOptions& options, TermOptions& term,
              const ProgressCallback& progress)
      : training_(training), reference_energies_(reference_energies), options_(options), term_(term), progress_(progress) {}

  /// Infinite if the fit fails; absent if the data are too few.
  std::optional<double> loss(int place) {
    set(place);
    try {
      const std::optional<SampleErrors> errors = fold_errors_of_sample(training_, options_, reference_energies_, progress_);
      if (!errors) return std::nullopt;
      structures_ = errors->structures;
      text_ += fmt::format("{}{} with {}", text_.empty() ? "" : "; ", errors->text(), scale_);
      const double loss = errors->loss();
      return std::isfinite(loss) ? loss : INFINITY;
    } catch (const NumericalError&) {
      return INFINITY;
    }
  }

  /// Leaves the best scale in the term.
  void search() {
    std::optional<double> best = loss(usual_place);
    int place = usual_place;
    if (best)
      for (const int step : {-1, 1}) {
        const int before = place;
        while (place + step >= 0 && place + step < place_count) {
          const std::optional<double> next = loss(place + step);
          if (!(next.value_or(INFINITY) < *best)) break;
          best = next;
          place += step;
        }
        if (place != before) break;
      }
    set(place);
    if (!progress_) return;
    const std::string chosen = fmt::format("term '{}': input_scale {{ over_size = {} }}", term_.name, scale_);
    progress_({.phase = "input scale",
               .message = best ? fmt::format("{} by errors of {} structures in five folds: {}", chosen, structures_, text_)
                               : chosen + ", the usual one: a choice needs 20 structures, and points that are selected"});
  }

 private:
  void set(int place) { set_input_scale(term_, scale_ = scales[static_cast<std::size_t>(place)]); }

  const Dataset& training_;
  const std::map<int, double>& reference_energies_;
  FitOptions& options_;
  TermOptions& term_;
  const ProgressCallback& progress_;
  double scale_ = usual_input_scale;
  std::int64_t structures_ = 0;
  std::string text_;
};

}  // namespace

bool has_free_input_scale(const TermOptions& term) {
  const std::vector<ParameterInfo>& parameters = kernel_kind(term.kernel).parameters;
  const bool has_scale =
      std::any_of(parameters.begin(), parameters.end(), [](const ParameterInfo& info) { return info.name == "input_scale"; });
  return has_scale && term.descriptor == "symmetry_functions" && term.compression.kind == "none" &&
         term.kernel_parameters.real("input_scale") == 0;
}

void set_input_scale(TermOptions& term, double over_size) {
  term.kernel_parameters.set("input_scale", -over_size);
}

void choose_input_scales(const Dataset& training, const std::map<int, double>& reference_energies, FitOptions& options,
                         const ProgressCallback& progress) {
  std::vector<std::size_t> free;
  for (std::size_t t = 0; t < options.terms.size(); ++t)
    if (has_free_input_scale(options.terms[t])) free.push_back(t);
  for (const std::size_t t : free) set_input_scale(options.terms[t], usual_input_scale);
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    if (!progress) return;
    ProgressEvent named = event;
    if (event.message.empty()) named.phase = "input scale: " + event.phase;
    progress(named);
  };
  for (const std::size_t t : free) ScaleErrors(training, reference_energies, options, options.terms[t], shown).search();
}

}  // namespace gapkit
