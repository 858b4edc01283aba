#include "active/round_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/frames.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/report/error_table.hpp>

#include "active/event_log.hpp"
#include "active/noise.hpp"

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool needs_statistics(const LoopOptions& options) {
  return options.growth.every != 1;
}

/// The configuration of a round's fit.
FitOptions fit_options_of_round(const LoopOptions& options, const LoopFolder& folder, int round) {
  FitOptions fit = options.fit;
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
  fit.resolved = fit_options_to_toml(fit);
  fit.checkpoint_path = fit.model_path + ".checkpoint";
  return fit;
}

/// Progress without the remarks that are the same in every round.
ProgressCallback quieter(const ProgressCallback& progress, int round) {
  if (!progress || round == 0) return progress;
  return [&progress](const ProgressEvent& event) {
    if (event.message.empty()) progress(event);
  };
}

void fit_all(const LoopOptions& options, const LoopFolder& folder, int round, const ProgressCallback& progress) {
  FitOptions fit = fit_options_of_round(options, folder, round);
  if (round > 0 && options.growth.every > 0) {
    const Model before = load_model(folder.round(round - 1) / "model.h5");
    for (const Term& term : before.terms)
      if (term.sparse.size() > 0) fit.kept_points[term.label()] = term.sparse;
    for (auto& [label, set] : fit.kept_points) set.origin.clear();  // frames may have other numbers now
  }
  FitResult result = gapkit::fit(fit, quieter(progress, round));
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
  append(fitted, {(folder.round(round - 1) / "labels.xyz").string()}, progress);
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
  for_each_frame(options.fit.validation, options.fit.keys, nullptr, [&](const Structure& frame, std::int64_t number) {
    const Prediction prediction = predictor.compute(frame);
    table.add(frame, prediction);
    if (progress) progress({.phase = "validation errors", .done = static_cast<double>(number + 1), .unit = "frames"});
  });
  return table;
}

/// All that is known of a frame but its place in a file; needed to write it again.
std::vector<Structure> all_frames(const LoopOptions& options) {
  std::vector<Structure> frames;
  for (const std::string& file : options.fit.train) {
    ExtxyzReader reader(file);
    while (std::optional<Structure> frame = reader.next()) frames.push_back(std::move(*frame));
  }
  return frames;
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
    const double begin = now();
    if (grows)
      fit_all(options, folder, round, progress);
    else
      append_labels(options, folder, round, progress);
    seconds = now() - begin;
  }
  result.model = std::make_shared<const Model>(load_model(path));
  result.sparse_points = sparse_count(result.model->terms);
  if (!std::filesystem::exists(facts)) {
    const ErrorTable::Row errors = validation_errors(options, result.model, progress).total();
    const std::int64_t before =
        round == 0 ? static_cast<std::int64_t>(all_frames(options).size()) : folder.finished().front().summary.frames;
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
  request.forces = true;
  request.force_std = request.force_std || labelled.forces.has_value();
  const Prediction p = predictor.compute(labelled, request);
  point.bar = error_bar(p, quantity);
  if (energy_error) *energy_error = labelled.energy ? (p.energy - *labelled.energy) / labelled.size() : std::nan("");
  if (!labelled.forces) return point;
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
    std::vector<Structure> halves[2];
    int number = 0;
    for (const Structure& frame : all_frames(options)) {
      if (frame.size() == 1) {  // isolated atoms, which both halves may need
        halves[0].push_back(frame);
        halves[1].push_back(frame);
      } else {
        halves[number++ % 2].push_back(frame);
      }
    }
    for (int half = 0; half < 2 && number >= 4; ++half) {
      const std::filesystem::path learnt = folder.round(0) / "half.xyz", seen = folder.round(0) / "other_half.xyz";
      write_frames(learnt, halves[half]);
      write_frames(seen, halves[1 - half]);
      FitOptions fit = options.fit;
      fit.train = {learnt.string()};
      fit.checkpoint_path.clear();
      try {
        Predictor predictor(std::make_shared<const Model>(gapkit::fit(fit, quieter(progress, 1)).model));
        for_each_frame({seen.string()}, options.fit.keys, nullptr, [&](const Structure& s, std::int64_t) {
          const CalibrationPoint p = point_of(predictor, s, options.threshold.quantity);
          if (s.size() > 1 && p.count > 0) json.push_back({p.count, p.error, p.epistemic, p.noise, p.bar});
        });
      } catch (const InputError&) {
        // Half of the data may lack what the whole has; the loop begins without these points.
      }
      std::filesystem::remove(learnt);
      std::filesystem::remove(seen);
    }
    write_json(file, json);
  }
  std::vector<CalibrationPoint> points;
  for (const Json& p : read_json(file)) points.push_back({p.at(0), p.at(1), p.at(2), p.at(3), p.at(4)});
  return points;
}

}  // namespace gapkit
