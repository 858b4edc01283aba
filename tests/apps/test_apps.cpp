#include <algorithm>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/report/error_table.hpp>
#include <nlohmann/json.hpp>

#include "apps/run_program.hpp"
#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::check_close;
using gapkit::test::files_in;
using gapkit::test::ProgramResult;
using gapkit::test::read_text;
using gapkit::test::run_program;

namespace {

constexpr const char* small_configuration = R"(
[data]
train = ["train.xyz"]
validation = ["test.xyz"]

[[term]]
descriptor = "two_body"
cutoff = 5.0
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 10
selection = "uniform"

[[term]]
descriptor = "soap"
cutoff = 4.5
n_max = 4
l_max = 3
kernel = "dot_product"
zeta = 2
delta = 0.5
n_sparse = 30

[regularization]
energy = 0.002
force = 0.1
virial = 0.1
)";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The isolated atom and `count` frames of at most eight atoms, from number `first` on.
void write_frames(const std::filesystem::path& path, std::size_t first, std::size_t count, bool with_isolated_atom) {
  static const std::vector<Structure> all = read_extxyz(test::source_folder() / "data" / "silicon" / "train.xyz");
  ExtxyzWriter writer(path);
  if (with_isolated_atom) writer.write(all.front());
  std::size_t seen = 0;
  for (std::size_t i = 1; i < all.size() && seen < first + count; ++i)
    if (all[i].size() <= 8 && seen++ >= first) writer.write(all[i]);
  REQUIRE(seen == first + count);
  writer.commit();
}

/// A folder with train.xyz, test.xyz and fit.toml.
struct Workplace {
  test::TemporaryFolder folder;

  explicit Workplace(const std::string& configuration = small_configuration) {
    write_frames(folder.path() / "train.xyz", 0, 24, true);
    write_frames(folder.path() / "test.xyz", 24, 5, false);
    folder.write("fit.toml", configuration);
  }
  std::filesystem::path operator/(const char* name) const { return folder.path() / name; }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder.path());
  }
};

/// One workplace with a fitted model.h5, shared by the tests of predictions.
const Workplace& fitted() {
  static const Workplace workplace;
  static const ProgramResult result = workplace.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return workplace;
}

/// Exit code 2, one line "program: error: …" on stderr that holds all `parts`, and nothing on stdout.
void check_mistake(const ProgramResult& result, const std::vector<std::string>& parts) {
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.out == "");
  CHECK(contains(result.err, ": error: "));
  CHECK(!contains(result.err, "internal error"));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(result.err, part));
  }
}

std::vector<double> numbers(const Structure& frame, const std::string& key) {
  CAPTURE(key);
  const Field* field = frame.find_field(key);
  REQUIRE(field != nullptr);
  if (const double* number = std::get_if<double>(&field->value)) return {*number};
  if (const auto* list = std::get_if<std::vector<double>>(&field->value)) return *list;
  const auto* matrix = std::get_if<Matrix>(&field->value);
  REQUIRE(matrix != nullptr);
  return {matrix->data(), matrix->data() + matrix->size()};
}

std::vector<double> column(const Structure& frame, const std::string& name) {
  CAPTURE(name);
  const Column* found = frame.find_column(name);
  REQUIRE(found != nullptr);
  return std::get<std::vector<double>>(found->values);
}

}  // namespace

TEST_CASE("--help names units, defaults and exit codes") {
  const test::TemporaryFolder folder;
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

TEST_CASE("gap-fit: --dry-run tells the plan and writes nothing") {
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

TEST_CASE("gap-fit: stdout has both tables, terms, rank, time, memory and the model's place; stderr is for progress only") {
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

TEST_CASE("gap-fit: flags replace what the configuration says") {
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

TEST_CASE("gap-predict --difference: energies and error bars, frame by frame") {
  const Workplace& workplace = fitted();
  const ProgramResult result =
      workplace.run("gap-predict", {"model.h5", "--difference", "test.xyz", "test.xyz", "--json", "difference.json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  const auto json = nlohmann::json::parse(read_text(workplace / "difference.json"));
  REQUIRE(json.size() == 5);
  for (const auto& line : json) {
    CHECK(line.at("energy").get<double>() == 0);
    CHECK(line.at("std_epistemic").get<double>() < 1e-4);
    CHECK(line.at("std").get<double>() > 1e-4);
  }
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

TEST_CASE("gap-predict: fields stand beside what the frame held, and obey the conventions") {
  const Workplace& workplace = fitted();
  const ProgramResult result =
      workplace.run("gap-predict", {"model.h5", "test.xyz", "-o", "predictions.xyz", "--std", "energy,local,force,stress", "--samples", "3",
                                    "--timing", "--json", "predictions.json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.err, "the error bars are calibrated (validation)"));

  const auto input = read_extxyz(workplace / "test.xyz");
  auto output = read_extxyz(workplace / "predictions.xyz");
  REQUIRE(output.size() == input.size());
  ErrorTable expected;
  for (std::size_t i = 0; i < output.size(); ++i) {
    Structure& frame = output[i];
    CAPTURE(frame.source);
    CHECK(test::largest_difference(frame.positions, input[i].positions) == 0);
    for (const char* kept : {"energy", "stress", "virial", "config_type", "uid", "kpts"}) CHECK(frame.find_field(kept) != nullptr);
    CHECK(column(frame, "forces") == column(input[i], "forces"));

    const double energy = numbers(frame, "gap_energy").at(0);
    const auto local = column(frame, "gap_local_energy");
    REQUIRE(static_cast<int>(local.size()) == frame.size());
    double sum = 0;
    for (const double e : local) sum += e;
    check_close(sum, energy, 1e-9);

    const auto forces = column(frame, "gap_forces");
    REQUIRE(static_cast<int>(forces.size()) == 3 * frame.size());
    for (std::size_t c = 0; c < 3; ++c) {
      double total = 0;
      for (std::size_t a = c; a < forces.size(); a += 3) total += forces[a];
      check_close(total, 0, 1e-9);
    }

    const auto stress = numbers(frame, "gap_stress"), virial = numbers(frame, "gap_virial");
    REQUIRE(stress.size() == 6);
    REQUIRE(virial.size() == 9);
    const std::size_t position[6] = {0, 4, 8, 5, 2, 1};
    for (std::size_t k = 0; k < 6; ++k) check_close(-virial[position[k]] / frame.volume(), stress[k], 1e-12, 1e-10);

    CHECK(numbers(frame, "gap_energy_std_epistemic").at(0) > 0);
    CHECK(numbers(frame, "gap_energy_std").at(0) >= numbers(frame, "gap_energy_std_epistemic").at(0));
    const auto local_std = column(frame, "gap_local_energy_std_epistemic");
    CHECK(static_cast<int>(local_std.size()) == frame.size());
    for (const double value : local_std) CHECK(value > 0);
    check_close(numbers(frame, "gap_energy_per_atom_std").at(0), numbers(frame, "gap_energy_std").at(0) / frame.size(), 0, 1e-12);
    const auto force_std = column(frame, "gap_forces_std"), force_epistemic = column(frame, "gap_forces_std_epistemic");
    REQUIRE(force_std.size() == forces.size());
    REQUIRE(force_epistemic.size() == forces.size());
    for (std::size_t k = 0; k < forces.size(); ++k) CHECK((force_std[k] > 0 && force_epistemic[k] >= 0));
    const auto stress_std = numbers(frame, "gap_stress_std"), virial_std = numbers(frame, "gap_virial_std");
    REQUIRE(stress_std.size() == 6);
    for (std::size_t k = 0; k < 6; ++k) {
      CHECK((stress_std[k] > 0 && numbers(frame, "gap_stress_std_epistemic").at(k) > 0));
      check_close(stress_std[k] * frame.volume(), virial_std.at(k), 0, 1e-10);
    }
    CHECK(numbers(frame, "gap_energy_samples").size() == 3);
    CHECK(column(frame, "gap_forces_samples").size() == 3 * forces.size());
    CHECK(std::get<std::string>(frame.find_field("gap_calibration")->value) == "calibrated");

    assign_targets(frame, {});
    Prediction predicted;
    predicted.energy = energy;
    predicted.forces = Eigen::Map<const Positions>(forces.data(), frame.size(), 3);
    predicted.virial = tensor_of(Voigt(-frame.volume() * Eigen::Map<const Voigt>(stress.data())));
    expected.add(frame, predicted);
  }

  // the table on stdout, in --json and in the fit's validation errors is that of the written predictions
  CHECK(result.out.starts_with(expected.text() + "\nerror bars "));
  const auto json = nlohmann::json::parse(read_text(workplace / "predictions.json"));
  CHECK(json.at("frames_predicted") == input.size());
  CHECK(json.at("calibration") == "calibrated");
  const auto& bars = json.at("error_bars").at("all");
  CHECK(bars.at("energy").at("count") == input.size());
  for (const char* property : {"energy", "forces", "atoms", "stress"}) CHECK(bars.at(property).at("zms").at("value").get<double>() > 0);
  CHECK(bars.at("forces").at("bins").size() == 5);
  CHECK(bars.at("forces").at("count").get<int>() + bars.at("vanishing_forces").get<int>() ==
        json.at("all").at("forces").at("count").get<int>());
  CHECK(json.at("error_bars").at("config_types").size() == json.at("config_types").size());
  CHECK(json.at("frames_outside_sparse_set") == 0);
  double phases = 0;
  for (const auto& [phase, seconds] : json.at("phase_seconds").items()) {
    CHECK(result.out.find("\n" + phase + " ") != std::string::npos);
    CHECK(seconds.get<double>() >= 0);
    phases += seconds.get<double>();
  }
  CHECK(json.at("phase_seconds").at("predict") > 0);
  CHECK(phases <= json.at("seconds").get<double>());
  const auto fit = nlohmann::json::parse(read_text(workplace / "fit.json"));
  for (const char* property : {"energy", "forces", "stress"}) {
    CAPTURE(property);
    const double rmse = json.at("all").at(property).at("rmse");
    CHECK(json.at("all").at(property).at("count").get<int>() > 0);
    check_close(rmse, nlohmann::json::parse(expected.json()).at("all").at(property).at("rmse"), 0, 1e-9);
    check_close(rmse, fit.at("validation").at("all").at(property).at("rmse"), 0, 1e-6);
  }
}

TEST_CASE("gap-predict: --raw leaves the calibration out, and --difference too") {
  const Workplace& workplace = fitted();
  for (const bool raw : {false, true}) {
    std::vector<std::string> arguments = {"model.h5", "test.xyz", "-o", "bars.xyz", "--std", "energy,force", "--no-reference"};
    if (raw) arguments.emplace_back("--raw");
    const ProgramResult result = workplace.run("gap-predict", arguments);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    for (const Structure& frame : read_extxyz(workplace / "bars.xyz")) {
      CHECK(std::get<std::string>(frame.find_field("gap_calibration")->value) == (raw ? "raw" : "calibrated"));
      const double uncalibrated = std::hypot(numbers(frame, "gap_energy_std_epistemic")[0], 0.002 * std::sqrt(frame.size()));
      CHECK((std::abs(numbers(frame, "gap_energy_std")[0] - uncalibrated) < 1e-9 * uncalibrated) == raw);
    }
  }
}

TEST_CASE("gap-predict: --no-forces, --prefix, --no-reference and --raw") {
  const Workplace& workplace = fitted();
  const ProgramResult result = workplace.run("gap-predict", {"model.h5", "test.xyz", "-o", "plain.xyz", "--no-forces", "--prefix", "my_",
                                                             "--no-reference", "--raw", "--threads", "1"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.out == "");
  for (const Structure& frame : read_extxyz(workplace / "plain.xyz")) {
    CHECK(frame.find_field("my_energy") != nullptr);
    CHECK(frame.find_column("my_local_energy") != nullptr);
    CHECK(frame.find_column("my_forces") == nullptr);
    CHECK(frame.find_field("my_stress") == nullptr);
    CHECK(frame.find_field("my_virial") == nullptr);
    CHECK(frame.find_field("my_calibration") == nullptr);
    CHECK(frame.find_field("gap_energy") == nullptr);
  }
}

TEST_CASE("gap-predict: frames without reference values or without a cell are predicted") {
  const Workplace& workplace = fitted();
  workplace.folder.write("dimer.xyz", "2\nnote=\"no cell\"\nSi 0 0 0\nSi 2.3 0 0\n");
  const ProgramResult result = workplace.run("gap-predict", {"model.h5", "dimer.xyz", "-o", "dimer_out.xyz", "--json", "dimer.json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.out == "");
  const auto frames = read_extxyz(workplace / "dimer_out.xyz");
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].find_field("gap_stress") == nullptr);
  CHECK(column(frames[0], "gap_forces").size() == 6);
  CHECK(nlohmann::json::parse(read_text(workplace / "dimer.json")).at("all").at("energy").at("rmse").is_null());
}

TEST_CASE("gap-predict: ordinary mistakes are one sentence, exit code 2, and no output file") {
  const Workplace& workplace = fitted();
  workplace.folder.write("germanium.xyz", "1\npbc=\"F F F\"\nSi 0 0 0\n2\npbc=\"F F F\"\nSi 0 0 0\nGe 2.3 0 0\n");
  workplace.folder.write("cut.xyz", "2\nnote=x\nSi 0 0 0\n");
  workplace.folder.write("empty.xyz", "");
  workplace.folder.write("text.h5", "not a model\n");
  const std::string model = read_text(workplace / "model.h5");
  workplace.folder.write("half.h5", model.substr(0, model.size() / 2));
  const auto before = files_in(workplace.folder.path());

  const auto predict = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-o", "out.xyz"});
    return workplace.run("gap-predict", arguments);
  };
  check_mistake(predict({"model.h5", "germanium.xyz"}), {"germanium.xyz", "frame 2", "Ge", "Si"});
  check_mistake(predict({"model.h5", "cut.xyz"}), {"cut.xyz", "frame 1"});
  check_mistake(predict({"model.h5", "empty.xyz"}), {"empty.xyz"});
  check_mistake(predict({"model.h5", "missing.xyz"}), {"missing.xyz"});
  check_mistake(predict({"missing.h5", "test.xyz"}), {"missing.h5"});
  check_mistake(predict({"text.h5", "test.xyz"}), {"text.h5"});
  check_mistake(predict({"half.h5", "test.xyz"}), {"half.h5"});
  check_mistake(predict({"model.h5", "test.xyz", "--std", "enery"}), {"enery", "did you mean 'energy'?"});
  check_mistake(predict({"model.h5", "test.xyz", "--samples", "0"}), {"--samples"});
  check_mistake(workplace.run("gap-predict", {"model.h5", "--difference", "test.xyz"}), {"--difference"});
  check_mistake(workplace.run("gap-predict", {"model.h5", "--difference", "test.xyz", "train.xyz"}), {"frame by frame", "5 frames"});
  check_mistake(predict({"model.h5", "test.xyz", "--prefix", "a b"}), {"--prefix"});
  check_mistake(predict({"model.h5", "test.xyz", "--no-force"}), {"--no-force", "did you mean '--no-forces'?"});
  check_mistake(workplace.run("gap-predict", {"model.h5", "test.xyz"}), {"-o OUTPUT"});
  check_mistake(workplace.run("gap-predict", {"model.h5", "test.xyz", "-o", "test.xyz"}), {"overwritten"});
  CHECK(files_in(workplace.folder.path()) == before);
}
