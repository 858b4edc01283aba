// [[long_range]]: reading, writing, mistakes.

#include <gapkit/core/errors.hpp>

#include "config_files.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string coulomb = "[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1, Cl = -1.5 }\n";
const std::string learned_q =
    "[[property]]\nname = 'q'\n[[property.term]]\ndescriptor = 'soap'\ncutoff = 4\nn_max = 2\nl_max = 2\nkernel = 'dot_product'\nzeta = 2\n"
    "delta = 0.1\nn_sparse = 10\n";

}  // namespace

TEST_CASE("config: [[long_range]] becomes potentials beside those of [[baseline]]") {
  const Files files;
  const FitConfiguration options =
      files.parse(good + "[[baseline]]\nkind = 'zbl'\n" + coulomb +
                  "[[long_range]]\nkind = 'dispersion'\ndamping = 'bj'\nvolumes = { Cl = 0.9 }\ntail = false\n");
  REQUIRE(options.baselines.size() == 3);
  CHECK(options.baselines[1]->name() == "coulomb");
  CHECK(options.baselines[1]->needs_structure());
  CHECK(options.baselines[1]->parameters().text("charges") == "Cl = -1.5, Na = 1");
  CHECK(options.baselines[1]->parameters().real("accuracy") == 1e-8);
  CHECK(options.baselines[2]->parameters().text("volumes") == "Cl = 0.9");
  CHECK(!options.baselines[2]->parameters().boolean("tail"));
}

TEST_CASE("config: [[long_range]] written out and read again gives the same potentials") {
  const Files files;
  const std::string widths = "widths = { Na = 0.3 }\n";
  for (const std::string& text :
       {coulomb, coulomb + widths, std::string("[[long_range]]\nkind = 'coulomb'\ncharges = 'given'\ncolumn = 'q'\n"),
        std::string("[[long_range]]\nkind = 'dispersion'\nc6 = { Cl = 56.5 }\n"),
        std::string("[[long_range]]\nkind = 'coulomb'\ncharges = 'learned'\nproperty = 'q'\n") + learned_q}) {
    const FitConfiguration options = files.parse(good + text);
    const std::string written = fit_options_to_toml(options);
    CHECK(written.find("[[long_range]]") != std::string::npos);
    CHECK(written.find("[[baseline]]") == std::string::npos);
    const FitConfiguration again = files.parse(written);
    REQUIRE(again.baselines.size() == 1);
    CHECK(again.baselines[0]->name() == options.baselines[0]->name());
    CHECK(parameters_to_json(again.baselines[0]->parameters()) == parameters_to_json(options.baselines[0]->parameters()));
  }
  CHECK(fit_options_to_toml(files.parse(good + coulomb)).find("charges = { Cl = -1.5, Na = 1 }") != std::string::npos);
}

TEST_CASE("config: mistakes in [[long_range]] are refused with their line") {
  const Files files;
  const auto check = [&](const std::string& text, const std::string& part) {
    const std::string message = files.message(good + text);
    INFO(message);
    CHECK(message.find("t.toml:1") == 0);  // lines 10 …
    CHECK(message.find(part) != std::string::npos);
  };
  check("[long_range]\nkind = 'coulomb'\n", "expected [[long_range]] in double brackets");
  check("[[long_range]]\n", "'kind' is missing, expected one of coulomb, dispersion");
  check("[[long_range]]\nkind = 'zbl'\n", "unknown kind 'zbl'; valid: coulomb, dispersion");
  check("[[baseline]]\nkind = 'coulomb'\ncharges = { Na = 1 }\n", "'coulomb' belongs to [[long_range]]");
  check("[[long_range]]\nkind = 'coulomb'\n", "'charges' is missing");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Nax = 1 }\n", "'charges' names 'Nax', expected elements");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 'one' }\n", "expected a number");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = nan }\n", "expected");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = {}\n", "'charges' is empty");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = 'learnt'\n", "found 'learnt'");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1 }\nwidths = { Na = -1 }\n", "the width of Na is -1 Å, expected 0 to 10");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1 }\nwidths = { Na = 50 }\n", "the width of Na is 50 Å, expected 0 to 10");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1e30 }\n", "the charge of Na is 1e+30 e, expected at most 100");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1 }\naccuracy = 1e3\n", "'accuracy' is 1000 eV per atom");
  check("[[long_range]]\nkind = 'dispersion'\ncutoff = 300\n", "'cutoff' is 300 Å, expected at most 60");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1 }\naccuracy = 0\n", "'accuracy'");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = { Na = 1 }\ncutof = 3\n", "'cutof'");
  check("[[long_range]]\nkind = 'dispersion'\ndamping = 'tt'\n", "expected \"fermi\" or \"bj\"");
  check("[[long_range]]\nkind = 'dispersion'\ncutoff = 2\nwidth = 3\n", "'width' is not smaller");
  check("[[long_range]]\nkind = 'dispersion'\nc6 = { Na = 0 }\n", "expected more than 0");
  check("[[long_range]]\nkind = 'coulomb'\ncharges = 'learned'\nproperty = ''\n", "'property' is empty");
  check(coulomb + coulomb, "a second kind = \"coulomb\"");
}

TEST_CASE("config: charges that are learned need a [[property]] of their name") {
  const Files files;
  const std::string learned = good + "[[long_range]]\nkind = 'coulomb'\ncharges = 'learned'\n";
  CHECK(files.message(learned + learned_q).find("takes the property 'charge', expected a [[property]] of this name, found q") !=
        std::string::npos);
  CHECK(files.message(learned).find("found none") != std::string::npos);
  CHECK(files.parse(learned + "property = 'q'\n" + learned_q).baselines.size() == 1);
}
