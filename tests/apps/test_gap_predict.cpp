#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/report/error_table.hpp>
#include <nlohmann/json.hpp>

#include "apps/workplace.hpp"

namespace gapkit::test {

namespace {

/// A prediction with error bars, members of the ensemble, times and JSON, of all frames of test.xyz.
const ProgramResult& predicted() {
  static const ProgramResult result =
      fitted().run("gap-predict", {"model.h5", "test.xyz", "-o", "predictions.xyz", "--std", "energy,local,force,stress", "--samples", "3",
                                   "--timing", "--json", "predictions.json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

double sum_of(const std::vector<double>& values, std::size_t first = 0, std::size_t stride = 1) {
  double sum = 0;
  for (std::size_t i = first; i < values.size(); i += stride) sum += values[i];
  return sum;
}

/// Energy, forces, stress and virial of a frame obey the conventions.
void check_conventions(const Structure& frame) {
  const auto local = column(frame, "gap_local_energy");
  REQUIRE(static_cast<int>(local.size()) == frame.size());
  check_close(sum_of(local), numbers(frame, "gap_energy").at(0), 1e-9);
  const auto forces = column(frame, "gap_forces");
  REQUIRE(static_cast<int>(forces.size()) == 3 * frame.size());
  for (std::size_t c = 0; c < 3; ++c) check_close(sum_of(forces, c, 3), 0, 1e-9);
  const auto stress = numbers(frame, "gap_stress"), virial = numbers(frame, "gap_virial");
  REQUIRE(stress.size() == 6);
  REQUIRE(virial.size() == 9);
  const std::size_t position[6] = {0, 4, 8, 5, 2, 1};
  for (std::size_t k = 0; k < 6; ++k) check_close(-virial[position[k]] / frame.volume(), stress[k], 1e-12, 1e-10);
}

/// Error bars are positive, of the right size, and belong together.
void check_error_bars(const Structure& frame) {
  CHECK(numbers(frame, "gap_energy_std_epistemic").at(0) > 0);
  CHECK(numbers(frame, "gap_energy_std").at(0) >= numbers(frame, "gap_energy_std_epistemic").at(0));
  const auto local_std = column(frame, "gap_local_energy_std_epistemic");
  CHECK(static_cast<int>(local_std.size()) == frame.size());
  for (const double value : local_std) CHECK(value > 0);
  check_close(numbers(frame, "gap_energy_per_atom_std").at(0), numbers(frame, "gap_energy_std").at(0) / frame.size(), 0, 1e-12);
  const auto force_std = column(frame, "gap_forces_std"), force_epistemic = column(frame, "gap_forces_std_epistemic");
  REQUIRE(static_cast<int>(force_std.size()) == 3 * frame.size());
  REQUIRE(force_epistemic.size() == force_std.size());
  for (std::size_t k = 0; k < force_std.size(); ++k) CHECK((force_std[k] > 0 && force_epistemic[k] >= 0));
  const auto stress_std = numbers(frame, "gap_stress_std"), virial_std = numbers(frame, "gap_virial_std");
  REQUIRE(stress_std.size() == 6);
  for (std::size_t k = 0; k < 6; ++k) {
    CHECK((stress_std[k] > 0 && numbers(frame, "gap_stress_std_epistemic").at(k) > 0));
    check_close(stress_std[k] * frame.volume(), virial_std.at(k), 0, 1e-10);
  }
  CHECK(std::get<std::string>(frame.find_field("gap_calibration")->value) == "calibrated");
}

/// The error table of written predictions.
ErrorTable table_of(std::vector<Structure> frames) {
  ErrorTable table;
  for (Structure& frame : frames) {
    const auto forces = column(frame, "gap_forces"), stress = numbers(frame, "gap_stress");
    assign_targets(frame, {});
    Prediction prediction;
    prediction.energy = numbers(frame, "gap_energy").at(0);
    prediction.forces = Eigen::Map<const Positions>(forces.data(), frame.size(), 3);
    prediction.virial = tensor_of(Voigt(-frame.volume() * Eigen::Map<const Voigt>(stress.data())));
    table.add(frame, prediction);
  }
  return table;
}

}  // namespace

TEST_CASE("gap-predict: predictions are added to the fields of the frame and obey the conventions") {
  CHECK(contains(predicted().err, "the error bars are calibrated (leave_one_out)"));
  const auto input = read_extxyz(fitted() / "test.xyz"), output = read_extxyz(fitted() / "predictions.xyz");
  REQUIRE(output.size() == input.size());
  for (std::size_t i = 0; i < output.size(); ++i) {
    const Structure& frame = output[i];
    CAPTURE(frame.source);
    CHECK(largest_difference(frame.positions, input[i].positions) == 0);
    for (const char* kept : {"energy", "stress", "virial", "config_type", "uid", "kpts"}) CHECK(frame.find_field(kept) != nullptr);
    CHECK(column(frame, "forces") == column(input[i], "forces"));
    check_conventions(frame);
    check_error_bars(frame);
    CHECK(numbers(frame, "gap_energy_samples").size() == 3);
    CHECK(column(frame, "gap_forces_samples").size() == 3 * column(frame, "gap_forces").size());
  }
}

TEST_CASE("gap-predict: stdout, JSON and the fit's validation errors have the same error table as the written predictions") {
  const ProgramResult& result = predicted();
  const ErrorTable expected = table_of(read_extxyz(fitted() / "predictions.xyz"));
  CHECK(result.out.starts_with(expected.text() + "\nerror bars "));
  const auto json = nlohmann::json::parse(read_text(fitted() / "predictions.json"));
  const auto fit = nlohmann::json::parse(read_text(fitted() / "fit.json"));
  for (const char* property : {"energy", "forces", "stress"}) {
    CAPTURE(property);
    const double rmse = json.at("all").at(property).at("rmse");
    CHECK(json.at("all").at(property).at("count").get<int>() > 0);
    check_close(rmse, nlohmann::json::parse(expected.json()).at("all").at(property).at("rmse"), 0, 1e-9);
    check_close(rmse, fit.at("validation").at("all").at(property).at("rmse"), 0, 1e-6);
  }
}

TEST_CASE("gap-predict: JSON has metrics of error bars, counts of frames and times of phases") {
  const ProgramResult& result = predicted();
  const std::size_t frames = read_extxyz(fitted() / "test.xyz").size();
  const auto json = nlohmann::json::parse(read_text(fitted() / "predictions.json"));
  CHECK(json.at("frames_predicted") == frames);
  CHECK(json.at("calibration") == "calibrated");
  const auto& bars = json.at("error_bars").at("all");
  CHECK(bars.at("energy").at("count") == frames);
  for (const char* property : {"energy", "forces", "atoms", "stress"}) CHECK(bars.at(property).at("zms").at("value").get<double>() > 0);
  CHECK(bars.at("forces").at("bins").size() == 5);
  CHECK(bars.at("forces").at("count").get<int>() + bars.at("vanishing_forces").get<int>() ==
        json.at("all").at("forces").at("count").get<int>());
  CHECK(json.at("error_bars").at("config_types").size() == json.at("config_types").size());
  CHECK(json.at("frames_outside_sparse_set") == 0);
  double phases = 0;
  for (const auto& [phase, seconds] : json.at("phase_seconds").items()) {
    CHECK(contains(result.out, "\n" + phase + " "));
    CHECK(seconds.get<double>() >= 0);
    phases += seconds.get<double>();
  }
  CHECK(json.at("phase_seconds").at("predict") > 0);
  CHECK(phases <= json.at("seconds").get<double>());
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

}  // namespace gapkit::test
