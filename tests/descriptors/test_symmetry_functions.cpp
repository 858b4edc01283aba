// Symmetry functions against reference values and formulas.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "descriptors/samples.hpp"
#include "descriptors/symmetry_cutoff.hpp"
#include "support/jacobian.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Json = nlohmann::json;

std::filesystem::path symmetry_folder() {
  return source_folder() / "tests" / "data" / "symmetry_functions";
}

Json reference() {
  std::ifstream file(symmetry_folder() / "reference.json");
  return Json::parse(file);
}

std::shared_ptr<const Descriptor> unmade(const Parameters& given, int centre, const std::vector<int>& elements) {
  const DescriptorKind& kind = descriptor_kind("symmetry_functions");
  return kind.make(complete_parameters(given, kind.parameters, "test"), {centre}, elements);
}

// G without scaling.
std::shared_ptr<const Descriptor> plain(const Parameters& given, int centre, const std::vector<int>& elements) {
  const auto descriptor = unmade(given, centre, elements);
  return descriptor->chosen_functions()->unscaled(descriptor->chosen_functions()->candidates(1.5));
}

std::vector<int> elements_of(const Structure& s) {
  std::vector<int> elements(s.atomic_numbers.begin(), s.atomic_numbers.end());
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

Parameters parameters_of(const std::string& functions, double cutoff = 4.0) {
  return {{"cutoff", cutoff}, {"functions", functions}};
}

Matrix values_of(const Descriptor& descriptor, const Structure& s) {
  const StructureEnvironments environments(s, descriptor.cutoff());
  Features features;
  descriptor.compute(environments.view(), 0, s.size(), Derivatives::none, features);
  return features.x.view();
}

std::string complaint_of(const Parameters& given) {
  return message_of<InputError>([&] { unmade(given, 14, {14})->chosen_functions()->candidates(1.5); });
}

}  // namespace

TEST_CASE("symmetry functions: the nine cutoff functions and their slopes") {
  const Json cutoffs = reference().at("cutoffs");
  const double cutoff = cutoffs.at("rc");
  int checked = 0;
  for (const std::string& name : SymmetryCutoff::names()) {
    CAPTURE(name);
    const bool has_alpha = name != "hard" && name != "tanh" && name != "tanhu";
    const SymmetryCutoff function(name, has_alpha ? cutoffs.at("alpha").get<double>() : 0.0);
    const Json& expected = cutoffs.at("values").at(name);
    for (std::size_t i = 0; i < cutoffs.at("r").size(); ++i, ++checked) {
      const auto [value, slope] = function.at(cutoffs.at("r").at(i), cutoff);
      check_close(value, expected.at(0).at(i), 1e-13);  // that of the reference, next to the cutoff
      check_close(slope, expected.at(1).at(i), 1e-12);
    }
  }
  CHECK(checked == 63);
}

TEST_CASE("symmetry functions: values and gradients of the reference") {
  const Json all = reference();
  int gradients = 0;
  for (const Json& c : all.at("cases")) {
    const std::string name = c.at("structure");
    CAPTURE(name);
    const Structure s = read_extxyz(symmetry_folder() / (name + ".xyz")).at(0);
    std::string functions;
    for (const Json& line : all.at("structures").at(name)) functions += line.get<std::string>() + "\n";
    const int atom = c.at("atom");
    Parameters given = parameters_of(functions, 6.0);
    given.set("cutoff_function", c.at("cutoff_function").get<std::string>());
    given.set("cutoff_alpha", c.at("alpha").get<double>());
    const auto descriptor = plain(given, s.atomic_numbers[static_cast<std::size_t>(atom)], elements_of(s));
    const StructureEnvironments environments(s, descriptor->cutoff());
    Features features;
    descriptor->compute(environments.view(), atom, atom + 1, Derivatives::jacobian, features);
    REQUIRE(features.size() == 1);
    const auto expected = c.at("G").get<std::vector<double>>();
    REQUIRE(static_cast<int>(expected.size()) == descriptor->size());
    for (std::size_t f = 0; f < expected.size(); ++f) {
      CAPTURE(f);
      check_close(features.x(0, static_cast<Eigen::Index>(f)), expected[f], 1e-12, 1e-12);
    }
    if (!c.contains("dG")) continue;
    const Matrix by_position = derivatives_by_positions(features, descriptor->size(), atom, s.size());
    const auto numbers = c.at("dG").get<std::vector<double>>();
    REQUIRE(static_cast<Eigen::Index>(numbers.size()) == by_position.size());
    CHECK(largest_difference(by_position, Eigen::Map<const Matrix>(numbers.data(), by_position.rows(), by_position.cols())) <= 1e-10);
    ++gradients;
  }
  CHECK(gradients == 3);
}

TEST_CASE("symmetry functions: a dimer and a triangle by hand") {
  Structure s;
  s.atomic_numbers = {14, 14, 14};
  s.positions = Positions::Zero(3, 3);
  s.positions(1, 0) = 2.0;
  s.positions(2, 1) = 1.5;       // a right angle at atom 0, 2.5 Å between the others
  const auto f = [](double r) {  // poly2
    const double x = r / 4;
    return 1 - 10 * x * x * x + 15 * x * x * x * x - 6 * x * x * x * x * x;
  };
  const Matrix g = values_of(
      *plain(parameters_of("G2 eta=0.5 r_s=1\nG5 eta=0.1 lambda=-1 zeta=4\nG4 eta=0.1 lambda=1 zeta=1\nwG2 eta=0.5 r_s=1"), 14, {14}), s);
  const double radial = std::exp(-0.5) * f(2.0) + std::exp(-0.125) * f(1.5);
  check_close(g(0, 0), radial, 1e-14);
  check_close(g(0, 1), std::exp(-0.1 * 6.25) * f(2.0) * f(1.5) / 8, 1e-14);
  check_close(g(0, 2), std::exp(-0.1 * 12.5) * f(2.0) * f(1.5) * f(2.5), 1e-14);
  check_close(g(0, 3), 14 * radial, 1e-13);
}

TEST_CASE("symmetry functions: collinear atoms, atoms at one place and lone atoms give finite numbers") {
  Structure s;
  s.atomic_numbers = {14, 14, 14, 14, 14};
  s.positions = Positions::Zero(5, 3);
  s.positions(1, 0) = 2.0;
  s.positions(2, 0) = -2.0;
  s.positions.row(3) = s.positions.row(1);
  s.positions(4, 2) = 20;
  for (const char* zeta : {"1", "1.5", "2"}) {
    const std::string numbers = std::string(" eta=0.1 lambda=1 zeta=") + zeta;
    const auto descriptor = plain(parameters_of("G2 eta=1\nG4" + numbers + "\nG5" + numbers + "\nwG4" + numbers), 14, {14});
    const StructureEnvironments environments(s, descriptor->cutoff());
    Features features;
    descriptor->compute(environments.view(), 0, s.size(), Derivatives::jacobian, features);
    CHECK(features.x.view().allFinite());
    for (const JacobianBlock& block : features.blocks) CHECK(block.values.view().allFinite());
    CHECK(features.x.view().row(4).cwiseAbs().maxCoeff() == 0);
    CHECK(features.x.view().row(0).minCoeff() > 0);
  }
}

TEST_CASE("symmetry functions: scaling by statistics") {
  const auto scaled = [](const char* scaling) {
    Parameters given = parameters_of("G2 eta=0.5");
    given.set("scaling", std::string(scaling));
    given.set("scale_min", -1.0);
    Matrix statistics(1, 4);
    statistics << 2, 6, 3, 0.5;  // smallest, largest, mean, σ
    const FunctionScaling s = unmade(given, 14, {14})->chosen_functions()->scaling(statistics);
    return (5 - s.offset[0]) * s.factor[0];
  };
  check_close(scaled("none"), 5, 1e-14);
  check_close(scaled("centre"), 2, 1e-14);
  check_close(scaled("range"), 0.5, 1e-14);
  check_close(scaled("range_centred"), 0.5, 1e-14);
  check_close(scaled("sigma"), 4, 1e-14);
}

TEST_CASE("symmetry functions: automatic sets") {
  const auto set = [](const char* name, const std::vector<int>& elements, bool weighted = false) {
    Parameters given = parameters_of(name);
    given.set("weighted", weighted);
    return unmade(given, 14, elements)->chosen_functions()->candidates(2.0);
  };
  const auto one = set("auto", {14});
  REQUIRE(one.size() == 40);  // 16 radial, 24 angular
  check_close(one[0].eta, 1.0 / 16, 1e-15);
  check_close(one[7].eta, 7.0 * 7 / 16, 1e-12);
  check_close(one[8].shift, 4 / std::pow(8, 1.0 / 8), 1e-12);
  check_close(one[8].eta, 1 / std::pow(4 - one[8].shift, 2), 1e-9);
  check_close(one[15].shift, 0.5, 1e-12);
  CHECK(set("auto", {6, 8, 14}).size() == 3 * 16 + 6 * 24);
  CHECK(set("auto", {6, 8, 14}, true).size() == 40);
  const auto gastegger = set("gastegger_centred", {14}), shifted = set("gastegger_shifted", {14});
  REQUIRE(gastegger.size() == 8 + 24);
  check_close(gastegger[0].eta, 1.0 / 8, 1e-15);
  check_close(gastegger[7].eta, 1.0 / 32, 1e-15);
  check_close(shifted[0].eta, 0.5 * 49 / 4, 1e-12);
  check_close(shifted[7].shift, 4, 1e-12);
  for (const auto& functions : {one, gastegger, shifted, set("imbalzano_centred", {14}), set("imbalzano_shifted", {14})})
    for (std::size_t i = 0; i < functions.size(); ++i)
      CHECK(std::find(functions.begin() + static_cast<std::ptrdiff_t>(i) + 1, functions.end(), functions[i]) == functions.end());
  // Lists that name the functions give them again, to the last digit.
  std::string list;
  for (const SymmetryFunction& f : one) list += f.text() + "\n";
  CHECK(unmade(parameters_of(list), 14, {14})->chosen_functions()->candidates(1.0) == one);
}

TEST_CASE("symmetry functions: wrong lists and parameters are refused with the entry and the reason") {
  const auto contains = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"G2 Si eta=0.1\nG3 Si eta=0.1", "entry 2 of 'functions', \"G3 Si eta=0.1\": 'G3' is no kind"},
      {"G2 Xx eta=0.1", "'Xx' is neither"},
      {"Xx: G2 eta=0.1", "'Xx' is no element"},
      {"G2 Si Si eta=0.1", "names 2 elements, expected one"},
      {"G5 Si eta=0.1 lambda=1 zeta=1", "names 1 element, expected two"},
      {"wG2 Si eta=0.1", "expected none"},
      {"G2 Si r_s=1", "'eta' is missing"},
      {"G5 Si Si eta=1 zeta=1", "'lambda' is missing"},
      {"G2 Si eta=0.1 zeta=1", "unknown key 'zeta'"},
      {"G2 Si eta=0.1 eta=0.2", "'eta' stands twice"},
      {"G2 Si eta=-0.1", "eta is -0.1"},
      {"G2 Si eta=0.1x", "'eta=0.1x' is no number"},
      {"G2 Si eta=nan", "is no number"},
      {"G5 Si Si eta=0.1 lambda=0.5 zeta=1", "lambda is 0.5, expected 1 or -1"},
      {"G5 Si Si eta=0.1 lambda=1 zeta=0.5", "zeta is 0.5, expected at least 1"},
      {"G2 Si eta=0.1 r_s=4.5", "r_s is 4.5"},
      {"G2 Si eta=0.1 cutoff=5", "cutoff 5 Å, more than the cutoff 4 Å"},
      {"G2 Si eta=0.1\nG2 eta=0.1", "entries 1 and 2 of 'functions' are the same function"},
      {"autom", "'autom'; did you mean 'auto'"},
      {"", "'functions' is empty"},
      {"G2", "entry 1 of 'functions', \"G2\": 'eta' is missing"}};
  for (const auto& [list, part] : wrong) {
    CAPTURE(list);
    const std::string found = complaint_of(parameters_of(list));
    CAPTURE(found);
    CHECK(contains(found, part));
  }
  const auto with = [](const char* name, const ParameterValue& value) {
    Parameters given = parameters_of("auto");
    given.set(name, value);
    return complaint_of(given);
  };
  CHECK(contains(with("scaling", std::string("sigmas")), "did you mean 'sigma'"));
  CHECK(contains(with("cutoff_function", std::string("poly5")), "poly"));
  CHECK(contains(with("cutoff_alpha", 1.0), "cutoff_alpha is 1"));
  CHECK(contains(with("scale_max", 0.0), "not below scale_max"));
  CHECK(contains(with("first_radius", 4.0), "first_radius"));
  Parameters flat = parameters_of("auto");
  flat.set("cutoff_function", std::string("tanh"));
  flat.set("cutoff_alpha", 0.1);
  CHECK(contains(complaint_of(flat), "does not go with"));
}

TEST_CASE("symmetry functions: only a hard cutoff has no forces, only unscaled features have products of one sign") {
  for (const std::string& name : SymmetryCutoff::names()) {
    Parameters given = parameters_of("auto");
    given.set("cutoff_function", name);
    CHECK(unmade(given, 14, {14})->without_derivatives().empty() == (name != "hard"));
  }
  for (const char* scaling : {"none", "centre", "range", "range_centred", "sigma"}) {
    Parameters given = parameters_of("auto");
    given.set("scaling", std::string(scaling));
    CHECK(unmade(given, 14, {14})->has_nonnegative_products() == (std::string(scaling) == "none"));
  }
}
