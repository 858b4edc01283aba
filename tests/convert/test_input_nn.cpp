// Settings of n2p2 and RuNNer become a configuration with the same functions.

#include <algorithm>
#include <gapkit/config/config.hpp>
#include <gapkit/convert/input_nn.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <gapkit/io/extxyz.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const char* const settings = R"(
# A made-up potential of water.
number_of_elements              2
elements                        O H            # two of them
atom_energy                     H  -0.5
atom_energy                     O -75.0
cutoff_type                     6 0.25
scale_symmetry_functions
center_symmetry_functions
global_hidden_layers_short      2
global_activation_short         t t l
use_short_forces
grow_trees                      7
cutof_type                      1
symfunction_short H 2 H 0.01 0.0 12.0
symfunction_short H 2 O 1.5d-1 1.9 12.00
symfunction_short H 2 O 0.15 1.9 12.0
symfunction_short O 3 H H 0.07 1.0 4.0 12.0
symfunction_short O 9 O H 0.01 -1.0 1.5 11.0 0.5
symfunction_short O 12 0.1 0.5 12.0
symfunction_short O 13 0.1 0.5 1 2 12.0
global_symfunction_short 2 0.3 0.0 12.0
element_symfunction_short O 9 0.02 1.0 1.0 12.0
)";

struct Translated {
  TemporaryFolder folder;
  InputNnTranslation translation;

  explicit Translated(const std::string& text) : translation(translate_input_nn(folder.write("input.nn", text))) {}
  // The term of the configuration.
  TermOptions term() const {
    folder.write("train.xyz", "1\nProperties=species:S:1:pos:R:3 energy=0\nH 0 0 0\n");
    return parse_fit_options(translation.toml, "fit.toml", folder.path()).terms.at(0);
  }
};

std::vector<SymmetryFunction> functions_of(const TermOptions& term, int centre) {
  const std::vector<int> elements = {1, 8};
  return descriptor_kind(term.descriptor).make(term.descriptor_parameters, {centre}, elements)->chosen_functions()->candidates(1);
}

std::string complaint(const std::string& line) {
  const TemporaryFolder folder;
  const auto path = folder.write("input.nn", "elements H O\n" + line + "\nsymfunction_short H 2 H 0.01 0.0 12.0\n");
  const std::string message = message_of<InputError>([&] { translate_input_nn(path); });
  return message.rfind(path.string() + ":2: ", 0) == 0 ? message.substr(path.string().size() + 4) : message;
}

bool has(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("input.nn: functions, cutoff function and scaling in Å") {
  const Translated t(settings);
  const TermOptions term = t.term();
  CHECK(term.descriptor == "symmetry_functions");
  const Parameters& p = term.descriptor_parameters;
  constexpr double b = angstrom_per_bohr;
  check_close(p.real("cutoff"), 12 * b, 1e-12);
  CHECK(p.text("cutoff_function") == "poly2");
  CHECK(p.real("cutoff_alpha") == 0.25);
  CHECK(p.text("scaling") == "range_centred");
  CHECK(term.kernel == "ntk");
  CHECK(term.kernel_parameters.integer("depth") == 2);
  using Kind = SymmetryFunction::Kind;
  const auto check = [&](const SymmetryFunction& f, Kind kind, int first, int second, double eta, double shift, double cutoff, int lambda,
                         double zeta) {
    CAPTURE(f.text());
    CHECK((f.kind == kind && f.first == first && f.second == second && f.lambda == lambda && f.zeta == zeta));
    check_close(f.eta, eta / (b * b), 1e-12);
    check_close(f.shift, shift * b, 1e-12);
    check_close(f.cutoff, cutoff * b, 1e-12);
  };
  const auto hydrogen = functions_of(term, 1), oxygen = functions_of(term, 8);
  REQUIRE(hydrogen.size() == 4);
  check(hydrogen[0], Kind::G2, 1, 0, 0.01, 0, 12, 1, 1);
  check(hydrogen[1], Kind::G2, 8, 0, 0.15, 1.9, 12, 1, 1);
  check(hydrogen[2], Kind::G2, 1, 0, 0.3, 0, 12, 1, 1);
  check(hydrogen[3], Kind::G2, 8, 0, 0.3, 0, 12, 1, 1);
  REQUIRE(oxygen.size() == 9);
  check(oxygen[0], Kind::G4, 1, 1, 0.07, 0, 12, 1, 4);
  check(oxygen[1], Kind::G5, 1, 8, 0.01, 0.5, 11, -1, 1.5);
  check(oxygen[2], Kind::wG2, 0, 0, 0.1, 0.5, 12, 1, 1);
  check(oxygen[3], Kind::wG4, 0, 0, 0.1, 0.5, 12, 1, 2);
  check(oxygen[4], Kind::G2, 1, 0, 0.3, 0, 12, 1, 1);
  check(oxygen[6], Kind::G5, 1, 1, 0.02, 0, 12, 1, 1);
  check(oxygen[8], Kind::G5, 8, 8, 0.02, 0, 12, 1, 1);
}

TEST_CASE("input.nn: energies of atoms in eV; unknown keywords, those of the network and repeated functions are named") {
  const Translated t(settings);
  CHECK(t.translation.toml.find("explicit = { H = -13.6") != std::string::npos);
  REQUIRE(t.translation.unknown.size() == 2);
  CHECK(t.translation.unknown[0] == "line 13: grow_trees");
  CHECK(t.translation.unknown[1].find("cutof_type; did you mean 'cutoff_type'?") != std::string::npos);
  CHECK(has(t.translation.notes, "global_activation_short number_of_elements use_short_forces"));
  CHECK(has(t.translation.notes, "line 17: the function stands there before; dropped"));
  CHECK(has(t.translation.notes, "bohr"));
  const Translated swapped("elements H O\nabc\x01\xff 1\nsymfunction_short O 3 H O 0.1 1 4 12\nsymfunction_short O 3 O H 0.1 1 4 12\n");
  CHECK(has(swapped.translation.notes, "line 4: the function stands there before; dropped"));
  CHECK(swapped.translation.unknown.front() == "line 2: abc??");
  const Translated plain("elements H\nsymfunction_short H 2 H 0.01 0.0 12.0\n");
  CHECK(has(plain.translation.notes, "no cutoff_type: cos"));
  CHECK(plain.term().descriptor_parameters.text("scaling") == "none");
  CHECK(plain.translation.toml.find("least_squares") != std::string::npos);
  const Translated sigma("elements H\nscale_symmetry_functions_sigma\nsymfunction_short H 2 H 0.01 0.0 12.0\n");
  CHECK(sigma.term().descriptor_parameters.text("scaling") == "sigma");
  const Translated range("scale_symmetry_functions\nscale_min_short -1\nscale_max_short 2\nsymfunction_short H 2 H 0.01 0.0 12.0\n");
  CHECK(range.term().descriptor_parameters.real("scale_min") == -1);
  CHECK(range.term().descriptor_parameters.real("scale_max") == 2);
}

TEST_CASE("input.nn: every cutoff type") {
  const char* const names[] = {"hard", "cos", "tanhu", "tanh", "exp", "poly1", "poly2", "poly3", "poly4"};
  for (int type = 0; type < 9; ++type) {
    const Translated t("cutoff_type " + std::to_string(type) + "\nsymfunction_short H 2 H 0.01 0.0 12.0\n");
    CHECK(t.term().descriptor_parameters.text("cutoff_function") == names[type]);
  }
}

TEST_CASE("input.nn: lines that have no counterpart, or are wrong, are refused with their number") {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"symfunction_short H 20 H 0.0 8.0 p2", "symfunction_short: type 20 is a function of compact support"},
      {"symfunction_short H 7 H 0.0 8.0", "type 7, expected 2, 3, 9, 12 or 13"},
      {"symfunction_short H 2 Qq 0.1 0 12", "the neighbour is 'Qq'"},
      {"symfunction_short H 2 H 0.1 0", "5 words, the cutoff is missing"},
      {"symfunction_short H 2 H 0.1 0 12 3", "'3' stands behind the last number"},
      {"symfunction_short H 2 H 0,1 0 12", "the eta is '0,1', expected a number"},
      {"symfunction_short H 2 H -0.1 0 12", "eta is -0.1"},
      {"symfunction_short H 2 H 0.1 13 12", "the cutoff is 12 and the shift 13"},
      {"symfunction_short H 3 H H 0.1 0.5 1 12", "lambda is 0.5"},
      {"symfunction_short H 3 H H 0.1 1 0.5 12", "zeta is 0.5"},
      {"cutoff_type 9", "the type is 9, expected 0 to 8"},
      {"cutoff_type 1 1.5", "the inner cutoff is 1.5"},
      {"symfunction_short C 2 H 0.1 0 12", "the function names C, which the line 'elements' lacks"},
      {"symfunction_short H 3 H C 0.1 1 1 12", "the function names C, which the line 'elements' lacks"},
      {"scale_symmetry_functions\nscale_min_short 1", "scale_min_short is 1, expected less than scale_max_short, which is 1"}};
  for (const auto& [line, part] : wrong) {
    CAPTURE(line);
    const std::string found = complaint(line);
    CAPTURE(found);
    CHECK(found.find(part) != std::string::npos);
  }
  const TemporaryFolder folder;
  CHECK(message_of<InputError>([&] { translate_input_nn(folder.write("input.nn", "epochs 10\n")); }).find("no symmetry functions") !=
        std::string::npos);
  CHECK(message_of<InputError>([&] { translate_input_nn(folder.path() / "none.nn"); }).find("cannot be read") != std::string::npos);
}

TEST_CASE("input.nn: the number of hidden layers is kept, or a note says which is taken") {
  const std::string function = "\nsymfunction_short H 2 H 0.01 0.0 12.0\n";
  const Translated six("global_hidden_layers_short 6" + function);
  CHECK(six.term().kernel_parameters.integer("depth") == 6);
  CHECK(!has(six.translation.notes, "hidden layers; the kernel"));
  const Translated twenty("global_hidden_layers_short 20" + function);
  CHECK(twenty.term().kernel_parameters.integer("depth") == 16);
  CHECK(has(twenty.translation.notes, "line 1: 20 hidden layers; the kernel has 16"));
  CHECK(twenty.translation.toml.find("# Note: line 1: 20 hidden layers") != std::string::npos);
  CHECK(complaint("global_hidden_layers_short 0").find("expected at least 1") != std::string::npos);
}

TEST_CASE("input.nn: a function of all elements that another line gives for some is there once") {
  for (const std::string elements : {"elements H O\n", "elements O H O\n"}) {
    const Translated t(
        elements +
        "symfunction_short H 2 O 0.3 0.0 12.0\nglobal_symfunction_short 2 0.3 0.0 12.0\n"
        "symfunction_short O 3 O H 0.1 1 4 12\nelement_symfunction_short O 3 0.1 1 4 12\nglobal_symfunction_short 12 0.3 0.0 12.0\n"
        "element_symfunction_short H 12 0.3 0.0 12.0\n");
    CHECK(functions_of(t.term(), 1).size() == 3);  // gap-fit refuses lists with repeated functions
    CHECK(functions_of(t.term(), 8).size() == 6);
    CHECK(has(t.translation.notes, "line 3: 1 of its 4 functions stand there before; dropped"));
    CHECK(has(t.translation.notes, "line 5: 1 of its 3 functions stand there before; dropped"));
    CHECK(has(t.translation.notes, "line 7: the function stands there before; dropped"));
  }
}
