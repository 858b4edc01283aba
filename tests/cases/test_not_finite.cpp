// Frames whose prediction is not finite beside frames that are in order.

#include <fstream>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "cases/cases.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A model with a ZBL baseline, which is infinite where atoms are on top of each other.
const std::filesystem::path& zbl_model() {
  static const Case base("base");
  static const std::filesystem::path path = [] {
    std::ofstream(base.folder() / "fit.toml", std::ios::app) << "\n[[baseline]]\nkind = \"zbl\"\n";
    const ProgramResult fitted = base.run("gap-fit", {"fit.toml", "-o", "zbl.h5"});
    REQUIRE_MESSAGE(fitted.exit_code == 0, fitted.err);
    return base.folder() / "zbl.h5";
  }();
  return path;
}

std::string frame(const char* distance, const char* more = "") {
  return std::string("2\nProperties=species:S:1:pos:R:3:forces:R:3 pbc=\"F F F\" energy=-1.0 ") + more + "\nSi 0 0 0 0 0 0\nSi 0 0 " +
         distance + " 0 0 0\n";
}

}  // namespace

TEST_CASE("cases: a frame without finite prediction costs no other frame of the run") {
  const TemporaryFolder folder;
  const std::string good = frame("2.4") + frame("2.2", "gap_not_finite=T"), more = frame("2.6");
  folder.write("good.xyz", good + more);
  // The bad frames come from an earlier run with another model.
  folder.write("in.xyz", good + frame("0", "gap_energy=-3.0 gap_shortest_distance_ratio=0.1") + more + frame("0.0"));
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"--std", "energy,force,local"}, {"--std", "local"}, {"--no-forces"}, {"--samples", "2"}}) {
    CAPTURE(options);
    const auto predict = [&](const char* input, const char* output) {
      std::vector<std::string> arguments = {zbl_model().string(),          input,      "-o",         output, "--json",
                                            std::string(output) + ".json", "--report", "report.html"};
      arguments.insert(arguments.end(), options.begin(), options.end());
      return run_program("gap-predict", arguments, folder.path());
    };
    REQUIRE(predict("good.xyz", "good_out.xyz").exit_code == 0);
    const ProgramResult run = predict("in.xyz", "out.xyz");
    CAPTURE(run.err);
    CHECK(run.exit_code == 3);
    CHECK(count_of(run.err, "warning:") == 1);
    for (const char* part : {"2 of 5 frames have no finite", "gap_not_finite=T", "left out of all tables", "in.xyz:9",
                             "atoms 1 (Si) and 2 (Si) are 0 Å apart"})
      CHECK_MESSAGE(run.err.find(part) != std::string::npos, part);
    const std::vector<Structure> expected = read_extxyz(folder.path() / "good_out.xyz"), found = read_extxyz(folder.path() / "out.xyz");
    REQUIRE(found.size() == 5);
    for (const auto& [f, e] : {std::pair{0, 0}, std::pair{1, 1}, std::pair{3, 2}}) {
      CHECK(found[f].find_field("gap_not_finite") == nullptr);
      REQUIRE(found[f].fields.size() == expected[e].fields.size());
      for (const Field& field : expected[e].fields)
        if (const auto* number = std::get_if<double>(&field.value))
          check_close(std::get<double>(found[f].find_field(field.key)->value), *number, 1e-9 * (1 + std::abs(*number)));
      CHECK(found[f].columns.size() == expected[e].columns.size());
    }
    for (const int f : {2, 4}) {
      REQUIRE(found[f].find_field("gap_not_finite") != nullptr);
      CHECK(std::get<bool>(found[f].find_field("gap_not_finite")->value));
      for (const Field& field : found[f].fields) CHECK((field.key == "gap_not_finite" || !field.key.starts_with("gap_")));
      for (const char* name : {"gap_forces", "gap_local_energy", "gap_forces_samples"}) CHECK(found[f].find_column(name) == nullptr);
      CHECK(found[f].find_column("forces") != nullptr);  // from the input frame
    }
    auto json = nlohmann::json::parse(read_text(folder.path() / "out.xyz.json"));
    const auto json_of_good = nlohmann::json::parse(read_text(folder.path() / "good_out.xyz.json"));
    CHECK(json.at("frames_not_finite") == 2);
    CHECK(json.at("frames_predicted") == 3);
    CHECK(json.at("frames_with_close_atoms") == 2);
    CHECK(json.at("all").at("energy").at("count") == 3);
    check_close(json.at("all").at("energy").at("rmse").get<double>(), json_of_good.at("all").at("energy").at("rmse").get<double>(), 1e-9);
    CHECK(read_text(folder.path() / "report.html").find("2 of 5 frames have no finite") != std::string::npos);
  }
}

TEST_CASE("cases: a file of one frame without finite prediction, and differences with such frames") {
  const TemporaryFolder folder;
  folder.write("bad.xyz", frame("0"));
  const ProgramResult run = run_program("gap-predict", {zbl_model().string(), "bad.xyz", "-o", "out.xyz"}, folder.path());
  CAPTURE(run.err);
  CHECK(run.exit_code == 3);
  CHECK(run.err.find("1 of 1 frames have no finite") != std::string::npos);
  CHECK(read_extxyz(folder.path() / "out.xyz").at(0).find_field("gap_not_finite") != nullptr);

  folder.write("a.xyz", frame("2.4") + frame("2.4"));
  folder.write("b.xyz", frame("0") + frame("2.5"));
  const ProgramResult difference =
      run_program("gap-predict", {zbl_model().string(), "--difference", "a.xyz", "b.xyz", "--json", "d.json"}, folder.path());
  CAPTURE(difference.err);
  CHECK(difference.exit_code == 3);
  CHECK(count_of(difference.err, "warning:") == 1);
  CHECK(difference.err.find("b.xyz:1") != std::string::npos);
  CHECK(difference.out.find("not finite") != std::string::npos);
  const auto json = nlohmann::json::parse(read_text(folder.path() / "d.json"));
  CHECK(json.at(0).at("energy").is_null());
  CHECK(std::isfinite(json.at(1).at("energy").get<double>()));
}
