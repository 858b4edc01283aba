// gap-fit --tune as a process.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/config/config.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/io/xml.hpp>
#include <gapkit/model/model.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/tune_setup.hpp"
#include "apps/workplace.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

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
