#include <cstdlib>
#include <gapkit/active/labeller.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>

#include "active/crystals.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

bool has_ase() {
  static const bool found = std::system("/usr/bin/python3 -c 'import ase' 2>/dev/null") == 0;
  return found;
}

LabellerOptions ase_options(const TemporaryFolder& folder, const std::string& calculator, const std::string& arguments = "") {
  LabellerOptions options;
  options.kind = "ase";
  options.calculator = calculator;
  options.calculator_arguments = arguments;
  options.working_directory = folder.path() / "work";
  options.here = folder.path();
  options.retries = 0;
  options.timeout = 120;
  return options;
}

}  // namespace

TEST_CASE("ase: a calculator of a module beside the configuration, with arguments") {
  if (!has_ase()) return;
  const TemporaryFolder folder;
  folder.write("mine.py", R"(
import numpy as np
from ase.calculators.calculator import Calculator
class Spring(Calculator):
    implemented_properties = ["energy", "free_energy", "forces", "stress"]
    def __init__(self, k, shift=0.0):
        super().__init__()
        self.k, self.shift = k, shift
    def calculate(self, atoms, properties, changes):
        super().calculate(atoms, properties, changes)
        x = atoms.positions
        self.results = {"energy": 7.0, "free_energy": 0.5 * self.k * (x**2).sum() + self.shift, "forces": -self.k * x,
                        "stress": np.array([1, 2, 3, 4, 5, 6]) / 100}
)");
  const auto labeller = make_labeller(ase_options(folder, "mine:Spring", R"({"k": 2.5, "shift": 0.1})"));
  CHECK(labeller->kind() == "ase");
  std::vector<Structure> asked = {random_triclinic(3, 1, {14, 8}), random_triclinic(3, 2, {14, 8})};
  asked[1].cell.reset();
  asked[1].pbc = {false, false, false};
  const auto labels = labeller->label(asked);
  for (std::size_t k = 0; k < 2; ++k) {
    CAPTURE(labels[k].failure);
    REQUIRE(labels[k].structure);
    // the free energy belongs to the forces
    check_close(*labels[k].structure->energy, 1.25 * asked[k].positions.squaredNorm() + 0.1, 1e-9);
    CHECK(largest_difference(*labels[k].structure->forces, Positions(-2.5 * asked[k].positions)) < 1e-9);
  }
  CHECK(!labels[1].structure->virial);
  REQUIRE(labels[0].structure->virial);
  const Matrix3 stress = (Matrix3() << 1, 6, 5, 6, 2, 4, 5, 4, 3).finished() / 100;
  CHECK(largest_difference(*labels[0].structure->virial, Matrix3(-asked[0].volume() * stress)) < 1e-9);
}

TEST_CASE("ase: a calculator of ASE by its name; units and signs match forces as derivatives of the energy") {
  if (!has_ase()) return;
  const TemporaryFolder folder;
  LabellerOptions options = ase_options(folder, "lj", R"({"sigma": 2.3, "epsilon": 0.3, "rc": 6.0, "smooth": true})");
  options.parallel_jobs = 2;
  const Structure middle = cubic_argon(1, 4.0);
  std::vector<Structure> asked = {middle, middle, middle};
  for (Structure& s : asked) s.positions(0, 0) += 0.3;
  constexpr double step = 1e-4;
  asked[1].positions(0, 0) += step;
  asked[2].positions(0, 0) -= step;
  const auto labels = make_labeller(options)->label(asked);
  for (const Label& label : labels) {
    CAPTURE(label.failure);
    REQUIRE(label.structure);
  }
  const double force = (*labels[0].structure->forces)(0, 0);
  CHECK(std::abs(force) > 0.1);
  check_close(force, -(*labels[1].structure->energy - *labels[2].structure->energy) / (2 * step), 1e-5, 1e-4);
}

TEST_CASE("ase: xtb gives the labels of data/ethanol, which another script computed") {
  if (!has_ase() || std::system("command -v xtb > /dev/null") != 0) return;
  const TemporaryFolder folder;
  std::vector<Structure> frames = read_extxyz(source_folder() / "data" / "ethanol" / "test_1200K.xyz");
  frames.resize(2);
  for (Structure& frame : frames) assign_targets(frame, {});
  const auto labels = make_labeller(ase_options(folder, "xtb"))->label(frames);
  for (std::size_t k = 0; k < frames.size(); ++k) {
    CAPTURE(labels[k].failure);
    REQUIRE(labels[k].structure);
    check_close(*labels[k].structure->energy, *frames[k].energy, 1e-5);
    CHECK(frames[k].forces->cwiseAbs().maxCoeff() > 1);
    CHECK(largest_difference(*labels[k].structure->forces, *frames[k].forces) < 1e-3);
  }
}

TEST_CASE("ase: failures have the message of Python") {
  if (!has_ase()) return;
  const TemporaryFolder folder;
  const auto failure = [&](const std::string& calculator, const std::string& arguments = "") {
    const auto labels = make_labeller(ase_options(folder, calculator, arguments))->label({cubic_argon(1, 5.0)});
    CHECK(!labels[0].structure);
    return labels[0].failure;
  };
  CHECK(failure("nosuchmodule:X").find("No module named 'nosuchmodule'") != std::string::npos);
  CHECK(failure("xtb", R"({"method": "GFN9"})").find("unknown method 'GFN9'") != std::string::npos);
  CHECK(failure("emt").find("NotImplementedError") != std::string::npos);  // EMT knows no argon
}

TEST_CASE("ase: options that cannot work are refused before anything runs") {
  const TemporaryFolder folder;
  const auto message = [&](const LabellerOptions& options) { return message_of<InputError>([&] { make_labeller(options); }); };
  CHECK(message(ase_options(folder, "")).find("calculator is missing") != std::string::npos);
  CHECK(message(ase_options(folder, "emt", "[1]")).find("not a JSON object") != std::string::npos);
  CHECK(message(ase_options(folder, "emt", "{a}")).find("cannot be read as JSON") != std::string::npos);
  LabellerOptions options = ase_options(folder, "emt");
  options.helper = "nowhere.py";
  CHECK(message(options).find("nowhere.py does not exist") != std::string::npos);
  options = ase_options(folder, "emt");
  options.python = "/nowhere/python3";
  CHECK(message(options).find("/nowhere/python3 does not exist") != std::string::npos);
}
