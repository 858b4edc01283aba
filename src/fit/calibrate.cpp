#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/model/term_kernel.hpp>

#include "fit/row_targets.hpp"

namespace gapkit {
namespace {

bool is_isolated_atom(const Structure& frame, double cutoff) {
  return frame.size() == 1 && NeighborList(frame, cutoff).pair_count() == 0;
}

}  // namespace

void Calibrator::use(std::shared_ptr<const Model> model) {
  model_ = std::move(model);
  predictor_ = std::make_unique<Predictor>(model_);
}

void Calibrator::add(const Structure& frame) {
  const Observables wanted = wanted_rows(rules_, frame);
  if (wanted.rows(frame.size()) == 0) return;
  // An isolated atom is the zero of energy, and a copy of a frame adds no information.
  if (is_isolated_atom(frame, model_->cutoff())) return;
  Checksum checksum;
  add_frame(checksum, frame);
  if (!seen_.insert(checksum.value()).second) return;
  PredictionRequest request{.forces = have_derivatives(model_->terms), .calibrated = false};
  for (const TargetInfo& target : targets()) request.std_of(target.property) = wanted.wants(target.property);
  const Prediction prediction = predictor_->compute(frame, request);
  const int type = config_types_.try_emplace(frame.config_type, static_cast<int>(config_types_.size())).first->second;
  for (const TargetInfo& target : targets()) {
    if (!wanted.wants(target.property)) continue;
    const std::vector<double> noise_of_rows = row_noise(*model_, target.property, frame);
    HeldOutRows& rows = rows_[target.property];
    for (const ComparedRow& row : compared_rows(frame, prediction, target)) {
      const double noise = noise_of_rows[static_cast<std::size_t>(row.row)];
      // Components that symmetry makes zero are zero to rounding for every model.
      if (target.vanishes(row.predicted, row.reference, row.epistemic) || !(row.epistemic + noise > 0)) continue;
      rows.error.push_back(row.error());
      rows.epistemic.push_back(row.epistemic);
      rows.noise.push_back(noise);
      rows.structure.push_back(static_cast<int>(structures_));
      rows.config_type.push_back(type);
    }
  }
  ++structures_;
}

std::optional<Calibration> Calibrator::calibration(const std::string& source, const ProgressCallback& progress) const {
  Calibration result;
  result.source = source;
  for (const TargetInfo& target : targets()) {
    const Property property = target.property;
    const auto found = factors_of_rows(property, rows(property), config_types_, {.fewest_structures = fewest_structures_});
    result.factors.insert(result.factors.end(), found.begin(), found.end());
  }
  if (model_) report_uncalibrated(*model_, result, fewest_structures_, progress);
  if (result.factors.empty()) return std::nullopt;
  return result;
}

std::optional<Calibration> calibrate_on(const Dataset& data, const Model& model, const RowRules& rules, const CalibrationOptions& options,
                                        std::uint64_t seed, const ProgressCallback& progress) {
  DatasetSummary summary = data.summary();
  summary.check_complete();
  RandomStream random{.seed = seed, .stream = 0xD1B54A32D192ED03u};
  shuffle(summary.frames, random);
  std::vector<std::int64_t> chosen;
  double total = 0;
  for (const DatasetSummary::Frame& frame : summary.frames) {
    if (total > 0 && total + frame.atoms > static_cast<double>(options.most_atoms)) continue;
    chosen.push_back(frame.number);
    total += frame.atoms;
  }
  std::sort(chosen.begin(), chosen.end());
  Calibrator calibrator(rules, options.fewest_structures);
  calibrator.use(std::make_shared<const Model>(model));
  double done = 0;
  DatasetView(data, std::move(chosen)).visit([&](const Structure& s, const FramePlace&) {
    calibrator.add(s);
    done += s.size();
    if (progress) progress({.phase = "calibrate", .done = done, .total = total, .unit = "atoms"});
  });
  return calibrator.calibration("validation", progress);
}

std::vector<std::vector<std::int64_t>> choose_held_out(const Dataset& data, double fraction, int rounds, std::uint64_t seed) {
  const DatasetSummary summary = data.summary();
  std::map<std::string, std::vector<DatasetSummary::Frame>> config_types;
  std::map<int, std::int64_t> frames_with;  // by element
  const auto elements_of = [&](const DatasetSummary::Frame& frame) -> const std::vector<int>& {
    return summary.element_sets[static_cast<std::size_t>(frame.elements)];
  };
  for (const DatasetSummary::Frame& frame : summary.frames) {
    for (const int z : elements_of(frame)) ++frames_with[z];
    if (frame.atoms > 1) config_types[summary.config_types[static_cast<std::size_t>(frame.config_type)]].push_back(frame);
  }
  RandomStream random{.seed = seed, .stream = 0xA0761D6478BD642Fu};
  for (auto& [name, frames] : config_types) shuffle(frames, random);
  std::vector<std::vector<std::int64_t>> result;
  std::map<std::string, std::size_t> next;  // frame of each config type
  double owed = 0.5;                        // remainder of rounding; types with few structures take turns
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::int64_t>& held_out = result.emplace_back();
    std::map<int, std::int64_t> left = frames_with;
    for (const auto& [name, frames] : config_types) {
      owed += fraction * static_cast<double>(frames.size());
      const auto whole = static_cast<std::size_t>(owed);
      owed -= static_cast<double>(whole);
      for (std::size_t k = 0; k < std::min(whole, frames.size() - 1); ++k) {
        const DatasetSummary::Frame& frame = frames[next[name]++ % frames.size()];
        const std::vector<int>& elements = elements_of(frame);
        if (std::any_of(elements.begin(), elements.end(), [&](int z) { return left[z] < 2; })) continue;
        for (const int z : elements) --left[z];
        held_out.push_back(frame.number);
      }
    }
    std::sort(held_out.begin(), held_out.end());
  }
  return result;
}

}  // namespace gapkit
