// gap-fit --tune: the table of settings, the order of trials, their file, and the program as a process.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/io/xml.hpp>
#include <gapkit/model/model.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/workplace.hpp"
#include "common/tune_fits.hpp"
#include "common/tune_report.hpp"
#include "common/tune_search.hpp"

using namespace gapkit;
using namespace gapkit::test;
using apps::Knob;
using apps::Trial;

namespace {

/// The cutoff of soap is far too small: it does not reach the nearest neighbours of all atoms.
std::string poor_configuration(const std::string& more = "") {
  std::string text = small_configuration;
  const auto at = text.find("cutoff = 4.5");
  return text.replace(at, 12, "cutoff = 2.5") + more;
}

FitConfiguration options_of(const std::string& toml, const std::filesystem::path& folder = ".") {
  DataFiles none;
  none.train_in_memory = none.validation_in_memory = true;
  return parse_fit_options(toml, "test.toml", folder, none);
}

std::size_t index_of(const std::vector<Knob>& knobs, const std::string& key) {
  const auto found = std::find_if(knobs.begin(), knobs.end(), [&](const Knob& knob) { return knob.key() == key; });
  CAPTURE(key);
  REQUIRE(found != knobs.end());
  return static_cast<std::size_t>(found - knobs.begin());
}

bool has_knob(const std::vector<Knob>& knobs, const std::string& key) {
  return std::any_of(knobs.begin(), knobs.end(), [&](const Knob& knob) { return knob.key() == key; });
}

/// A trial whose errors are a given number in all of five folds, up to a pattern of some percent.
Trial trial_with_error(std::size_t level, const std::vector<double>& values, double error) {
  Trial trial;
  trial.level = level;
  trial.values = values;
  trial.flop = 1e9;
  for (const Property p : {Property::energy, Property::force})
    for (int fold = 0; fold < 5; ++fold) {
      trial.rows[p].push_back(10);
      trial.square[p].push_back(10 * error * error * (1 + 0.02 * fold));
    }
  return trial;
}

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Lines of a file of results that are trials.
std::vector<nlohmann::json> trials_in(const std::filesystem::path& path) {
  std::vector<nlohmann::json> trials;
  std::istringstream in(read_text(path));
  for (std::string line; std::getline(in, line);)
    if (const auto json = nlohmann::json::parse(line); json.contains("level")) trials.push_back(json);
  return trials;
}

}  // namespace

TEST_CASE("tune: the table has a setting for each parameter of the descriptors that it names, and skips those that a term lacks") {
  const std::vector<Knob> knobs = apps::knobs_of(options_of(small_configuration), {});
  for (const char* key :
       {"term.soap.cutoff", "term.soap.l_max", "term.soap.n_max", "term.soap.atom_sigma", "term.two_body.cutoff", "n_sparse"})
    CHECK(has_knob(knobs, key));
  CHECK(!has_knob(knobs, "term.three_body.cutoff"));
  for (const char* key : {"radial_weight", "compression", "rank"}) {
    CAPTURE(key);
    const auto& kinds = apps::knob_kinds();
    CHECK(std::any_of(kinds.begin(), kinds.end(), [&](const apps::KnobKind& kind) { return kind.key == key; }));
    const bool is_known = contains(fit_options_to_toml(options_of(small_configuration)), fmt::format("\n{} = ", key));
    if (is_known) CHECK(has_knob(knobs, fmt::format("term.soap.{}", key)));
    if (key == std::string("radial_weight")) CHECK(has_knob(knobs, "term.soap.radial_weight") == is_known);
  }
  check_close(knobs[index_of(knobs, "term.soap.cutoff")].start(), 4.5, 0);
  // Each setting makes a configuration that can be read, with that value.
  for (std::size_t k = 0; k < knobs.size(); ++k) {
    if (knobs[k].is_points()) continue;
    CAPTURE(knobs[k].key());
    std::vector<double> values;
    for (const Knob& knob : knobs) values.push_back(knob.start());
    const std::optional<double> up = knobs[k].moved(values[k], true, true);
    if (!up || !apps::has_effect(knobs, values, k)) continue;
    values[k] = *up;
    const auto changes = apps::overrides_of(knobs, values);
    REQUIRE(!changes.empty());
    const FitConfiguration changed = apps::settings_in(fit_options_to_toml(options_of(small_configuration)), changes);
    CHECK(fit_options_to_toml(changed) != fit_options_to_toml(options_of(small_configuration)));
    if (!knobs[k].kind().texts.empty()) continue;  // not left any more
    const std::vector<Knob> again = apps::knobs_of(changed, {});
    check_close(again[index_of(again, knobs[k].key())].start(), *up, 0);
  }
}

TEST_CASE("tune: ntk is tried beside the kernel of the configuration, with all features and with a learned metric") {
  const FitConfiguration options = options_of(small_configuration);
  const std::vector<Knob> knobs = apps::knobs_of(options, {});
  const std::size_t kernel = index_of(knobs, "term.soap.kernel"), compression = index_of(knobs, "term.soap.compression");
  CHECK(knobs[kernel].text(0) == "dot_product");
  CHECK(knobs[kernel].moved(0, true, false).value() == 1);
  for (const bool learned : {false, true}) {
    std::vector<double> values;
    for (const Knob& knob : knobs) values.push_back(knob.start());
    values[kernel] = 1;
    values[compression] = learned ? 1 : 0;
    const FitConfiguration changed = apps::settings_in(fit_options_to_toml(options), apps::overrides_of(knobs, values));
    const auto soap = std::find_if(changed.terms.begin(), changed.terms.end(), [](const TermOptions& t) { return t.descriptor == "soap"; });
    REQUIRE(soap != changed.terms.end());
    CHECK(soap->kernel == "ntk");
    CHECK(soap->kernel_parameters.text("activation") == "gelu");
    CHECK(!soap->kernel_parameters.has("zeta"));
    CHECK(soap->compression.kind == (learned ? "learned" : "none"));
    CHECK(!has_knob(apps::knobs_of(changed, {}), "term.soap.kernel"));  // not left any more
  }
}

TEST_CASE("tune: steps stay in the range and on the grid, and a kept setting is not searched") {
  const FitConfiguration options = options_of(small_configuration);
  const std::vector<Knob> knobs = apps::knobs_of(options, {});
  const Knob& cutoff = knobs[index_of(knobs, "term.soap.cutoff")];
  check_close(*cutoff.moved(4.5, true, false), 5.4, 1e-12);
  check_close(*cutoff.moved(4.5, false, false), 3.8, 1e-12);
  check_close(*cutoff.moved(11.9, true, false), 12, 1e-12);
  CHECK(!cutoff.moved(12, true, false));
  CHECK(!cutoff.moved(20, true, true));
  check_close(*cutoff.moved(20, false, true), 12, 1e-12);
  CHECK(cutoff.toml(6) == "6.0");
  const Knob& l_max = knobs[index_of(knobs, "term.soap.l_max")];
  check_close(*l_max.moved(3, false, false), 2, 0);
  CHECK(!l_max.moved(2, false, true));
  CHECK(l_max.toml(6) == "6");

  // channels = 0 is no contraction, not a small number of channels.
  CHECK(!has_knob(knobs, "term.soap.channels"));
  const FitConfiguration contracted = apps::settings_in(fit_options_to_toml(options), {{"term.soap.channels", "6"}});
  const std::vector<Knob> with_channels = apps::knobs_of(contracted, {});
  const Knob& channels = with_channels[index_of(with_channels, "term.soap.channels")];
  check_close(channels.start(), 6, 0);
  check_close(*channels.moved(6, false, false), 4, 0);
  CHECK(!channels.moved(4, false, true));
  CHECK(channels.toml(*channels.moved(6, true, false)) == "9");

  CHECK(!has_knob(apps::knobs_of(options, {"cutoff"}), "term.soap.cutoff"));
  CHECK(!has_knob(apps::knobs_of(options, {"cutoff"}), "term.two_body.cutoff"));
  CHECK(has_knob(apps::knobs_of(options, {"term.two_body.cutoff", "sigma"}), "term.soap.cutoff"));
  CHECK_THROWS_WITH_AS(apps::knobs_of(options, {"cutof"}), doctest::Contains("did you mean 'cutoff'?"), InputError);
  CHECK_THROWS_AS(apps::knobs_of(options, {"term.soap.delta"}), InputError);

  FitConfiguration scaled = options;
  scaled.terms.back().species_n_sparse = {{"Si", 400}};
  scaled.terms.back().max_candidates = 400;
  CHECK(apps::scale_points(scaled, 1.5));
  CHECK(scaled.terms.front().n_sparse == 10);  // a grid of pairs
  CHECK(scaled.terms.back().n_sparse == 45);
  CHECK(scaled.terms.back().species_n_sparse.at("Si") == 600);
  CHECK(scaled.terms.back().max_candidates == 600);
  CHECK(apps::scale_points(scaled, 0.01));
  CHECK(scaled.terms.back().n_sparse == 20);
}

TEST_CASE("tune: the search finds the best settings, from coarse to fine, and stops where nothing is gained") {
  const std::vector<Knob> knobs = apps::knobs_of(options_of(poor_configuration()), {"n_max", "two_body.cutoff"});
  const std::size_t cutoff = index_of(knobs, "term.soap.cutoff"), l_max = index_of(knobs, "term.soap.l_max");
  const apps::TrialJudge judge(PerTarget<double>(1.0));
  std::deque<Trial> done;
  std::vector<int> of_level(3, 0);
  const auto search_with = [&](int most, bool fails) {
    done.clear();
    of_level.assign(3, 0);
    return apps::TuneSearch(
        knobs, 3, judge, [&, most, fails](std::size_t level, const std::vector<double>& values, double) -> const Trial* {
          for (const Trial& trial : done)
            if (trial.level == level && trial.values == values) return &trial;
          if (static_cast<int>(done.size()) >= most) return nullptr;
          ++of_level[level];
          const double c = std::log(values[cutoff] / 5.2), l = values[l_max] - 7;
          done.push_back(trial_with_error(level, values, (0.1 - 0.02 * static_cast<double>(level)) * (1 + c * c + 0.01 * l * l)));
          if (fails && values[cutoff] > 3) done.back().failure = "no";
          return &done.back();
        });
  };
  apps::TuneSearch search = search_with(1000, false);
  const Trial* best = search.run();
  REQUIRE(best != nullptr);
  CHECK(best->level == 2);
  check_close(best->values[cutoff], 5.2, 0.2);
  check_close(best->values[l_max], 7, 0);
  CHECK(of_level[0] > of_level[1]);
  CHECK(of_level[1] >= 2);
  CHECK(done.size() < 60);
  CHECK(search.path().back() == best);
  CHECK(!search.end().empty());

  // The time is over in the middle of the coarse level: the best of it is chosen.
  apps::TuneSearch short_search = search_with(4, false);
  const Trial* early = short_search.run();
  REQUIRE(early != nullptr);
  CHECK(early->level == 0);
  CHECK(early->values[cutoff] > 4);
  // Settings that cannot be are passed over.
  const Trial* limited = search_with(1000, true).run();
  REQUIRE(limited != nullptr);
  CHECK(limited->is_good());
  check_close(limited->values[cutoff], 3, 0.3);
  CHECK(search_with(0, false).run() == nullptr);
}

TEST_CASE("tune: a trial has to pay for its cost, and noise is that of the difference") {
  const apps::TrialJudge judge(PerTarget<double>(1.0));
  const Trial a = trial_with_error(0, {1}, 0.1);
  Trial b = trial_with_error(0, {2}, 0.0995);  // half a percent lower
  CHECK(judge.score(b) < judge.score(a));
  b.flop *= 2;
  CHECK(judge.score(b) > judge.score(a));
  check_close(judge.change(b, a), -0.005, 1e-12);
  check_close(judge.noise(a, b), 0, 1e-12);  // the folds agree
  b.square[Property::force][2] *= 1.1;
  CHECK(judge.noise(a, b) > 0.001);
}

TEST_CASE("tune: the file of trials keeps every number; damaged lines and those of other data are dropped") {
  const std::vector<Knob> knobs = apps::knobs_of(options_of(small_configuration), {});
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "x.tune.jsonl").string();
  std::vector<double> values(knobs.size(), 1.0 / 3);
  {
    apps::TrialFile file(path, "key");
    CHECK(!file.plan());
    file.set_plan({.start = "x = 1", .levels = {{0.25, 0.5}, {1, 1}}, .final_seconds = 3});
    file.read_trials(knobs);
    Trial trial = trial_with_error(1, values, 0.123456789012345678);
    trial.sigma = {{Property::force, "default", 1.0 / 7}};
    trial.factors = {{"sigma of property 'force', class 'default'", -0.1}};
    file.add(trial);
    values[0] = 2;
    Trial failed;
    failed.values = values;
    failed.failure = "no";
    file.add(failed);
    file.set_finished(20, "done");
  }
  apps::TrialFile file(path, "key");
  REQUIRE(file.plan());
  CHECK(file.plan()->levels.size() == 2);
  file.read_trials(knobs);
  REQUIRE(file.trials().size() == 2);
  CHECK(file.finished() == 20.0);
  values[0] = 1.0 / 3;
  const Trial* trial = file.find(1, values);
  REQUIRE(trial != nullptr);
  CHECK(trial->error(Property::force) == trial_with_error(1, values, 0.123456789012345678).error(Property::force));
  CHECK(trial->sigma.front().sigma == 1.0 / 7);
  CHECK(file.trials().back().failure == "no");
  CHECK(!apps::TrialFile(path, "other").plan());

  std::string text = read_text(path);
  const auto at = text.find("fold_force");
  folder.write("x.tune.jsonl", text.replace(at, 10, "f\"\"ld_force") + "{\"level\": 7}\n[]\nnull\n{\"finished\": \"no\"}\n");
  apps::TrialFile damaged(path, "key");
  damaged.read_trials(knobs);
  CHECK(damaged.trials().size() == 1);
}

TEST_CASE("tune: trials have the fold errors of a fit, and leave out the structures of the calibration") {
  const Workplace w;
  const FitConfiguration options = options_of(std::string(small_configuration) +
                                              "[optimize]\nobjective = \"cross_validation\"\n"
                                              "[calibration]\nholdout = 0.2\nrounds = 4\n");
  const FileDataset train({(w / "train.xyz").string()}, options.used_keys());
  const auto held_out = choose_held_out(train, 0.2, 4, options.seed);
  const std::map<int, double> reference_energies = {{14, -0.8518300449128903}};
  apps::TuneFits fits(train, options, reference_energies, apps::knobs_of(options, {}), false);
  // The isolated atom and two rounds of a fifth are left out; with more, less than half of the structures would remain.
  CHECK(fits.rounds_used() == 2);
  CHECK(fits.structures() == static_cast<std::int64_t>(train.summary().frames.size() - 1 - held_out[0].size() - held_out[1].size()));

  FitConfiguration all = options;
  all.calibration.source = CalibrationOptions::Source::none;
  apps::TuneFits of_all(train, all, reference_energies, apps::knobs_of(all, {}), false);
  of_all.set_levels({{1, 1}});
  std::vector<double> values;
  for (const Knob& knob : of_all.knobs()) values.push_back(knob.start());
  Trial trial = of_all.plan(0, values);
  of_all.fit(trial, nullptr, {});
  INFO(trial.failure);
  REQUIRE(trial.is_good());
  all.optimize.max_evaluations = 40;
  all.optimize.leaves_out_unlearned = true;  // some trials of the search have a learned metric
  all.reference_energies = {ReferenceEnergyOptions::Mode::explicit_values, {{"Si", -0.8518300449128903}}};
  const DatasetView without_atom = DatasetView::without(train, {0});
  const FitResult result = fit(FitData{without_atom}, all);
  const OptimizationReport& report = result.report.optimization.value();
  for (std::size_t g = 0; g < report.groups.size(); ++g) {
    if (report.rows[g] == 0) continue;
    check_close(trial.error(report.groups[g].property), report.after.fold_error[g], 0, 1e-8);
    CHECK(trial.rows[report.groups[g].property].size() == 5);
  }
  // A learned metric is compared on the same left-out structures.
  REQUIRE(of_all.may_learn_metric());
  std::vector<double> learned = values;
  for (std::size_t k = 0; k < learned.size(); ++k)
    if (of_all.knobs()[k].kind().key == "compression") learned[k] = 1;
  Trial other = of_all.plan(0, learned);
  of_all.fit(other, nullptr, {});
  INFO(other.failure);
  REQUIRE(other.is_good());
  CHECK(other.log_evidence != trial.log_evidence);
  const auto energies = static_cast<std::int64_t>(result.report.plan.frames);
  for (const TargetInfo& target : targets()) CHECK(other.rows[target.property] == trial.rows[target.property]);
  double left_out = 0;
  for (const double rows : trial.rows[Property::energy]) left_out += rows;
  CHECK((left_out >= std::floor(energies / 2.0) && left_out <= std::ceil(energies / 2.0) + 1));
  // The chosen configuration can be read back, and has the sigma that was found.
  const FitConfiguration chosen = of_all.final_options(trial);
  CHECK(chosen.regularization.standard[Property::force] == trial.sigma[1].sigma);
  CHECK(fit_options_to_toml(apps::settings_in(fit_options_to_toml(chosen))) != "");
}

TEST_CASE("gap-fit --tune: better than a poor start; continues after a kill without repeating a trial; table, page and configuration") {
  const Workplace w(poor_configuration("[optimize]\nfolds = 3\n[calibration]\nholdout = 0.2\n"));
  const std::vector<std::string> command = {"fit.toml", "-o",        "tuned.h5", "--tune", "60s", "--keep", "n_max", "term.two_body.cutoff",
                                            "--json",   "tuned.json"};
  const ProgramResult first = w.run("gap-fit", command);
  INFO(first.err);
  REQUIRE(first.exit_code == 0);
  const auto json = nlohmann::json::parse(read_text(w / "tuned.json"));
  const auto& found = json.at("tune");
  CHECK(found.at("chosen").at("term.soap.cutoff").get<double>() > 2.5);
  CHECK(found.at("change").get<double>() < -0.05);
  CHECK(!found.at("chosen").contains("term.soap.n_max"));
  const double cutoff = found.at("chosen").at("term.soap.cutoff").get<double>();

  // The model has the chosen settings, and the configuration beside it gives the same fit.
  const FitConfiguration chosen = read_fit_options(w / "tuned.toml");
  check_close(chosen.terms.back().descriptor_parameters.real("cutoff"), cutoff, 0);
  CHECK(contains(load_model(w / "tuned.h5").configuration, fmt::format("cutoff = {}", cutoff)));
  CHECK(contains(first.out, "term.soap.cutoff"));
  CHECK(contains(first.out, "(start: 2.5)"));
  CHECK(contains(first.out, "chosen"));
  const std::string page = read_text(w / "tuned.h5.tune.html");
  CHECK(parse_xml(page, "page").name == "html");
  for (const char* part : {"Errors against cost", "Course", "soap.cutoff", "path of the best"}) CHECK(contains(page, part));

  // Validation data and the structures of the calibration are not in the trials.
  const auto trials = trials_in(w / "tuned.h5.tune.jsonl");
  REQUIRE(trials.size() > 4);
  const FileDataset train({(w / "train.xyz").string()});
  const auto held_out = choose_held_out(train, 0.2, 1, 0);
  for (const auto& trial : trials)
    CHECK(trial.at("structures").get<std::size_t>() == train.summary().frames.size() - 1 - held_out.front().size());

  // As after a kill: the last trials and what follows are lost.
  std::string lines = read_text(w / "tuned.h5.tune.jsonl");
  const int lost = 3;
  for (int i = 0; i < lost + 1; ++i) lines.resize(lines.rfind('\n', lines.size() - 2) + 1);
  w.folder.write("tuned.h5.tune.jsonl", lines);
  const ProgramResult second = w.run("gap-fit", command);
  INFO(second.err);
  REQUIRE(second.exit_code == 0);
  CHECK(contains(second.err, fmt::format("tuned.h5.tune.jsonl: {} trials of an earlier run", trials.size() - lost)));
  CHECK(count(second.err, ": trial ") == lost);
  const auto again = trials_in(w / "tuned.h5.tune.jsonl");
  REQUIRE(again.size() == trials.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    CHECK(again[i].at("values") == trials[i].at("values"));
    check_close(again[i].at("fold_force").get<double>(), trials[i].at("fold_force").get<double>(), 0, 1e-6);
  }
  CHECK(nlohmann::json::parse(read_text(w / "tuned.json")).at("tune").at("chosen") == found.at("chosen"));
  // A finished search is not done again.
  CHECK(count(w.run("gap-fit", command).err, ": trial ") == 0);
}

TEST_CASE("gap-fit --tune: mistakes") {
  const Workplace w;
  const auto with = [](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"fit.toml", "-o", "x.h5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  check_mistake(w.run("gap-fit", with({"--tune", "20s", "--keep", "cutof"})), {"--keep 'cutof'", "did you mean 'cutoff'?"});
  check_mistake(w.run("gap-fit", with({"--tune", "20s", "--scan", "run.seed=1,2"})), {"--tune excludes --scan"});
  check_mistake(w.run("gap-fit", with({"--tune", "20s", "--check"})), {"--tune", "--check"});
  check_mistake(w.run("gap-fit", with({"--keep", "cutoff"})), {"--keep belongs to --tune"});
  check_mistake(w.run("gap-fit", with({"--tune", "0.001"})), {"--tune", "is estimated to take"});
  check_mistake(w.run("gap-fit", {"fit.toml", "-o", "fit.h5", "--tune", "20s"}), {"-o", "fit.toml"});
  CHECK(w.run("gap-fit", {"train.xyz", "-o", "x.h5", "--tune", "20s", "--time", "3s"}).exit_code == 2);
  CHECK(!std::filesystem::exists(w / "x.h5"));
}
