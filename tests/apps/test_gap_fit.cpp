#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "apps/workplace.hpp"

namespace gapkit::test {

TEST_CASE("--help names units, defaults and exit codes") {
  const TemporaryFolder folder;
  const ProgramResult fit = run_program("gap-fit", {"--help"}, folder.path());
  CHECK(fit.exit_code == 0);
  for (const char* part : {"--train", "--validation", "--dry-run", "--json", "--seed", "--threads", "--memory", "GB", "eV/Å", "Exit codes"})
    CHECK(contains(fit.out, part));
  const ProgramResult predict = run_program("gap-predict", {"--help"}, folder.path());
  CHECK(predict.exit_code == 0);
  for (const char* part : {"--std", "--no-forces", "--prefix", "gap_", "--json", "--threads", "--raw", "eV/Å³", "Exit codes"})
    CHECK(contains(predict.out, part));
}

TEST_CASE("gap-fit: ordinary mistakes are one sentence and exit code 2") {
  const Workplace workplace;
  const auto before = files_in(workplace.folder.path());
  check_mistake(workplace.run("gap-fit", {}), {"FILE"});
  check_mistake(workplace.run("gap-fit", {"missing.toml"}), {"missing.toml"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "--jsn", "fit.json"}), {"--jsn", "did you mean '--json'?"});
  check_mistake(workplace.run("gap-fit", {"train.xyz", "--time", "soon"}), {"'soon'", "10m"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "--time", "10m"}), {"--time", "without a configuration"});
  check_mistake(workplace.run("gap-fit", {"train.xyz", "--scan", "run.seed=1,2"}), {"train.xyz", "--scan needs a configuration"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "-o", "no_such_folder/model.h5"}), {"no_such_folder", "does not exist"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "-o", "train.xyz"}), {"-o train.xyz", "overwritten"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "--train", "missing.xyz"}), {"missing.xyz"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "--threads", "0"}), {"--threads"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "--seed", "-1"}), {"--seed"});
  check_mistake(workplace.run("gap-fit", {"fit.toml", "--memory", "1e-6"}), {"memory"});
  CHECK(files_in(workplace.folder.path()) == before);
}

TEST_CASE("gap-fit: an unknown key of the configuration is named with file, line and the nearest valid name") {
  std::string text = small_configuration;
  text.replace(text.find("n_sparse = 30"), 8, "n_spasre");
  const Workplace workplace(text);
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find("n_spasre")), '\n');
  check_mistake(workplace.run("gap-fit", {"fit.toml"}), {"fit.toml:" + std::to_string(line), "n_spasre", "did you mean 'n_sparse'?"});
}

TEST_CASE("gap-fit: --dry-run prints the plan and writes no file") {
  const Workplace workplace;
  const auto before = files_in(workplace.folder.path());
  const ProgramResult result = workplace.run("gap-fit", {"fit.toml", "-o", "model.h5", "--dry-run"});
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  for (const char* part : {"25 frames", "soap", "two_body", "sparse points", "GB"}) {
    CAPTURE(part);
    CHECK(contains(result.out, part));
  }
  CHECK(files_in(workplace.folder.path()) == before);
}

TEST_CASE("gap-fit: a broken frame leaves no model behind") {
  const Workplace workplace;
  const std::string text = read_text(workplace / "train.xyz");
  workplace.folder.write("train.xyz", text.substr(0, text.size() - 60));  // the last line is cut
  const auto before = files_in(workplace.folder.path());
  check_mistake(workplace.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json"}), {"train.xyz", "frame"});
  CHECK(files_in(workplace.folder.path()) == before);
}

TEST_CASE("gap-fit: model, tables and JSON") {
  const Workplace& workplace = fitted();
  CHECK(std::filesystem::exists(workplace / "model.h5"));
  const auto json = nlohmann::json::parse(read_text(workplace / "fit.json"));
  CHECK(json.at("training").at("all").at("frames") == 25);
  CHECK(json.at("training").at("config_types").contains("isolated_atom"));
  CHECK(json.at("validation").at("all").at("frames") == 5);
  CHECK(json.at("training").at("all").at("energy").at("rmse").get<double>() < 50);  // meV/atom; the spread of the targets is ten times that
  CHECK(json.at("training").at("all").at("forces").at("rmse").get<double>() < 1.0);  // eV/Å
  REQUIRE(json.at("terms").size() == 2);
  for (const auto& term : json.at("terms")) {
    CHECK(term.at("sparse_points").get<int>() > 0);
    CHECK(term.at("effective_rank").get<int>() <= term.at("sparse_points").get<int>());
    CHECK(term.at("effective_rank").get<int>() > 0);
  }
  CHECK(json.at("peak_memory_gb").get<double>() > 0);
  CHECK(json.at("seconds").get<double>() > 0);
  check_close(json.at("reference_energies").at("Si").get<double>(), -0.8518300449128903, 1e-12);
}

TEST_CASE("gap-fit: stdout has both tables, terms, rank, time, memory and the model's path; stderr has progress only") {
  const Workplace workplace;
  const ProgramResult result = workplace.run("gap-fit", {"fit.toml", "-o", "model.h5"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  for (const char* part : {"Training errors (25 frames)", "Validation errors (5 frames)", "energy (meV/atom)", "isolated_atom", "two_body",
                           "soap", "rank of K_MM", "peak memory", "Model: model.h5"}) {
    CAPTURE(part);
    CHECK(contains(result.out, part));
  }
  CHECK(!contains(result.err, "RMSE"));
}

TEST_CASE("gap-fit: flags override the configuration") {
  const Workplace workplace;
  const ProgramResult result = workplace.run("gap-fit", {"fit.toml", "--train", "train.xyz", "test.xyz", "--validation", "train.xyz", "-o",
                                                         "other.h5", "--seed", "7", "--threads", "1", "--json", "other.json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  const auto json = nlohmann::json::parse(read_text(workplace / "other.json"));
  CHECK(json.at("training").at("all").at("frames") == 30);
  CHECK(json.at("validation").at("all").at("frames") == 25);
  CHECK(json.at("seed") == 7);
  CHECK(json.at("threads") == 1);
  CHECK(json.at("model") == "other.h5");
}

TEST_CASE("gap-fit --sample-model writes the member that gap-predict --samples predicts with") {
  const Workplace& workplace = fitted();
  REQUIRE(workplace.run("gap-fit", {"--sample-model", "model.h5", "-o", "member.h5", "--seed", "5", "--member", "1"}).exit_code == 0);
  REQUIRE(workplace.run("gap-predict", {"model.h5", "test.xyz", "-o", "ensemble.xyz", "--samples", "2", "--seed", "5"}).exit_code == 0);
  REQUIRE(workplace.run("gap-predict", {"member.h5", "test.xyz", "-o", "one.xyz"}).exit_code == 0);
  const auto ensemble = read_extxyz(workplace / "ensemble.xyz"), one = read_extxyz(workplace / "one.xyz");
  for (std::size_t i = 0; i < one.size(); ++i) {
    const double energy = numbers(one[i], "gap_energy").at(0);
    check_close(numbers(ensemble[i], "gap_energy_samples").at(1), energy, 1e-9);
    CHECK(std::abs(numbers(ensemble[i], "gap_energy_samples").at(0) - energy) > 1e-9);
  }
  check_mistake(workplace.run("gap-predict", {"member.h5", "test.xyz", "-o", "no.xyz", "--std", "energy"}), {"no posterior"});
  check_mistake(workplace.run("gap-fit", {"--sample-model", "member.h5", "-o", "no.h5"}), {"member.h5", "no posterior"});
  check_mistake(workplace.run("gap-fit", {"--sample-model", "model.h5"}), {"-o MODEL"});
}

}  // namespace gapkit::test
