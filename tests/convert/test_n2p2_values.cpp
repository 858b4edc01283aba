// Symmetry functions of settings for n2p2 against the numbers of n2p2 itself (tests/data/symmetry_functions/README.md).

#include <fmt/format.h>

#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/convert/input_nn.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "support/jacobian.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Json = nlohmann::json;

std::filesystem::path data_folder() {
  return source_folder() / "tests" / "data" / "symmetry_functions";
}

/// The term that `gap-convert` makes of input.nn with another cutoff function.
TermOptions term_with(const std::string& cutoff_type) {
  const TemporaryFolder folder;
  std::string settings = read_text(data_folder() / "input.nn");
  const std::string written = "cutoff_type 6 0.1";
  const std::size_t place = settings.find(written);
  REQUIRE(place != std::string::npos);
  settings.replace(place, written.size(), "cutoff_type " + cutoff_type);
  folder.write("train.xyz", "1\nProperties=species:S:1:pos:R:3 energy=0\nC 0 0 0\n");
  const InputNnTranslation translation = translate_input_nn(folder.write("input.nn", settings));
  return parse_fit_options(translation.toml, "fit.toml", folder.path()).terms.at(0);
}

/// Lines of input.nn with functions of a centre, from 1 on.
std::vector<int> lines_of(const std::string& centre) {
  std::istringstream settings(read_text(data_folder() / "input.nn"));
  std::vector<int> lines;
  std::string line;
  for (int number = 1; std::getline(settings, line); ++number) {
    std::istringstream words(line);
    std::string keyword, element;
    if (words >> keyword >> element && keyword == "symfunction_short" && element == centre) lines.push_back(number);
  }
  return lines;
}

/// Unscaled functions of an atom, with derivatives (1/Å) if they have any, by line of input.nn.
struct AtomFunctions {
  std::map<int, double> value;
  std::map<int, Vector> derivative;
};

AtomFunctions functions_of(const TermOptions& term, const Structure& s, int atom) {
  const int z = s.atomic_numbers[static_cast<std::size_t>(atom)];
  const std::vector<int> elements = {6, 14};
  const auto made = descriptor_kind(term.descriptor).make(term.descriptor_parameters, {z}, elements);
  const auto descriptor = made->chosen_functions()->unscaled(made->chosen_functions()->candidates(1));
  const std::vector<int> lines = lines_of(z == 6 ? "C" : "Si");
  REQUIRE(static_cast<int>(lines.size()) == descriptor->size());
  const StructureEnvironments near(s, descriptor->cutoff());
  Features features;
  const bool has_derivatives = descriptor->without_derivatives().empty();
  descriptor->compute(near.view(), atom, atom + 1, has_derivatives ? Derivatives::jacobian : Derivatives::none, features);
  const Matrix derivatives = derivatives_by_positions(features, descriptor->size(), atom, s.size());
  AtomFunctions result;
  for (std::size_t f = 0; f < lines.size(); ++f) {
    result.value[lines[f]] = features.x(0, static_cast<Eigen::Index>(f));
    result.derivative[lines[f]] = derivatives.row(static_cast<Eigen::Index>(f));
  }
  return result;
}

}  // namespace

TEST_CASE("input.nn: all kinds of functions and cutoff functions have the values and derivatives of n2p2") {
  std::ifstream file(data_folder() / "n2p2.json");
  const Json expected = Json::parse(file);
  const Structure s = read_extxyz(data_folder() / "triclinic_sic.xyz").at(0);
  int values = 0, derivatives = 0;
  for (int type = 0; type < 9; ++type) {
    const bool has_alpha = type != 0 && type != 2 && type != 3;
    CAPTURE(type);
    const TermOptions term = term_with(fmt::format("{}{}", type, has_alpha ? " 0.1" : ""));
    std::vector<AtomFunctions> atoms;
    for (int atom = 0; atom < s.size(); ++atom) atoms.push_back(functions_of(term, s, atom));
    for (const Json& entry : expected.at("values").at(std::to_string(type))) {
      CAPTURE(entry.at(1).get<int>());
      check_close(atoms.at(entry.at(0)).value.at(entry.at(1)), entry.at(2), 1e-12, 1e-12);
      ++values;
    }
    if (type != 6) continue;
    for (const Json& entry : expected.at("derivatives")) {
      const Vector& found = atoms.at(entry.at(0)).derivative.at(entry.at(1));
      REQUIRE(entry.size() == static_cast<std::size_t>(found.size()) + 2);
      for (Eigen::Index i = 0; i < found.size(); ++i, ++derivatives)
        check_close(found[i], entry.at(static_cast<std::size_t>(i) + 2).get<double>() / angstrom_per_bohr, 1e-11, 1e-11);
    }
  }
  CHECK(values == 9 * 45);
  CHECK(derivatives == 45 * 18);
}
