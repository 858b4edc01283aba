#include "active/round_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/needed_properties.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/model/term_kernel.hpp>
#include <gapkit/report/error_table.hpp>

#include "active/event_log.hpp"
#include "active/noise.hpp"

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

bool needs_statistics(const LoopOptions& options) {
  return options.growth.every != 1;
}

/// The configuration of the fit of a round.
FitConfiguration configuration_of_round(const LoopOptions& options, const LoopFolder& folder, int round) {
  FitConfiguration fit = options.fit;
  if (folder.labels() > 0) fit.train.push_back(folder.labelled().string());
  for (TermOptions& term : fit.terms) {
    if (term.selection == "file" || term.selection == "indices" || term.selection == "uniform" || term.selection == "all" ||
        options.growth.every == 0)
      continue;
    term.n_sparse = grown(term.n_sparse, folder.labels(), options.growth);
    for (auto& [combination, n] : term.species_n_sparse) n = grown(n, folder.labels(), options.growth);
  }
  fit.keep_statistics = needs_statistics(options);
  fit.model_path = (folder.round(round) / "model.h5").string();
  fit.checkpoint_path = fit.model_path + ".checkpoint";
  return fit;
}

/// Progress without messages, which are the same in every round.
ProgressCallback quieter(const ProgressCallback& progress, int round) {
  if (!progress || round == 0) return progress;
  return [&progress](const ProgressEvent& event) {
    if (event.message.empty()) progress(event);
  };
}

void fit_all(const LoopOptions& options, const LoopFolder& folder, int round, const ProgressCallback& progress) {
  const FitConfiguration fit = configuration_of_round(options, folder, round);
  const FitFiles files(fit.train, fit.validation, fit.used_keys());
  FitData data = files.data();
  if (round > 0 && options.growth.every > 0) {
    const Model before = load_model(folder.round(round - 1) / "model.h5");
    for (const Term& term : before.terms)
      if (term.sparse.size() > 0) data.kept_points[term.label()] = term.sparse;
    for (auto& [label, set] : data.kept_points) set.origin.clear();  // numbers of frames may have changed
  }
  const FitResult result = fit_configured(data, fit, quieter(progress, round));
  if (result.statistics)
    save_model(result.model, *result.statistics, fit.model_path);
  else
    save_model(result.model, fit.model_path);
  std::error_code ignored;
  std::filesystem::remove(fit.checkpoint_path, ignored);
}

void append_labels(const LoopOptions& options, const LoopFolder& folder, int round, const ProgressCallback& progress) {
  const std::filesystem::path before = folder.round(round - 1) / "model.h5";
  FittedModel fitted;
  fitted.model = load_model(before);
  fitted.stored = load_statistics(before, fitted.model);
  append(fitted, FileDataset({(folder.round(round - 1) / "labels.xyz").string()}, fitted.stored.rules.keys), progress);
  if (options.fit.optimize.objective != OptimizeOptions::Objective::none) {
    RefitOptions again;
    again.optimize = options.fit.optimize;
    refit(fitted, again, progress);
  }
  save_model(fitted.model, fitted.stored, folder.round(round) / "model.h5");
}

ErrorTable validation_errors(const LoopOptions& options, const std::shared_ptr<const Model>& model, const ProgressCallback& progress) {
  ErrorTable table;
  Predictor predictor(model);
  FileDataset(options.fit.validation, options.fit.keys).visit([&](const Structure& frame, const FramePlace& place) {
    const Prediction prediction = predictor.compute(frame);
    table.add(frame, prediction);
    if (progress) progress({.phase = "validation errors", .done = static_cast<double>(place.number + 1), .unit = "frames"});
  });
  return table;
}

/// The training frames in two halves, with the isolated atoms in both; empty with too few frames.
std::vector<DatasetView> halves_of(const Dataset& train) {
  std::vector<std::int64_t> halves[2];
  std::int64_t count = 0;
  for (const DatasetSummary::Frame& frame : train.summary().frames)
    if (frame.atoms == 1) {  // isolated atoms go to both halves
      halves[0].push_back(frame.number);
      halves[1].push_back(frame.number);
    } else {
      halves[count++ % 2].push_back(frame.number);
    }
  std::vector<DatasetView> views;
  if (count < 4) return views;
  for (auto& numbers : halves) views.emplace_back(train, std::move(numbers));
  return views;
}

}  // namespace

int grown(int n_sparse, int labels, const GrowthOptions& growth) {
  const std::int64_t wanted = n_sparse + static_cast<std::int64_t>(growth.per_label) * labels;
  return static_cast<int>(std::max<std::int64_t>(n_sparse, std::min<std::int64_t>(wanted, growth.max)));
}

RoundModel model_of_round(const LoopOptions& options, const LoopFolder& folder, const ProgressCallback& progress) {
  const int round = static_cast<int>(folder.finished().size());
  const std::filesystem::path path = folder.round(round) / "model.h5", facts = folder.round(round) / "model.json";
  RoundModel result;
  const bool grows = round == 0 || (options.growth.every > 0 && round % options.growth.every == 0);
  result.appended = !grows;
  double seconds = 0;
  if (!std::filesystem::exists(path)) {
    const Stopwatch stopwatch;
    if (grows)
      fit_all(options, folder, round, progress);
    else
      append_labels(options, folder, round, progress);
    seconds = stopwatch.seconds();
  }
  result.model = std::make_shared<const Model>(load_model(path));
  result.sparse_points = sparse_count(result.model->terms);
  if (!std::filesystem::exists(facts)) {
    const ErrorTable::Row errors = validation_errors(options, result.model, progress).total();
    const std::int64_t before =
        round == 0 ? static_cast<std::int64_t>(FileDataset(options.fit.train, options.fit.used_keys()).summary().frames.size())
                   : folder.finished().front().summary.frames;
    Json json = {{"frames", before + folder.labels()}, {"seconds", rounded(seconds, 4)}};
    PerTarget<double> rmse;
    for (const TargetInfo& target : targets()) rmse[target.property] = errors[target.property].rmse();
    put_rmse(json, rmse);
    write_json(facts, json);
  }
  const Json json = read_json(facts);
  result.frames = json.at("frames");
  result.seconds = json.at("seconds");
  result.rmse = rmse_from(json);
  return result;
}

CalibrationPoint point_of(Predictor& predictor, const Structure& labelled, ThresholdOptions::Quantity quantity, double* energy_error) {
  CalibrationPoint point;
  PredictionRequest request = request_of(quantity);
  request.forces = have_derivatives(predictor.model().terms);
  request.force_std = request.forces && (request.force_std || labelled.forces.has_value());
  const Prediction p = predictor.compute(labelled, request);
  point.bar = error_bar(p, quantity);
  if (energy_error) *energy_error = labelled.energy ? (p.energy - *labelled.energy) / labelled.size() : std::nan("");
  if (!labelled.forces || !p.forces) return point;
  std::vector<double> noise = row_noise(predictor.model(), Property::force, labelled);
  if (std::all_of(noise.begin(), noise.end(), [](double x) { return x == 0; }))
    noise.assign(noise.size(), noise_unit(predictor.model(), Property::force, labelled.config_type));
  for (int i = 0; i < labelled.size(); ++i) {
    if (!labelled.force_mask.empty() && labelled.force_mask[static_cast<std::size_t>(i)]) continue;
    point.count += 3;
    point.error += (p.forces->row(i) - labelled.forces->row(i)).squaredNorm();
    point.epistemic += p.forces_std_epistemic->row(i).squaredNorm();
    for (std::size_t row = 3 * static_cast<std::size_t>(i), end = row + 3; row < end; ++row) point.noise += noise[row] * noise[row];
  }
  return point;
}

std::vector<CalibrationPoint> first_points(const LoopOptions& options, const LoopFolder& folder, const ProgressCallback& progress) {
  const std::filesystem::path file = folder.round(0) / "first_errors.json";
  if (!std::filesystem::exists(file)) {
    Json json = Json::array();
    const FitFiles files(options.fit.train, options.fit.validation, options.fit.used_keys());
    const std::vector<DatasetView> halves = halves_of(files.train);
    FitOptions of_half = options.fit;
    keep_needed_properties(of_half);  // the errors are those of energies and forces
    for (std::size_t half = 0; half < halves.size(); ++half) {
      try {
        const FitData data{halves[half], files.data().validation};
        const auto model = std::make_shared<const Model>(fit(data, of_half, {.progress = quieter(progress, 1)}).model);
        Predictor predictor(model, error_bar_points(options.threshold, *model));
        halves[1 - half].visit([&](const Structure& s, const FramePlace&) {
          const CalibrationPoint p = point_of(predictor, s, options.threshold.quantity);
          if (s.size() > 1 && p.count > 0) json.push_back({p.count, p.error, p.epistemic, p.noise, p.bar});
        });
      } catch (const InputError&) {
        // Half of the data may lack an element or targets; the loop begins without these points.
      }
    }
    write_json(file, json);
  }
  std::vector<CalibrationPoint> points;
  for (const Json& p : read_json(file)) points.push_back({p.at(0), p.at(1), p.at(2), p.at(3), p.at(4)});
  return points;
}

}  // namespace gapkit
