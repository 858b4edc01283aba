#include <fstream>

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

TEST_CASE("cases: a model output that cannot be replaced is refused by every program before any data are read") {
  const Case in("base");
  std::filesystem::create_directory(in.folder() / "taken.h5");
  // A program that reads its inputs names them.
  for (const char* file : {"broken.xyz", "broken.h5", "broken2.h5", "broken.xml"}) std::ofstream(in.folder() / file) << "no frame\n";
  const auto refused = [&](const std::string& program, const std::vector<std::string>& arguments, const char* why) {
    const ProgramResult run = in.run(program, arguments);
    CAPTURE(program);
    CAPTURE(arguments);
    CHECK(run.exit_code == 2);
    CHECK_MESSAGE(run.err.find(why) != std::string::npos, run.err);
    CHECK_MESSAGE(run.err.find("broken") == std::string::npos, run.err);
  };
  for (const auto& [output, why] : {std::pair{"/dev/null", "a device or a pipe"}, std::pair{"taken.h5", "this is a folder"}}) {
    refused("gap-fit", {"fit.toml", "--train", "broken.xyz", "-o", output}, why);
    refused("gap-fit", {"broken.xyz", "-o", output}, why);
    refused("gap-fit", {"fit.toml", "--train", "broken.xyz", "-o", output, "--scan", "run.seed=1,2"}, why);
    refused("gap-fit", {"--append", "broken.h5", "broken.xyz", "-o", output}, why);
    refused("gap-fit", {"--refit", "broken.h5", "--sigma-energy", "0.1", "-o", output}, why);
    refused("gap-fit", {"--merge", "broken.h5", "broken2.h5", "-o", output}, why);
    refused("gap-fit", {"--sample-model", "broken.h5", "-o", output}, why);
  }
  refused("gap-predict", {"broken.h5", "broken.xyz", "-o", "taken.h5"}, "this is a folder");
  refused("gap-predict", {"broken.h5", "broken.xyz", "-o", "out.xyz", "--json", "taken.h5"}, "this is a folder");
  std::filesystem::create_directory(in.folder() / "taken.xml");
  refused("gap-convert", {"broken.h5", "taken.xml"}, "this is a folder");
  std::filesystem::create_symlink("/dev/null", in.folder() / "null.h5");
  refused("gap-convert", {"broken.xml", "null.h5"}, "a device or a pipe");
  refused("gap-fit", {"fit.toml", "--train", "broken.xyz", "-o", "null.h5"}, "a device or a pipe");
  CHECK(std::filesystem::is_symlink(in.folder() / "null.h5"));
  // Text can go to a device.
  CHECK(in.run("gap-predict", {base_model().string(), "train.xyz", "-o", "/dev/null"}).exit_code == 0);
}

TEST_CASE("cases: sizes and durations on the command line that are no usable numbers are refused in one short sentence") {
  const Case in("base");
  for (const auto& command : {std::pair{"gap-fit", "--memory"}, std::pair{"gap-fit", "--time"},
                              std::pair{"gap-fit", "--checkpoint-interval"}, std::pair{"gap-active", "--wall-time"}}) {
    const std::string program = command.first, option = command.second;
    for (const char* value : {"nan", "inf", "-inf", "-1", "1e308", "1e400", "much"}) {
      const ProgramResult run = in.run(program, {"fit.toml", option + "=" + value});
      CAPTURE(option);
      CAPTURE(value);
      CHECK(run.exit_code == 2);
      CHECK_MESSAGE(run.err.find("error: " + option + " '" + value + "': expected ") != std::string::npos, run.err);
      CHECK_MESSAGE(run.err.size() < 200, run.err);
    }
  }
  for (const char* option : {"--memory", "--time"}) {
    const ProgramResult run = in.run("gap-fit", {"fit.toml", option, "0"});
    CHECK(run.exit_code == 2);
    CHECK_MESSAGE(run.err.find("above 0") != std::string::npos, run.err);
  }
  CHECK(in.run("gap-fit", {"fit.toml", "--dry-run", "--memory", "900MB"}).exit_code == 0);
}
