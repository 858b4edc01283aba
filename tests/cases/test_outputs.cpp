#include "cases/cases.hpp"

using namespace gapkit::test;

TEST_CASE("cases: two outputs of one name are refused before anything is computed") {
  const Case in("base");
  const ProgramResult fitted = in.run("gap-fit", {"fit.toml", "-o", "m.h5", "--json", "./m.h5"});
  CHECK(fitted.exit_code == 2);
  CHECK(fitted.err.find("-o and --json: both are ./m.h5") != std::string::npos);
  CHECK(!std::filesystem::exists(in.folder() / "m.h5"));
  const ProgramResult predicted = in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz", "--report", "out.xyz"});
  CHECK(predicted.exit_code == 2);
  CHECK(predicted.err.find("-o and --report: both are out.xyz") != std::string::npos);
}

TEST_CASE("cases: a learning loop is not put into the current folder or one named -") {
  const Case in("base");
  for (const char* folder : {"", "-"}) {
    CAPTURE(folder);
    const ProgramResult run = in.run("gap-active", {"fit.toml", "-o", folder});
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("expected the name of a folder") != std::string::npos);
  }
  CHECK(!std::filesystem::exists(in.folder() / "-"));
}
