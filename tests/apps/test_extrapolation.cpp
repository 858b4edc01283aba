// Extrapolation grades of the programs: gap-predict, gap-info, gap-fit.

#include <algorithm>
#include <gapkit/model/model.hpp>
#include <nlohmann/json.hpp>

#include "apps/workplace.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<double> grades_of(const Structure& frame, const char* name = "gap_extrapolation") {
  const Column* column = frame.find_column(name);
  REQUIRE(column != nullptr);
  REQUIRE(column->count == 1);
  return std::get<std::vector<double>>(column->values);
}

double largest_of(const Structure& frame) {
  const Field* field = frame.find_field("gap_extrapolation_max");
  REQUIRE(field != nullptr);
  return std::get<double>(field->value);
}

struct Counts {
  int frames = 0, atoms = 0, frames_1 = 0, frames_2 = 0, atoms_1 = 0, atoms_2 = 0;
  double largest = 0;
};

/// The test frames as they are, and squeezed: unlike the training data.
std::string write_mixed_frames() {
  std::vector<Structure> frames = read_extxyz(fitted() / "test.xyz");
  const std::size_t count = frames.size();
  for (std::size_t i = 0; i < count; ++i) {
    Structure squeezed = frames[i];
    *squeezed.cell *= 0.7;
    squeezed.positions *= 0.7;
    frames.push_back(std::move(squeezed));
  }
  ExtxyzWriter writer(fitted() / "mixed.xyz");
  for (const Structure& frame : frames) writer.write(frame);
  writer.commit();
  return "mixed.xyz";
}

}  // namespace

TEST_CASE("gap-predict: grades of atoms and frames, their counts in table, JSON and page agree") {
  const ProgramResult result = fitted().run("gap-predict", {"model.h5", write_mixed_frames(), "-o", "graded.xyz", "--std", "extrapolation",
                                                            "--no-reference", "--json", "graded.json", "--report", "graded.html"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  Counts expected;
  for (const Structure& frame : read_extxyz(fitted() / "graded.xyz")) {
    const std::vector<double> grades = grades_of(frame);
    REQUIRE(static_cast<int>(grades.size()) == frame.size());
    const double largest = *std::max_element(grades.begin(), grades.end());
    CHECK(largest_of(frame) == largest);
    CHECK(*std::min_element(grades.begin(), grades.end()) > 0);
    CHECK(frame.find_field("gap_calibration") == nullptr);  // there are no error bars
    CHECK(frame.find_field("gap_energy_std") == nullptr);
    ++expected.frames;
    expected.atoms += frame.size();
    expected.frames_1 += largest > 1;
    expected.frames_2 += largest > 2;
    expected.atoms_1 += static_cast<int>(std::count_if(grades.begin(), grades.end(), [](double g) { return g > 1; }));
    expected.atoms_2 += static_cast<int>(std::count_if(grades.begin(), grades.end(), [](double g) { return g > 2; }));
    expected.largest = std::max(expected.largest, largest);
  }
  CHECK(expected.frames_1 >= expected.frames / 2);
  CHECK(expected.frames_1 < expected.frames);
  const auto json = nlohmann::json::parse(read_text(fitted() / "graded.json")).at("extrapolation");
  const auto& all = json.at("all");
  CHECK(all.at("frames") == expected.frames);
  CHECK(all.at("atoms") == expected.atoms);
  CHECK(all.at("frames_above_1") == expected.frames_1);
  CHECK(all.at("frames_above_2") == expected.frames_2);
  CHECK(all.at("atoms_above_1") == expected.atoms_1);
  CHECK(all.at("atoms_above_2") == expected.atoms_2);
  check_close(all.at("largest").get<double>(), expected.largest, 0, 1e-12);
  CHECK(contains(all.at("where").get<std::string>(), "mixed.xyz"));
  int atoms = 0;
  for (const auto& [name, row] : json.at("config_types").items()) atoms += row.at("atoms").get<int>();
  CHECK(atoms == expected.atoms);
  CHECK(contains(result.out, "largest grade: mixed.xyz"));
  CHECK(contains(read_text(fitted() / "graded.html"), "Atoms unlike the training data"));
}

TEST_CASE("gap-predict: grades replace older ones, come with error bars, and are absent without a request") {
  write_mixed_frames();
  const auto predict = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"model.h5", "mixed.xyz", "-o", "again.xyz", "--no-reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = fitted().run("gap-predict", arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return read_extxyz(fitted() / "again.xyz");
  };
  const auto alone = predict({"--std", "extrapolation"});
  const auto bars = predict({"--std", "energy,local,force,extrapolation", "--std-points", "10"});
  const auto raw = predict({"--std", "extrapolation", "--raw", "--prefix", "my_"});
  const auto none = predict({"--std", "local"});
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const auto expected = grades_of(alone[i]), with_bars = grades_of(bars[i]), named = grades_of(raw[i], "my_extrapolation");
    for (std::size_t k = 0; k < expected.size(); ++k) {
      check_close(with_bars[k], expected[k], 1e-6, 1e-5);
      check_close(named[k], expected[k], 1e-6, 1e-5);
    }
    CHECK(bars[i].find_column("gap_local_energy_std_epistemic") != nullptr);
    CHECK(none[i].find_column("gap_extrapolation") == nullptr);
    CHECK(none[i].find_field("gap_extrapolation_max") == nullptr);
  }
}

TEST_CASE("gap-info shows the thresholds of extrapolation grades; models without them are refused with a sentence") {
  const ProgramResult info = fitted().run("gap-info", {"model.h5", "--json"});
  INFO(info.err);
  REQUIRE(info.exit_code == 0);
  const Model model = load_model(fitted() / "model.h5");
  REQUIRE(model.has_extrapolation());
  const ExtrapolationThreshold& silicon = model.calibration->extrapolation.front();
  const auto shown = nlohmann::json::parse(info.out);
  const auto& thresholds = shown.at("calibration").at("extrapolation");
  REQUIRE(thresholds.size() == 1);
  CHECK(thresholds[0].at("element") == "Si");
  CHECK(thresholds[0].at("atoms") == silicon.atoms);
  check_close(thresholds[0].at("novelty").get<double>(), silicon.novelty, 0, 1e-12);
  check_close(thresholds[0].at("std").get<double>(), silicon.std, 0, 1e-12);
  CHECK(contains(fitted().run("gap-info", {"model.h5"}).out, "1 is the border of the familiar"));

  Model old = model;
  old.calibration->extrapolation.clear();
  save_model(old, fitted() / "old.h5");
  const ProgramResult refused = fitted().run("gap-predict", {"old.h5", "test.xyz", "-o", "refused.xyz", "--std", "extrapolation"});
  CHECK(refused.exit_code == 2);
  CHECK(contains(refused.err, "this model has no extrapolation thresholds"));
  CHECK_FALSE(std::filesystem::exists(fitted() / "refused.xyz"));
  CHECK(fitted().run("gap-predict", {"old.h5", "test.xyz", "-o", "good.xyz", "--std", "local"}).exit_code == 0);
  CHECK(contains(fitted().run("gap-info", {"old.h5"}).out, "extrapolation grades: none"));
}
