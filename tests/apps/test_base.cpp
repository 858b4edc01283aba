// The programs with a model on top of another one, whose values the frames bring.

#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <nlohmann/json.hpp>

#include "apps/run_program.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A base with four fifths of what the labels have, and an energy of 7 eV for each atom.
Structure with_base(Structure s, double factor = 0.8) {
  std::vector<double> forces(s.forces->data(), s.forces->data() + s.forces->size());
  for (double& f : forces) f *= factor;
  s.set_field("b_energy", factor * *s.energy + 7.0 * s.size());
  s.set_column("b_forces", 3, forces);
  return s;
}

std::vector<Structure> frames_from(unsigned first, unsigned count, double factor = 0.8) {
  std::vector<Structure> frames;
  for (unsigned seed = first; seed < first + count; ++seed) {
    frames.push_back(with_base(labelled(random_triclinic(5, seed)), factor));
    std::erase_if(frames.back().fields, [](const Field& f) { return f.key == "virial"; });
  }
  return frames;
}

const char* const configuration =
    "data.train = [\"train.xyz\"]\ndata.validation = [\"test.xyz\"]\nreference_energies.mode = \"least_squares\"\n"
    "[[baseline]]\nkind = \"columns\"\nname = \"four fifths\"\nenergy = \"b_energy\"\nforces = \"b_forces\"\n"
    "[[term]]\ndescriptor = \"two_body\"\ncutoff = 4.5\nkernel = \"squared_exponential\"\nlength_scale = 0.6\nn_sparse = 15\n";

struct Workplace {
  TemporaryFolder folder;
  Workplace() {
    write_frames(path("train.xyz"), frames_from(1, 20));
    write_frames(path("test.xyz"), frames_from(50, 5));
    folder.write("fit.toml", configuration);
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder.path());
  }
};

}  // namespace

TEST_CASE("programs: a fit on another model predicts totals, and tells the errors of the base alone") {
  const Workplace work;
  const ProgramResult fitted =
      work.run("gap-fit", {"fit.toml", "-o", "m.h5", "--json", "fit.json", "--report", "fit.html", "--statistics"});
  CAPTURE(fitted.err);
  REQUIRE(fitted.exit_code == 0);
  CHECK(contains(fitted.err, "four fifths (energy 'b_energy', forces 'b_forces')"));
  CHECK(contains(fitted.out, "base alone: energy "));
  const auto json = nlohmann::json::parse(read_text(work.path("fit.json")));
  for (const char* table : {"training", "validation"}) {
    const double base = json.at(table).at("base_alone").at("forces").at("rmse"), own = json.at(table).at("all").at("forces").at("rmse");
    CHECK(base > 2 * own);
  }
  CHECK(contains(read_text(work.path("fit.html")), "base alone: energy "));
  CHECK(contains(work.run("gap-info", {"m.h5"}).out, "four fifths (energy 'b_energy', forces 'b_forces')"));

  const ProgramResult predicted =
      work.run("gap-predict", {"m.h5", "test.xyz", "-o", "out.xyz", "--std", "energy,force", "--json", "p.json"});
  CAPTURE(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(contains(predicted.out, "base alone: energy "));
  const auto errors = nlohmann::json::parse(read_text(work.path("p.json")));
  CHECK(errors.at("base_alone") == json.at("validation").at("base_alone"));
  double square = 0;
  for (const Structure& s : read_extxyz(work.path("out.xyz"))) {
    const double energy = std::get<double>(s.find_field("gap_energy")->value), label = std::get<double>(s.find_field("energy")->value);
    square += std::pow(1000 * (energy - label) / s.size(), 2) / 5;
    CHECK(!s.find_field("gap_virial"));  // which the base does not give
  }
  check_close(std::sqrt(square), errors.at("all").at("energy").at("rmse").get<double>(), 1e-6);
  const ProgramResult unlabelled = work.run("gap-predict", {"m.h5", "test.xyz", "-o", "bare.xyz", "--no-reference"});
  REQUIRE(unlabelled.exit_code == 0);
  CHECK(std::get<double>(read_extxyz(work.path("bare.xyz")).front().find_field("gap_energy")->value) ==
        std::get<double>(read_extxyz(work.path("out.xyz")).front().find_field("gap_energy")->value));
  CHECK(work.run("gap-predict", {"m.h5", "--difference", "test.xyz", "train.xyz"}).exit_code == 2);  // other numbers of frames
  CHECK(work.run("gap-predict", {"m.h5", "--difference", "test.xyz", "test.xyz"}).exit_code == 0);
  CHECK(work.run("gap-fit", {"--append", "m.h5", "test.xyz", "-o", "more.h5"}).exit_code == 0);
  const ProgramResult converted = work.run("gap-convert", {"m.h5", "m.xml"});
  CHECK(converted.exit_code == 2);
  CHECK(contains(converted.err, "it sits on another model, four fifths"));
  const ProgramResult served = work.run("gap-serve", {"m.h5", "--unix", "nobody", "--template", "test.xyz"});
  CHECK(served.exit_code == 2);
  CHECK(contains(served.err, "m.h5: the model gives the difference from another one, four fifths (energy 'b_energy', forces 'b_forces')"));
}

TEST_CASE("programs: a frame without the values of the base is refused with one sentence") {
  const Workplace work;
  REQUIRE(work.run("gap-fit", {"fit.toml", "-o", "m.h5", "--statistics"}).exit_code == 0);
  std::vector<Structure> frames = frames_from(50, 3);
  std::erase_if(frames[1].columns, [](const Column& c) { return c.name == "b_forces"; });
  frames[1].set_column("b_force", 3, std::vector<double>(15, 1.0));
  write_frames(work.path("partly.xyz"), frames);
  const std::string sentence =
      "(frame 2): the frame has no column 'b_forces' with the forces of the base four fifths; did you mean 'b_force'?";
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"gap-predict", "m.h5", "partly.xyz", "-o", "out.xyz"},
                                                    {"gap-predict", "m.h5", "partly.xyz", "-o", "out.xyz", "--no-reference"},
                                                    {"gap-fit", "fit.toml", "--train", "partly.xyz", "-o", "n.h5"},
                                                    {"gap-fit", "fit.toml", "--validation", "partly.xyz", "-o", "n.h5"},
                                                    {"gap-fit", "--append", "m.h5", "partly.xyz", "-o", "n.h5"}}) {
    const ProgramResult result = work.run(arguments.front(), {arguments.begin() + 1, arguments.end()});
    CAPTURE(arguments.front());
    CAPTURE(result.err);
    CHECK(result.exit_code == 2);
    CHECK(contains(result.err, sentence));
    CHECK(!std::filesystem::exists(work.path("out.xyz")));
    CHECK(!std::filesystem::exists(work.path("n.h5")));
  }
  CHECK(work.run("gap-predict", {"m.h5", "partly.xyz", "-o", "out.xyz", "--no-forces"}).exit_code == 0);
  const ProgramResult replaced = work.run("gap-predict", {"m.h5", "test.xyz", "-o", "replaced.xyz", "--prefix", "b_"});
  CHECK(replaced.exit_code == 2);
  CHECK(contains(replaced.err, "--prefix 'b_': the predictions would replace 'b_energy', which the base four fifths"));
  CHECK(!std::filesystem::exists(work.path("replaced.xyz")));
  work.folder.write("name.toml", std::string(configuration).replace(std::string(configuration).find("four fifths"), 11, "a\\u0000b"));
  const ProgramResult name = work.run("gap-fit", {"name.toml", "-o", "n.h5"});
  CHECK(name.exit_code == 2);
  CHECK(contains(name.err, "'name' holds a control character"));
}

TEST_CASE("programs: a base in other units, and columns that are the labels, end a fit") {
  const Workplace work;
  write_frames(work.path("hartree.xyz"), frames_from(1, 20, 1 / 27.2));
  const ProgramResult hartree = work.run("gap-fit", {"fit.toml", "--train", "hartree.xyz", "-o", "n.h5"});
  CHECK(hartree.exit_code == 2);
  CHECK(contains(hartree.err + hartree.out, "the base seems to be in Hartree"));
  work.folder.write("same.toml", std::string(configuration).replace(std::string(configuration).find("b_forces"), 8, "forces"));
  const ProgramResult same = work.run("gap-fit", {"same.toml", "-o", "n.h5"});
  CHECK(same.exit_code == 2);
  CHECK(contains(same.err + same.out, "[[baseline]] forces names 'forces', the usual name of labels"));
}
