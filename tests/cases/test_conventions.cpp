// Labels with wrong units or conventions that a fit reveals.

#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "cases/cases.hpp"

using namespace gapkit::test;

namespace {

// The same warning on stderr, in the final summary and in the JSON file.
void check_warned(const std::string& name, const std::string& expected) {
  const Case c(name);
  const ProgramResult fitted = c.run("gap-fit", {"fit.toml", "--json", "fit.json"});
  CHECK_MESSAGE(fitted.exit_code == 0, fitted.err);
  CHECK_MESSAGE(fitted.err.find(expected) != std::string::npos, fitted.err);
  CHECK_MESSAGE(fitted.out.find(expected) != std::string::npos, fitted.out);
  const auto json = nlohmann::json::parse(read_text(c.folder() / "fit.json"));
  REQUIRE(json.at("findings").size() == 1);
  CHECK(json.at("findings")[0].at("message").get<std::string>().find(expected) != std::string::npos);
}

}  // namespace

TEST_CASE("cases: stresses under the name of virials are recognised") {
  check_warned("stress_named_virial", "the virials look like stresses in eV/Å³, positive under tension: the factor −volume explains them");
}

TEST_CASE("cases: energies per atom are recognised") {
  check_warned("energy_per_atom", "the energies seem to be energies per atom, expected the energy of the whole frame");
}

TEST_CASE("cases: labels that are right raise no suspicion") {
  const Case c("base");
  const ProgramResult fitted = c.run("gap-fit", {"fit.toml", "--json", "fit.json"});
  CHECK_MESSAGE(fitted.exit_code == 0, fitted.err);
  const auto json = nlohmann::json::parse(read_text(c.folder() / "fit.json"));
  CHECK(json.at("findings").empty());
  REQUIRE(json.at("label_agreement").size() == 3);
  for (const auto& agreement : json.at("label_agreement")) {
    CHECK(agreement.at("config_type") == "diamond_rattle8");
    CHECK(agreement.at("correlation").get<double>() > 0.9);
    CHECK(std::abs(agreement.at("slope").get<double>() - 1) < 0.2);
  }
}

TEST_CASE("cases: the labels of appended frames are compared with predictions too") {
  const Case c("base");
  REQUIRE(c.run("gap-fit", {"fit.toml", "-o", "first.h5", "--statistics"}).exit_code == 0);
  {
    gapkit::ExtxyzWriter reversed(c.folder() / "reversed.xyz"), same(c.folder() / "same.xyz");
    for (gapkit::Structure& frame : gapkit::read_extxyz(c.folder() / "train.xyz")) {
      if (frame.size() < 2) continue;
      same.write(frame);
      std::vector<double> stress;
      for (const double component : std::get<std::vector<double>>(frame.find_field("stress")->value)) stress.push_back(-component);
      frame.set_field("stress", stress);
      reversed.write(frame);
    }
    reversed.commit();
    same.commit();
  }
  const char* expected = "the sign of the stress is reversed";
  const ProgramResult appended = c.run("gap-fit", {"--append", "first.h5", "reversed.xyz", "-o", "second.h5", "--json", "second.json"});
  CHECK_MESSAGE(appended.exit_code == 0, appended.err);
  CHECK_MESSAGE(appended.err.find(expected) != std::string::npos, appended.err);
  CHECK_MESSAGE(appended.out.find(expected) != std::string::npos, appended.out);
  const auto json = nlohmann::json::parse(read_text(c.folder() / "second.json"));
  REQUIRE(json.at("findings").size() == 1);
  CHECK(json.at("findings")[0].at("message").get<std::string>().find(expected) != std::string::npos);

  REQUIRE(c.run("gap-fit", {"--append", "first.h5", "same.xyz", "-o", "second.h5", "--json", "second.json"}).exit_code == 0);
  CHECK(nlohmann::json::parse(read_text(c.folder() / "second.json")).at("findings").empty());
}
