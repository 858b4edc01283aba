#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/active/choose.hpp>
#include <gapkit/active/loop.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <gapkit/predict/closeness.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/predict/predictor.hpp>

#include "active/event_log.hpp"
#include "active/label_step.hpp"
#include "active/loop_folder.hpp"
#include "active/loop_page.hpp"
#include "active/proposal_file.hpp"
#include "active/round_model.hpp"
#include "active/source.hpp"

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

/// The largest error bar in the summaries of the sources.
double largest_std(const Json& sources) {
  double largest = 0;
  for (const auto& [name, facts] : sources.items()) {
    if (facts.contains("largest_std")) largest = std::max(largest, facts.at("largest_std").get<double>());
    if (facts.contains("replicas")) largest = std::max(largest, largest_std(facts.at("replicas")));
  }
  return largest;
}

std::vector<std::unique_ptr<Source>> make_sources(const LoopOptions& options) {
  std::vector<std::unique_ptr<Source>> sources;
  for (const SourceOptions& source : options.sources) sources.push_back(make_source(source, options));
  return sources;
}

class Loop {
 public:
  Loop(const LoopOptions& options, const ProgressCallback& progress, const RoundCallback& round_done)
      : options_(options),
        progress_(progress),
        round_done_(round_done),
        sources_(make_sources(options_)),
        labeller_(make_labeller(options_.labeller)),
        folder_(options),
        log_(folder_.log()) {}

  LoopResult run() {
    log_.add(folder_.is_new() ? "begin" : "continue", {{"round", folder_.finished().size()}, {"labels", folder_.labels()}});
    for (const FinishedRound& round : folder_.finished())
      if (round_done_) round_done_(round.summary);
    label_start();
    while (true) {
      begin_round();
      if (const auto end = limit_reached()) return finish(*end);
      if (!propose()) return finish(LoopResult::End::quiet);
      choose();
      label();
      end_round();
    }
  }

 private:
  int round() const { return round_.summary.round; }
  std::filesystem::path folder() const { return folder_.round(round()); }

  /// Makes the model and the threshold of the round.
  void begin_round() {
    round_ = {};
    round_stopwatch_.restart();
    RoundSummary& s = round_.summary;
    s.round = static_cast<int>(folder_.finished().size());
    s.labels = folder_.labels();
    s.sources = "{}";
    s.label_force_rmse = s.label_energy_rmse = std::nan("");
    const RoundModel model = model_of_round(options_, folder_, progress_);
    predictor_ = std::make_unique<Predictor>(model.model, error_bar_points(options_.threshold, *model.model));
    s.frames = model.frames;
    s.sparse_points = model.sparse_points;
    s.appended = model.appended;
    s.fit_seconds = model.seconds;
    s.rmse = model.rmse;
    std::error_code ignored;
    std::filesystem::copy_file(folder() / "model.h5", folder_.model().string() + ".new", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(folder_.model().string() + ".new", folder_.model());

    std::vector<CalibrationPoint> points;
    if (options_.threshold.mode == ThresholdOptions::Mode::automatic) points = first_points(options_, folder_, progress_);
    for (const FinishedRound& finished : folder_.finished()) points.insert(points.end(), finished.points.begin(), finished.points.end());
    std::optional<Threshold> previous;
    if (!folder_.finished().empty()) previous = folder_.finished().back().threshold;
    round_.threshold = threshold_of(options_.threshold, *model.model, points, previous);
    const std::string remark = s.round == 0 ? threshold_remark(options_.threshold, *model.model, points) : "";
    if (progress_ && !remark.empty()) progress_({.phase = "threshold", .message = remark});
    s.threshold = round_.threshold.value;
    s.upper = round_.threshold.upper;
    s.a = round_.threshold.scale.a;
    s.b = round_.threshold.scale.b;
    log_.add("model", {{"round", s.round},
                       {"labels", s.labels},
                       {"frames", s.frames},
                       {"sparse_points", s.sparse_points},
                       {"how", s.appended ? "statistics updated" : "pass over all data"},
                       {"seconds", s.fit_seconds},
                       {"energy_rmse", rounded(s.rmse[Property::energy])},
                       {"force_rmse", rounded(s.rmse[Property::force])},
                       {"threshold", rounded(s.threshold)},
                       {"upper", rounded(s.upper)},
                       {"a", rounded(s.a, 4)},
                       {"b", rounded(s.b, 4)}});
  }

  std::optional<LoopResult::End> limit_reached() const {
    if (options_.goal.labels > 0 && folder_.labels() >= options_.goal.labels) return LoopResult::End::labels;
    if (round() >= options_.goal.rounds) return LoopResult::End::rounds;
    if (options_.goal.wall_time > 0 && folder_.seconds() >= options_.goal.wall_time) return LoopResult::End::wall_time;
    return std::nullopt;
  }

  /// False if no source proposes a structure.
  bool propose() {
    const std::filesystem::path path = folder() / "proposals.xyz", summary = folder() / "sources.json";
    if (!std::filesystem::exists(summary)) {
      const std::map<std::string, std::set<std::int64_t>> used = used_frames();
      RoundContext context{round(),     folder(), round() > 0 ? folder_.round(round() - 1) : std::filesystem::path(),
                           *predictor_, options_, round_.threshold,
                           used,        log_,     progress_};
      std::vector<Proposal> proposals;
      for (context.turn = 0; context.turn == 0 || (proposals.empty() && std::any_of(sources_.begin(), sources_.end(),
                                                                                    [](const auto& s) { return !s->is_quiet(); }));) {
        ++context.turn;
        for (const auto& source : sources_) source->propose(context, proposals);
      }
      if (options_.labeller.kind != "given")
        for (Proposal& proposal : proposals) remove_targets(proposal.structure);
      write_proposals(path, proposals, options_.fit.keys);
      Json facts = Json::object();
      for (std::size_t i = 0; i < sources_.size(); ++i) facts[options_.sources[i].name] = Json::parse(sources_[i]->summary());
      write_json(summary, facts);
    }
    proposals_ = read_proposals(path, options_.fit.keys);
    round_.summary.sources = read_json(summary).dump();
    round_.summary.proposed = static_cast<int>(proposals_.size());
    round_.summary.largest_std = largest_std(Json::parse(round_.summary.sources));
    log_.add("propose", {{"round", round()},
                         {"proposed", round_.summary.proposed},
                         {"largest_std", rounded(round_.summary.largest_std)},
                         {"sources", Json::parse(round_.summary.sources)}});
    return !proposals_.empty();
  }

  std::map<std::string, std::set<std::int64_t>> used_frames() const {
    std::map<std::string, std::set<std::int64_t>> used;
    for (const FinishedRound& r : folder_.finished())
      for (const auto& [source, frames] : r.used) used[source].insert(frames.begin(), frames.end());
    return used;
  }

  void choose() {
    const std::filesystem::path path = folder() / "chosen.xyz";
    if (!std::filesystem::exists(path)) {
      int count = options_.choose.per_round;
      if (options_.goal.labels > 0) count = std::min(count, options_.goal.labels - folder_.labels());
      const Stopwatch stopwatch;
      const std::uint64_t seed = options_.fit.seed + 0x9E3779B97F4A7C15u * static_cast<std::uint64_t>(round() + 1);
      std::vector<ChosenProposal> chosen;
      Json list = Json::array();
      for (const Choice& choice : choose_batch(predictor_->model(), proposals_, options_.choose, count, seed)) {
        const Proposal& proposal = proposals_[static_cast<std::size_t>(choice.proposal)];
        chosen.push_back({proposal, round(), choice.score, distance_ratio(proposal), largest_grade(proposal)});
        list.push_back({{"source", proposal.source},
                        {"frame", proposal.frame},
                        {"std", rounded(choice.std)},
                        {"score", rounded(choice.score)},
                        {"why", proposal.why}});
      }
      write_chosen(path, chosen, options_.fit.keys);
      log_.add("choose", {{"round", round()}, {"seconds", rounded(stopwatch.seconds(), 3)}, {"chosen", list}});
    }
    chosen_ = read_chosen(path, options_.fit.keys);
    round_.summary.chosen = static_cast<int>(chosen_.size());
    for (const ChosenProposal& c : chosen_) round_.used[c.proposal.source].insert(c.proposal.frame);
  }

  /// Closeness::ratio of a chosen structure; warns if its atoms are too close.
  std::optional<double> distance_ratio(const Proposal& chosen) const {
    const Closeness found = closeness(predictor_->model(), chosen.structure);
    if (found.too_close && progress_)
      progress_(
          {.phase = "choose",
           .message = fmt::format("frame {} of source '{}' will be labelled: {}", chosen.frame, chosen.source, found.too_close->text()),
           .is_warning = true});
    return found.ratio;
  }

  std::optional<double> largest_grade(const Proposal& chosen) const {
    if (!gives_extrapolation(predictor_->model(), chosen.structure.atomic_numbers)) return std::nullopt;
    const PredictionRequest request{.forces = false, .extrapolation = true, .difference = true};
    return predictor_->compute(chosen.structure, request).extrapolation.value().maxCoeff();
  }

  void label() {
    const std::filesystem::path path = folder() / "labels.xyz";
    std::vector<Structure> structures;
    for (const ChosenProposal& c : chosen_) structures.push_back(c.proposal.structure);
    label_structures(
        *labeller_, options_, structures, path, [&](std::size_t i, const Label& label) { log_label(i, label); }, progress_);
    labelled_ = read_labelled_frames(path, options_.fit.keys);
    round_.summary.labelled = static_cast<int>(labelled_.size());
    round_.summary.failed = round_.summary.chosen - round_.summary.labelled;
  }

  void log_label(std::size_t number, const Label& label) {
    const Proposal& asked = chosen_[number].proposal;
    Json facts = {{"round", round()},
                  {"number", number},
                  {"source", asked.source},
                  {"frame", asked.frame},
                  {"seconds", rounded(label.seconds, 4)},
                  {"attempts", label.attempts}};
    if (!label.structure) {
      facts["failure"] = label.failure;
      log_.add("label failed", facts);
      return;
    }
    double energy_error = 0;
    const CalibrationPoint point = point_of(*predictor_, *label.structure, options_.threshold.quantity, &energy_error);
    facts["std"] = rounded(asked.std);
    facts["force_rmse"] = rounded(std::sqrt(point.error / point.count));
    facts["force_rms_std"] = rounded(std::sqrt(point.epistemic / point.count));
    facts["energy_error"] = rounded(1000 * energy_error);
    log_.add("label", facts);
  }

  /// Labels the structures of loop.start before the first fit.
  void label_start() {
    if (options_.start.empty()) return;
    std::vector<Structure> structures;
    FileDataset(options_.start, options_.fit.keys).visit([&](const Structure& s, const FramePlace&) { structures.push_back(s); });
    for (Structure& s : structures) s.set_field(options_.fit.keys.config_type, s.config_type);
    const auto note = [&](std::size_t i, const Label& label) {
      Json facts = {{"number", i}, {"seconds", rounded(label.seconds, 4)}, {"attempts", label.attempts}};
      if (!label.structure) facts["failure"] = label.failure;
      log_.add(label.structure ? "start label" : "start label failed", facts);
    };
    label_structures(*labeller_, options_, structures, folder_.start(), note, progress_);
    options_.fit.train.push_back(folder_.start().string());
  }

  void end_round() {
    RoundSummary& s = round_.summary;
    double count = 0, force = 0, energy = 0;
    int energies = 0;
    for (const Structure& frame : labelled_) {
      double energy_error = 0;
      round_.points.push_back(point_of(*predictor_, frame, options_.threshold.quantity, &energy_error));
      count += round_.points.back().count;
      force += round_.points.back().error;
      if (!std::isfinite(energy_error)) continue;
      energy += energy_error * energy_error;
      ++energies;
    }
    s.label_force_rmse = std::sqrt(force / count);
    s.label_energy_rmse = 1000 * std::sqrt(energy / energies);
    s.seconds = round_stopwatch_.seconds();
    log_.add("round", {{"round", s.round},
                       {"labelled", s.labelled},
                       {"failed", s.failed},
                       {"label_force_rmse", rounded(s.label_force_rmse)},
                       {"label_energy_rmse", rounded(s.label_energy_rmse)},
                       {"seconds", rounded(s.seconds, 4)}});
    folder_.finish(round_);
    write_page("running");
    if (round_done_) round_done_(s);
  }

  /// Writes the page of the finished rounds; `last`: the round of the final model.
  void write_page(const std::string& state, const RoundSummary* last = nullptr) const {
    std::vector<RoundSummary> rounds;
    for (const FinishedRound& r : folder_.finished()) rounds.push_back(r.summary);
    if (last) rounds.push_back(*last);
    const std::vector<ChosenProposal> labelled =
        folder_.labels() > 0 ? read_chosen(folder_.labelled(), options_.fit.keys) : std::vector<ChosenProposal>();
    TemporaryFile file(folder_.page());
    file.append(loop_page(options_, rounds, labelled, state));
    file.commit();
  }

  LoopResult finish(LoopResult::End end) {
    LoopResult result;
    result.end = end;
    using End = LoopResult::End;
    result.reason = end == End::quiet    ? "no structure is above the threshold"
                    : end == End::labels ? "the budget of labels is spent"
                    : end == End::rounds ? "the number of rounds is reached"
                                         : "the wall time is spent";
    for (const FinishedRound& r : folder_.finished()) result.rounds.push_back(r.summary);
    result.rounds.push_back(round_.summary);  // the final model
    result.model = folder_.model();
    result.labelled = folder_.labelled();
    if (round_done_) round_done_(round_.summary);
    write_page(result.reason, &round_.summary);
    log_.add("end", {{"reason", result.reason}, {"rounds", round()}, {"labels", folder_.labels()}});
    return result;
  }

  LoopOptions options_;
  const ProgressCallback& progress_;
  const RoundCallback& round_done_;
  // Before the folder, which keeps the configuration: one that is refused leaves none behind.
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<Labeller> labeller_;
  LoopFolder folder_;
  EventLog log_;

  FinishedRound round_;  // the current one
  Stopwatch round_stopwatch_;
  std::unique_ptr<Predictor> predictor_;
  std::vector<Proposal> proposals_;
  std::vector<ChosenProposal> chosen_;
  std::vector<Structure> labelled_;
};

}  // namespace

LoopResult run_loop(const LoopOptions& options, const ProgressCallback& progress, const RoundCallback& round_done) {
  return Loop(options, progress, round_done).run();
}

}  // namespace gapkit
