// σ given with the training data: error bars have noise, and are calibrated where the output says so.

#include <cmath>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "cases/cases.hpp"

using namespace gapkit;
using namespace gapkit::test;
using Json = nlohmann::json;

namespace {

ProgramResult run_well(const Case& where, const std::string& program, const std::vector<std::string>& arguments) {
  ProgramResult result = where.run(program, arguments);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return result;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

Json json_in(const Case& where, const std::string& file) {
  return Json::parse(read_text(where.folder() / file));
}

/// Changes the configuration: `line` goes to the end of the section [data], `more` to the end of the file.
void change_configuration(const Case& where, const std::string& line, const std::string& more = "") {
  std::string text = read_text(where.folder() / "fit.toml");
  const std::string files = "train = [\"train.xyz\"]\n";
  text.insert(text.find(files) + files.size(), line + "\n");
  write_text(where.folder() / "fit.toml", text + more);
}

std::vector<Structure> frames_in(const Case& where, const std::string& file) {
  std::vector<Structure> frames;
  ExtxyzReader reader((where.folder() / file).string());
  while (std::optional<Structure> frame = reader.next()) frames.push_back(std::move(*frame));
  return frames;
}

/// The data of sigma_in_frames or sigma_per_atom; `given`: properties with noise from the data, as in the message.
void check_error_bars(const Case& data, const std::string& given) {
  const Case other("sigma_in_frames");
  const std::string test = (other.folder() / "test.xyz").string();
  const ProgramResult fitted = run_well(data, "gap-fit", {"fit.toml", "-o", "m.h5", "--json", "fit.json"});
  CHECK(count_of(fitted.out, "calibrated on 0") == 0);
  CHECK(count_of(fitted.out, "Error bars: calibrated on ") == 1);
  for (const Json& factors : json_in(data, "fit.json").at("calibration").at("factors")) CHECK(factors.at("structures").get<int>() >= 5);

  const ProgramResult predicted =
      run_well(data, "gap-predict", {"m.h5", test, "-o", "out.xyz", "--std", "energy,force", "--json", "out.json"});
  CHECK(count_of(predicted.err, "the root mean square of the given sigma: " + given) == 1);
  for (const Structure& frame : frames_in(data, "out.xyz"))
    CHECK(std::get<std::string>(frame.find_field("gap_calibration")->value) == "calibrated");
  const Json result = json_in(data, "out.json");
  CHECK(result.at("calibration") == "calibrated");
  for (const char* property : {"energy", "forces"}) {
    CAPTURE(property);
    const double zms = result.at("error_bars").at("all").at(property).at("zms").at("value").get<double>();
    CHECK(zms >= 0.5);
    CHECK(zms <= 2.5);
  }
}

}  // namespace

TEST_CASE("cases: sigma_in_frames: error bars have noise and their calibration has data") {
  check_error_bars(Case("sigma_in_frames"), "energy 0.");
}

TEST_CASE("cases: sigma_per_atom: error bars of forces have noise and their calibration has data") {
  check_error_bars(Case("sigma_per_atom"), "force 0.");
}

TEST_CASE("cases: a property without held-out rows is uncalibrated wherever the calibration is reported") {
  const Case data("sigma_in_frames");
  change_configuration(data, "use = [\"energy\", \"forces\"]");
  const ProgramResult fitted = run_well(data, "gap-fit", {"fit.toml", "-o", "m.h5", "--json", "fit.json"});
  CHECK(count_of(fitted.out, "; uncalibrated: virial") == 1);
  CHECK(json_in(data, "fit.json").at("calibration").at("uncalibrated") == "virial");
  CHECK(count_of(run_well(data, "gap-info", {"m.h5"}).out, "uncalibrated (a = b = 1): virial") == 1);
  CHECK(count_of(run_well(data, "gap-info", {"m.h5"}).out, "given with the data, root mean square ") == 2);

  const std::string state = "calibrated: energy force; uncalibrated: stress";
  const ProgramResult both =
      run_well(data, "gap-predict",
               {"m.h5", "test.xyz", "-o", "out.xyz", "--std", "energy,force,stress", "--json", "out.json", "--report", "out.html"});
  CHECK(count_of(both.err, "the error bars of energy, force are calibrated (holdout), the error bars of stress are not") == 1);
  CHECK(count_of(both.err, "no noise level of stress") == 1);
  CHECK(count_of(both.out, state) == 1);
  CHECK(json_in(data, "out.json").at("calibration") == state);
  CHECK(count_of(read_text(data.folder() / "out.html"), "the error bars of stress are not") >= 1);
  CHECK(std::get<std::string>(frames_in(data, "out.xyz").at(0).find_field("gap_calibration")->value) == state);

  const ProgramResult stress = run_well(data, "gap-predict", {"m.h5", "test.xyz", "-o", "out.xyz", "--std", "stress"});
  CHECK(count_of(stress.err, "the error bars are uncalibrated: the calibration had no data of stress") == 1);
  CHECK(std::get<std::string>(frames_in(data, "out.xyz").at(0).find_field("gap_calibration")->value) == "uncalibrated");
}

TEST_CASE("cases: a frame's own sigma is the noise in its error bars") {
  const Case data("sigma_in_frames");
  run_well(data, "gap-fit", {"fit.toml", "-o", "m.h5"});
  const auto std_of_first = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"m.h5", "one.xyz", "-o", "out.xyz", "--std", "energy", "--raw"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_well(data, "gap-predict", arguments);
    return std::get<double>(frames_in(data, "out.xyz").at(0).find_field("gap_energy_std")->value);
  };
  std::string text = read_text(data.folder() / "test.xyz");
  write_text(data.folder() / "one.xyz", text);
  const double usual = std_of_first({});
  CHECK(usual < 1);
  write_text(data.folder() / "one.xyz", text.insert(text.find(" pbc="), " energy_sigma=7"));
  CHECK(std_of_first({}) >= 7);
  check_close(std_of_first({"--no-reference"}), usual, 0, 1e-9);  // the frame is new then
}

TEST_CASE("cases: cross-validation counts rows that brought their own sigma") {
  const Case data("sigma_in_frames");
  change_configuration(data, "", "\n[optimize]\nobjective = \"cross_validation\"\nfolds = 3\n");
  std::string toml = read_text(data.folder() / "fit.toml");
  toml.replace(toml.find("[calibration]\nholdout = 0.1\nrounds = 3"), 38, "");
  write_text(data.folder() / "fit.toml", toml);
  const ProgramResult fitted = run_well(data, "gap-fit", {"fit.toml", "-o", "m.h5", "--json", "fit.json"});
  CHECK(count_of(fitted.err, "all rows brought a sigma of their own, which stays: only delta is optimised") == 1);
  const Json optimization = json_in(data, "fit.json").at("optimization");
  const Json before = optimization.at("before"), after = optimization.at("after");
  CHECK(before.at("delta") != after.at("delta"));
  double gain = 0;  // of the loss: logarithms of the errors
  for (std::size_t g = 0; g < before.at("groups").size(); ++g) {
    const double was = before.at("groups")[g].at("fold_error"), is = after.at("groups")[g].at("fold_error");
    gain += std::log(was / is);
    CHECK(was < 2);  // eV, eV/Å, eV: not in units of the given σ
    CHECK(optimization.at("groups")[g].at("given_sigma").get<double>() > 0);
  }
  CHECK(gain > 0);
}

TEST_CASE("cases: a single atom without a sigma of its own does not decide the noise of all other frames") {
  const Case data("sigma_in_frames");
  std::string text = read_text(data.folder() / "train.xyz");
  const std::string own = " energy_sigma=0.002";  // of the isolated atom, the first frame
  REQUIRE(text.find(own) < text.find("\nSi"));
  text.erase(text.find(own), own.size());
  write_text(data.folder() / "train.xyz", text);
  std::string configuration = read_text(data.folder() / "fit.toml");
  const std::string sigma = "energy = 0.002";
  configuration.replace(configuration.find(sigma), sigma.size(), "energy = 1e-5");
  write_text(data.folder() / "fit.toml", configuration);
  check_error_bars(data, "energy");
}
