// gap-fit: optimisation, statistics in the model, --refit, --append, --merge and --scan, as processes.

#include <algorithm>
#include <fstream>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/model/model.hpp>
#include <nlohmann/json.hpp>

#include "apps/run_program.hpp"
#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::check_close;
using gapkit::test::contains;
using gapkit::test::ProgramResult;
using gapkit::test::read_text;
using gapkit::test::run_program;

namespace {

constexpr const char* configuration = R"(
[data]
train = ["a.xyz", "b.xyz"]
validation = ["test.xyz"]
[reference_energies]
mode = "explicit"
explicit = { Si = -0.8518300449128903 }
[[term]]
descriptor = "soap"
cutoff = 4.5
n_max = 4
l_max = 3
kernel = "dot_product"
zeta = 2
delta = 0.5
n_sparse = 30
selection = "variance"
[regularization]
energy = 0.002
force = 0.1
virial = 0.1
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Small frames in three files, fits to both and to each of a.xyz and b.xyz with one sparse set.
struct Workplace {
  test::TemporaryFolder folder;

  Workplace() {
    const std::vector<Structure> all = read_extxyz(test::source_folder() / "data" / "silicon" / "train.xyz");
    std::size_t seen = 0;
    std::vector<std::unique_ptr<ExtxyzWriter>> writers;
    for (const char* name : {"a.xyz", "b.xyz", "test.xyz"}) writers.push_back(std::make_unique<ExtxyzWriter>(folder.path() / name));
    for (std::size_t i = 1; i < all.size() && seen < 30; ++i)
      if (all[i].size() <= 8) writers[seen++ % 3]->write(all[i]);
    for (auto& writer : writers) writer->commit();
    folder.write("fit.toml", std::string(configuration) + "[output]\nsparse = 'sparse'\n");
    const std::string listed =
        replaced(configuration, "n_sparse = 30\nselection = \"variance\"", "selection = \"file\"\nsparse_file = \"sparse.soap-Si.points\"");
    folder.write("listed.toml", listed);
    good({"fit.toml", "-o", "all.h5", "--statistics", "--json", "all.json"});
    good({"listed.toml", "--train", "a.xyz", "-o", "a.h5", "--statistics"});
    good({"listed.toml", "--train", "b.xyz", "-o", "b.h5", "--statistics"});
    good({"listed.toml", "--train", "a.xyz", "-o", "plain.h5"});
  }
  std::filesystem::path operator/(const char* name) const { return folder.path() / name; }
  ProgramResult run(const std::vector<std::string>& arguments) const { return run_program("gap-fit", arguments, folder.path()); }
  ProgramResult good(const std::vector<std::string>& arguments) const {
    ProgramResult result = run(arguments);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }
  nlohmann::json json(const char* name) const { return nlohmann::json::parse(read_text(*this / name)); }
  Vector weights(const char* name) const { return load_model(*this / name).weights; }
};

const Workplace& fitted() {
  static const Workplace workplace;
  return workplace;
}

void check_same_weights(const Vector& actual, const Vector& expected, double tolerance) {
  CHECK(test::largest_difference(actual, expected) <= tolerance * expected.cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("gap-fit --optimize: a table before and after, JSON and the model's note") {
  const Workplace& w = fitted();
  const ProgramResult result = w.good({"fit.toml", "-o", "optimized.h5", "--optimize", "evidence", "--json", "optimized.json"});
  for (const char* part : {"optimised by evidence", "sigma before > after", "delta soap Si", "log evidence", "energy default"})
    CHECK(contains(result.out, part));
  const auto optimization = w.json("optimized.json").at("optimization");
  CHECK(optimization.at("after").at("log_evidence").get<double>() > optimization.at("before").at("log_evidence").get<double>());
  const Model model = load_model(w / "optimized.h5");
  CHECK(nlohmann::json::parse(model.notes.at("optimization")) == optimization);
  check_close(model.posterior.delta_ratio[0] * 0.5, optimization.at("after").at("delta").at(0).get<double>(), 1e-12);
  const auto info = nlohmann::json::parse(run_program("gap-info", {"optimized.h5", "--json"}, w.folder.path()).out);
  check_close(info.at("terms").at(0).at("delta").get<double>(), optimization.at("after").at("delta").at(0).get<double>(), 1e-12);
  for (std::size_t g = 0; g < model.posterior.groups.size(); ++g)
    check_close(model.posterior.groups[g].sigma, optimization.at("after").at("groups").at(g).at("sigma").get<double>(), 0, 1e-12);
  CHECK(w.json("all.json").at("optimization").is_null());

  const ProgramResult folds = w.good({"fit.toml", "-o", "cross.h5", "--optimize", "cross_validation", "--json", "cross.json"});
  CHECK(contains(folds.out, "fold error before > after"));
  CHECK(w.json("cross.json").at("optimization").at("after").at("groups").at(0).at("fold_error").get<double>() > 0);
}

TEST_CASE("gap-fit --refit, --append and --merge equal fits to the data") {
  const Workplace& w = fitted();
  CHECK(contains(w.good({"--append", "a.h5", "b.xyz", "-o", "appended.h5", "--json", "appended.json"}).out, "Added: 10 frames"));
  check_same_weights(w.weights("appended.h5"), w.weights("all.h5"), 1e-8);
  CHECK(w.json("appended.json").at("rows_added").get<int>() > 0);
  w.good({"--merge", "a.h5", "b.h5", "-o", "merged.h5"});
  check_same_weights(w.weights("merged.h5"), w.weights("all.h5"), 1e-8);

  const ProgramResult refit = w.good({"--refit", "all.h5", "--sigma-force", "0.05", "--sigma-energy", "default=0.001", "--delta",
                                      "soap=0.5", "-o", "refit.h5", "--validation", "test.xyz", "--json", "refit.json"});
  CHECK(contains(refit.out, "0.1 > 0.05"));
  CHECK(contains(refit.out, "Validation errors"));
  w.folder.write("direct.toml", replaced(replaced(configuration, "energy = 0.002", "energy = 0.001"), "force = 0.1", "force = 0.05"));
  w.good({"direct.toml", "-o", "direct.h5", "--json", "direct.json"});
  check_same_weights(w.weights("refit.h5"), w.weights("direct.h5"), 1e-8);
  for (const char* property : {"energy", "forces", "stress"})
    check_close(w.json("refit.json").at("validation").at("all").at(property).at("rmse"),
                w.json("direct.json").at("validation").at("all").at(property).at("rmse"), 0, 1e-7);
  // The result has its statistics again.
  w.good({"--refit", "refit.h5", "--optimize", "evidence", "-o", "again.h5"});
  w.good({"fit.toml", "--optimize", "evidence", "-o", "optimized2.h5"});
  check_close(load_model(w / "again.h5").posterior.log_evidence, load_model(w / "optimized2.h5").posterior.log_evidence, 0.05);
}

TEST_CASE("gap-fit --refit, --append and --merge: mistakes are one sentence and exit code 2") {
  const Workplace& w = fitted();
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{"--refit", "all.h5", "-o", "x.h5"}, "--sigma-force"},
      {{"--refit", "all.h5", "--sigma-force", "0.1"}, "-o"},
      {{"--refit", "all.h5", "--sigma-force", "0.1", "-o", "all.h5"}, "overwritten"},
      {{"--refit", "all.h5", "a.xyz", "--sigma-force", "0.1", "-o", "x.h5"}, "--append"},
      {{"--refit", "plain.h5", "--sigma-force", "0.1", "-o", "x.h5"}, "--statistics"},
      {{"--refit", "missing.h5", "--sigma-force", "0.1", "-o", "x.h5"}, "missing.h5"},
      {{"--refit", "all.h5", "--sigma-force", "-1", "-o", "x.h5"}, "not a number above 0"},
      {{"--refit", "all.h5", "--sigma-force", "liquid=0.1", "-o", "x.h5"}, "class 'liquid'"},
      {{"--refit", "all.h5", "--delta", "0.1", "-o", "x.h5"}, "NAME"},
      {{"--refit", "all.h5", "--delta", "sop=0.1", "-o", "x.h5"}, "did you mean 'soap'?"},
      {{"--refit", "all.h5", "--optimize", "evidnce", "-o", "x.h5"}, "did you mean 'evidence'?"},
      {{"--refit", "all.h5", "--optimize", "cross_validation", "-o", "x.h5"}, "folds"},
      {{"--refit", "all.h5", "--append", "all.h5", "a.xyz", "-o", "x.h5"}, "exclude"},
      {{"--append", "a.h5", "-o", "x.h5"}, "new structures"},
      {{"--append", "a.h5", "missing.xyz", "-o", "x.h5"}, "missing.xyz"},
      {{"--append", "a.h5", "b.xyz", "--train", "b.xyz", "-o", "x.h5"}, "name all of its data"},
      {{"--merge", "a.h5", "-o", "x.h5"}, "other models"},
      {{"--merge", "a.h5", "a.h5", "-o", "x.h5"}, "same data"},
      {{"--merge", "a.h5", "optimized_delta.h5", "-o", "x.h5"}, "optimized_delta.h5"},
      {{"fit.toml", "--sigma-force", "0.1", "-o", "x.h5"}, "--sigma-force"},
      {{"fit.toml", "b.xyz", "-o", "x.h5"}, "b.xyz"},
  };
  w.folder.write("delta.toml", replaced(replaced(configuration, "delta = 0.5", "delta = 0.4"), "n_sparse = 30\nselection = \"variance\"",
                                        "selection = \"file\"\nsparse_file = \"sparse.soap-Si.points\""));
  w.good({"delta.toml", "--train", "b.xyz", "-o", "optimized_delta.h5", "--statistics"});
  for (const auto& [arguments, part] : mistakes) {
    std::string line;
    for (const std::string& argument : arguments) line += argument + " ";
    CAPTURE(line);
    const ProgramResult result = w.run(arguments);
    CAPTURE(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out == "");
    CHECK(contains(result.err, part));
    CHECK(!std::filesystem::exists(w / "x.h5"));
  }
}

TEST_CASE("gap-fit --scan: every combination once, the best model kept, continued where it stopped") {
  const Workplace& w = fitted();
  const std::vector<std::string> command = {
      "fit.toml", "-o", "scan.h5", "--scan", "term.soap.zeta=1,2", "--scan", "term.soap.l_max=2,3", "--json", "scan.json"};
  const ProgramResult first = w.good(command);
  const auto results = w.json("scan.json").at("results");
  REQUIRE(results.size() == 4);
  for (std::size_t i = 1; i < 4; ++i) CHECK(results[i].at("log_evidence").get<double>() <= results[i - 1].at("log_evidence").get<double>());
  check_close(load_model(w / "scan.h5").posterior.log_evidence, results[0].at("log_evidence").get<double>(), 0, 1e-10);
  for (const auto& result : results) {
    CHECK(result.at("fold_force").get<double>() > 0);
    CHECK(result.at("validation").at("forces").at("rmse").get<double>() > 0);
    CHECK(contains(first.out, "term.soap.zeta=" + result.at("values").at("term.soap.zeta").get<std::string>()));
  }
  // One result is lost, one line is damaged: these two are fitted again, with the same numbers; another value is one more.
  const std::string lines = read_text(w / "scan.h5.scan.jsonl");
  const auto end_of_first = lines.find('\n') + 1;
  w.folder.write("scan.h5.scan.jsonl", lines.substr(end_of_first, lines.size() - end_of_first - 20));
  auto wider = command;
  wider[4] = "term.soap.zeta=1,2,3";
  const ProgramResult second = w.good(wider);
  const auto count = [](const std::string& text, const std::string& part) {
    int n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  CHECK(count(second.err, "combination ") == 4);
  CHECK(w.json("scan.json").at("results").size() == 6);
  for (const auto& now : w.json("scan.json").at("results"))
    for (const auto& before : results)
      if (now.at("values") == before.at("values"))
        check_close(now.at("log_evidence").get<double>(), before.at("log_evidence").get<double>(), 0, 1e-9);
  CHECK(count(w.good(wider).err, "combination ") == 0);

  for (const auto& [argument, part] : std::vector<std::pair<std::string, std::string>>{{"term.soap.zeta", "KEY=VALUE"},
                                                                                       {"term.soap.zeta=1,,2", "empty"},
                                                                                       {"term.sop.zeta=1", "did you mean 'soap'?"},
                                                                                       {"term.soap.zeta=1,0.5", "term.soap.zeta=0.5"},
                                                                                       {"output.model=a,b", "does not change the fit"}}) {
    CAPTURE(argument);
    const ProgramResult wrong = w.run({"fit.toml", "-o", "y.h5", "--scan", argument});
    CAPTURE(wrong.err);
    CHECK(wrong.exit_code == 2);
    CHECK(contains(wrong.err, part));
    CHECK(!std::filesystem::exists(w / "y.h5"));
  }
}

TEST_CASE("gap-fit --dry-run prints the size of the statistics with folds, and refuses too much") {
  const Workplace& w = fitted();
  w.folder.write("folds.toml", std::string(configuration) + "[optimize]\nfolds = 4\nclasses = ['vacancy']\n");
  const ProgramResult result = w.good({"folds.toml", "--dry-run", "--json", "plan.json"});
  CHECK(contains(result.out, "Statistics: 12 groups"));
  check_close(w.json("plan.json").at("estimate").at("statistics_gb").get<double>(), 12 * 30 * 31 / 2 * 8e-9, 0, 1e-9);
  const ProgramResult refused = w.run({"folds.toml", "--memory", "0.01", "--dry-run"});
  CHECK(refused.exit_code == 2);
  CHECK(contains(refused.err, "GB"));
}
