// [[long_range]] beyond one fit: the scale of charges, the short range alone, learning loops, fits without a configuration.

#include <fmt/format.h>

#include <fstream>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "cases/cases.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

namespace fs = std::filesystem;

fs::path nacl_data(const char* name) {
  return source_folder() / "data" / "nacl_model" / name;
}

/// A quick fit to data/nacl_model.
std::string pair_configuration(const std::string& train, const std::string& long_range) {
  return fmt::format(
      "[data]\ntrain = ['{}']\n[reference_energies]\nmode = 'explicit'\nexplicit = {{ Na = 0.0, Cl = 0.0 }}\n"
      "[[long_range]]\nkind = 'coulomb'\n{}\n"
      "[[term]]\ndescriptor = 'two_body'\ncutoff = 4.5\nkernel = 'squared_exponential'\nlength_scale = 0.6\ndelta = 2.0\nn_sparse = 20\n"
      "selection = 'uniform'\n[regularization]\nenergy = 0.0005\nforce = 0.005\nvirial = 0.005\n",
      train, long_range);
}

nlohmann::json json_file(const fs::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

/// One frame as text, of a config type and number within it.
std::string frame_of(const fs::path& file, const std::string& config_type, int number) {
  std::ifstream in(file);
  for (std::string count; std::getline(in, count);) {
    std::string text = count + "\n", line;
    std::getline(in, line);
    const bool is_wanted = line.find("config_type=" + config_type) != std::string::npos && number-- == 0;
    text += line + "\n";
    for (int i = 0; i < std::stoi(count); ++i) {
      std::getline(in, line);
      text += line + "\n";
    }
    if (is_wanted) return text;
  }
  FAIL("no such frame");
  return "";
}

}  // namespace

TEST_CASE("long range: the fit finds the scale of charges that are too small, with an error bar that holds") {
  const TemporaryFolder folder;
  folder.write("fit.toml", pair_configuration(nacl_data("nacl_train.xyz").string(), "charges = { Na = 0.8, Cl = -0.8 }\nscale = true"));
  const ProgramResult run = run_program("gap-fit", {"fit.toml", "-o", "m.h5", "--json", "fit.json"}, folder.path());
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  const nlohmann::json facts = json_file(folder.path() / "fit.json"), scale = facts.at("charge_scale");
  const double factor = scale.at("factor"), std = scale.at("factor_std");
  MESSAGE("factor ", factor, " ± ", std, ", of the posterior ", scale.at("square_posterior_std").get<double>() / (2 * factor));
  CHECK(is_close(factor, 1.25, 0.02));
  CHECK(std < 0.02);
  CHECK(scale.at("square_std").get<double>() >= scale.at("square_posterior_std").get<double>());
  CHECK(scale.at("structures") == 48);
  CHECK(run.out.find("Charges: found 1.2") != std::string::npos);
  CHECK(run.out.find("Error bars lack the uncertainty of this factor.") != std::string::npos);
  // The model has the charges that were found, and what follows the fit takes them too.
  const ProgramResult info = run_program("gap-info", {"m.h5"}, folder.path());
  CHECK(info.out.find(fmt::format("charges Cl = -{:.3f}", 0.8 * factor)) != std::string::npos);
  CHECK(is_close(facts.at("long_range").at("charge_factor"), 1, 0.02));
  // Dissociation, which is not in the training data, has the right charges.
  const ProgramResult predicted =
      run_program("gap-predict", {"m.h5", nacl_data("nacl_test.xyz").string(), "-o", "p.xyz", "--json", "p.json"}, folder.path());
  REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
  CHECK(json_file(folder.path() / "p.json").at("config_types").at("dimer_far").at("energy").at("rmse").get<double>() < 40);
}

TEST_CASE("long range: the fits that find the scale and the gain show their progress") {
  const TemporaryFolder folder;
  folder.write("fit.toml", pair_configuration(nacl_data("nacl_train.xyz").string(), "charges = { Na = 1, Cl = -1 }\nscale = true"));
  const ProgramResult run = run_program("gap-fit", {"fit.toml", "-o", "m.h5"}, folder.path());
  REQUIRE(run.exit_code == 0);
  CHECK_MESSAGE(run.err.find("the charges of [[long_range]] times ") != std::string::npos, run.err);
}

TEST_CASE("long range: a scale is refused for too few structures and for other charges than those of elements") {
  const TemporaryFolder folder;
  std::string few;
  for (int k = 0; k < 3; ++k) few += frame_of(nacl_data("nacl_train.xyz"), "rattle8", k);
  folder.write("few.xyz", few);
  folder.write("fit.toml", pair_configuration("few.xyz", "charges = { Na = 1, Cl = -1 }\nscale = true"));
  const ProgramResult refused = run_program("gap-fit", {"fit.toml", "-o", "m.h5"}, folder.path());
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("scale = true needs 5 structures of several atoms, found 3") != std::string::npos);
  folder.write("given.toml", pair_configuration("few.xyz", "charges = 'given'\nscale = true"));
  const ProgramResult given = run_program("gap-fit", {"given.toml", "-o", "m.h5"}, folder.path());
  CHECK(given.exit_code == 2);
  CHECK(given.err.find("'scale' multiplies charges of elements") != std::string::npos);
}

TEST_CASE("long range: the short range alone is a model without the Coulomb energy, and says so") {
  const TemporaryFolder folder;
  folder.write("fit.toml", pair_configuration(nacl_data("nacl_train.xyz").string(), "charges = { Na = 1, Cl = -1 }"));
  REQUIRE(run_program("gap-fit", {"fit.toml", "-o", "m.h5"}, folder.path()).exit_code == 0);
  const ProgramResult converted = run_program("gap-convert", {"m.h5", "short.h5", "--short-range"}, folder.path());
  REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  CHECK(converted.out.find("has to add coulomb (charges Cl = -1, Na = 1)") != std::string::npos);
  CHECK(run_program("gap-info", {"short.h5"}, folder.path()).out.find("another program adds coulomb") != std::string::npos);
  folder.write("pair.xyz", "2\nProperties=species:S:1:pos:R:3\nNa 0 0 0\nCl 0 0 10\n");
  for (const auto& [model, energy] : {std::pair{"m.h5", -1.43996}, std::pair{"short.h5", 0.0}}) {
    const ProgramResult predicted = run_program("gap-predict", {model, "pair.xyz", "-o", "p.xyz"}, folder.path());
    REQUIRE(predicted.exit_code == 0);
    CHECK((predicted.err.find("lack coulomb") != std::string::npos) == (energy == 0));
    CHECK(is_close(std::get<double>(read_extxyz(folder.path() / "p.xyz").front().find_field("gap_energy")->value), energy, 1e-4));
  }
  CHECK(run_program("gap-convert", {"m.h5", "short.xml", "--short-range"}, folder.path()).exit_code == 2);
  const ProgramResult twice = run_program("gap-convert", {"short.h5", "again.h5", "--short-range"}, folder.path());
  CHECK(twice.exit_code == 2);
  CHECK(twice.err.find("no [[long_range]] to leave out") != std::string::npos);
}

TEST_CASE("long range: a learning loop with molecular dynamics has the Coulomb energy in its forces and in its models") {
  const TemporaryFolder folder;
  folder.write("fit.toml", pair_configuration(nacl_data("nacl_train.xyz").string(), "charges = { Na = 1, Cl = -1 }"));
  REQUIRE(run_program("gap-fit", {"fit.toml", "-o", "labels.h5"}, folder.path()).exit_code == 0);
  std::string start;
  for (int k = 0; k < 6; ++k) start += frame_of(nacl_data("nacl_train.xyz"), "rattle8", k);
  for (int k = 0; k < 4; ++k) start += frame_of(nacl_data("nacl_train.xyz"), "dimer_near", k);
  folder.write("start.xyz", start);
  folder.write("md.xyz", frame_of(nacl_data("nacl_train.xyz"), "rattle8", 6));
  folder.write("loop.toml", pair_configuration("start.xyz", "charges = { Na = 1, Cl = -1 }") +
                                fmt::format("[loop]\nfolder = 'loop'\nlabels = 3\n[[source]]\nkind = 'md'\nfiles = ['md.xyz']\n"
                                            "temperatures = [600]\ntime = 0.2\nround_time = 0.1\ncheck_every = 10\n"
                                            "[label]\nkind = 'command'\ncommand = ['sh', '-c', '\"$0\" \"$1\" \"$2\" -o \"$3\" --prefix "
                                            "\"\"', '{}', '{}', '{{input}}', '{{output}}']\n"
                                            "[threshold]\nmode = 'absolute'\nvalue = 0.0001\nquantity = 'force'\n[choose]\nper_round = 1\n",
                                            program_path("gap-predict"), (folder.path() / "labels.h5").string()));
  const ProgramResult loop = run_program("gap-active", {"loop.toml"}, folder.path());
  REQUIRE_MESSAGE(loop.exit_code == 0, loop.err);
  CHECK(run_program("gap-info", {"loop/model.h5"}, folder.path()).out.find("long range          coulomb") != std::string::npos);
  const ProgramResult predicted =
      run_program("gap-predict", {"loop/model.h5", "loop/labelled.xyz", "-o", "p.xyz", "--json", "p.json"}, folder.path());
  REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
  const nlohmann::json all = json_file(folder.path() / "p.json").at("all");
  CHECK(all.at("frames").get<int>() >= 3);
  CHECK(all.at("energy").at("rmse").get<double>() < 5);
  CHECK(all.at("forces").at("rmse").get<double>() < 0.05);
}

TEST_CASE("long range: without a configuration charges of ionic elements are tried, and the reason is said") {
  const TemporaryFolder folder;
  const std::string train = (source_folder() / "data" / "mgo" / "train.xyz").string();
  const ProgramResult run = run_program("gap-fit", {train, "-o", "m.h5", "--time", "60s"}, folder.path());
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  CHECK_MESSAGE(run.err.find("long range: charges in the ratio of the formal ones (Mg = 2, O = -2), times ") != std::string::npos, run.err);
  const bool helps = run.err.find("; it helps") != std::string::npos;
  const std::string toml = [&] {
    std::ifstream file(folder.path() / "m.toml");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  CHECK((toml.find("[[long_range]]") != std::string::npos) == helps);
  CHECK(helps);
}

TEST_CASE("long range: silicon has no charges to try") {
  const TemporaryFolder folder;
  const std::string train = (source_folder() / "data" / "silicon" / "train.xyz").string();
  const ProgramResult run = run_program("gap-fit", {train, "-o", "m.h5", "--dry-run", "--time", "60s"}, folder.path());
  REQUIRE_MESSAGE(run.exit_code == 0, run.err);
  CHECK(run.err.find("long range") == std::string::npos);
}
