// [[long_range]]: what it gains, and that it does no harm in silence.

#include <fmt/format.h>

#include <fstream>
#include <gapkit/core/parameters.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>

#include "cases/cases.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

namespace fs = std::filesystem;

nlohmann::json json_of(const fs::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

std::string without_section(std::string text, const std::string& section) {
  const auto begin = text.find("\n" + section), end = text.find("\n\n", begin + 1);
  REQUIRE(begin != std::string::npos);
  return text.erase(begin, end - begin);
}

/// configs/nacl_model.toml with absolute paths.
std::string nacl_configuration() {
  std::string text = read_text(source_folder() / "configs" / "nacl_model.toml");
  for (std::size_t at = 0; (at = text.find("../data", at)) != std::string::npos;) text.replace(at, 7, (source_folder() / "data").string());
  return text;
}

/// The model of configs/nacl_model.toml, fitted once, with the facts of the fit.
struct Fitted {
  TemporaryFolder folder;
  ProgramResult run;
  nlohmann::json facts;

  explicit Fitted(const std::string& configuration) {
    folder.write("fit.toml", configuration);
    run = run_program("gap-fit", {"fit.toml", "-o", "m.h5", "--json", "fit.json"}, folder.path());
    REQUIRE_MESSAGE(run.exit_code == 0, run.err);
    facts = json_of(folder.path() / "fit.json");
  }
  /// Root mean square errors of energies (meV/atom) of one config type of the validation data.
  double energy_error(const std::string& config_type) const {
    return facts.at("validation").at("config_types").at(config_type).at("energy").at("rmse");
  }
};

const Fitted& nacl() {
  static const Fitted fitted(nacl_configuration());
  return fitted;
}

}  // namespace

TEST_CASE("long range: a fit to rock salt knows surfaces, clusters, ions apart and polar slabs, and without it does not") {
  const Fitted local(without_section(nacl_configuration(), "[[long_range]]"));
  for (const auto& [config_type, most, least_without] : {std::tuple{"rattle8", 0.05, 0.5},
                                                         {"slab100", 4.0, 20.0},
                                                         {"cluster", 8.0, 40.0},
                                                         {"dimer_far", 2.0, 400.0},
                                                         {"polar111", 4.0, 1000.0}}) {
    const std::string label = config_type;
    CAPTURE(label);
    CHECK(nacl().energy_error(config_type) <= most);
    CHECK(local.energy_error(config_type) >= least_without);
  }
  CHECK(local.facts.at("long_range").is_null());
}

TEST_CASE("long range: a fit shows errors with and without side by side, and the charges that the evidence prefers") {
  const nlohmann::json& gain = nacl().facts.at("long_range");
  CHECK(gain.at("kinds") == "coulomb");
  CHECK(gain.at("with").at("energy").get<double>() < 0.2 * gain.at("without").at("energy").get<double>());
  CHECK(gain.at("with").at("log_evidence") > gain.at("without").at("log_evidence"));
  CHECK(is_close(gain.at("charge_factor"), 1, 0.02));
  CHECK(gain.at("charged_cells") == 0);
  CHECK(nacl().run.out.find("Long range (coulomb): errors of ") != std::string::npos);
  CHECK(nacl().run.err.find("does not help") == std::string::npos);
}

TEST_CASE("long range: charges that do harm are named in a warning with the factor that the evidence prefers (formal charges of MgO)") {
  const std::string data = (source_folder() / "data" / "mgo").string();
  const auto fit = [&](double charge) {
    return Fitted(
        fmt::format("[data]\ntrain = '{}/train.xyz'\n[reference_energies]\nmode = 'least_squares'\n"
                    "[[long_range]]\nkind = 'coulomb'\ncharges = {{ Mg = {}, O = -{} }}\n"
                    "[[term]]\ndescriptor = 'two_body'\ncutoff = 4\nkernel = 'squared_exponential'\nlength_scale = 0.8\ndelta = 2\n"
                    "n_sparse = 15\nselection = 'uniform'\n"
                    "[[term]]\ndescriptor = 'soap'\ncutoff = 4\nn_max = 8\nl_max = 4\natom_sigma = 0.5\nkernel = 'dot_product'\nzeta = 4\n"
                    "delta = 0.5\nn_sparse = 250\n[regularization]\nenergy = 0.002\nforce = 0.1\nvirial = 0.1\n"
                    "[calibration]\nsource = 'none'\n",
                    data, charge, charge));
  };
  const Fitted formal = fit(2), half = fit(1);
  const nlohmann::json &worse = formal.facts.at("long_range"), &better = half.facts.at("long_range");
  CHECK(formal.run.err.find("the long range (coulomb) does not help") != std::string::npos);
  CHECK(half.run.err.find("does not help") == std::string::npos);
  // The same charges by either route: |q| within 0.9 and 1.2
  CHECK(is_close(2 * worse.at("charge_factor").get<double>(), 1.05, 0.15));
  CHECK(is_close(better.at("charge_factor").get<double>(), 1.05, 0.15));
}

TEST_CASE("long range: the model file has format 9, gap-info shows charges, predictions have forces, virials and shares") {
  const fs::path model = nacl().folder.path() / "m.h5";
  CHECK(ArchiveReader(model, "gapkit-model", 9).format_version() == 9);
  CHECK_THROWS_AS(ArchiveReader(model, "gapkit-model", 8), InputError);
  const ProgramResult info = run_program("gap-info", {model.string()}, nacl().folder.path());
  CHECK(info.exit_code == 0);
  CHECK(info.out.find("long range          coulomb") != std::string::npos);
  CHECK(info.out.find("charges Cl = -1, Na = 1") != std::string::npos);
  const std::string test = (source_folder() / "data" / "nacl_model" / "nacl_test.xyz").string();
  const ProgramResult predicted = run_program("gap-predict", {model.string(), test, "-o", "p.xyz"}, nacl().folder.path());
  REQUIRE_MESSAGE(predicted.exit_code == 0, predicted.err);
  for (const Structure& s : read_extxyz(nacl().folder.path() / "p.xyz")) {
    const Column* shares = s.find_column("gap_local_energy");
    const Field* energy = s.find_field("gap_energy");
    REQUIRE(shares);
    REQUIRE(energy);
    double sum = 0;
    for (const double share : std::get<std::vector<double>>(shares->values)) sum += share;
    CHECK(is_close(sum, std::get<double>(energy->value), 1e-7));
    const Column *forces = s.find_column("gap_forces"), *labels = s.find_column("forces");
    REQUIRE(forces);
    REQUIRE(labels);
    if (s.config_type != "rattle8") continue;
    const auto &a = std::get<std::vector<double>>(forces->values), &b = std::get<std::vector<double>>(labels->values);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(is_close(a[i], b[i], 0.01));
  }
}

TEST_CASE("long range: GAP XML refuses the model, by name; elements without a charge are refused with the frame") {
  const fs::path folder = nacl().folder.path();
  const ProgramResult xml = run_program("gap-convert", {"m.h5", "m.xml"}, folder);
  CHECK(xml.exit_code == 2);
  CHECK(xml.err.find("'coulomb' has no counterpart in QUIP") != std::string::npos);
  const ProgramResult kim = run_program("gap-convert", {"m.h5", "--kim", "portable"}, folder);
  CHECK(kim.exit_code == 2);
  std::string configuration = nacl_configuration();
  configuration.replace(configuration.find("{ Na = 1.0, Cl = -1.0 }"), 23, "{ Na = 1.0 }");
  const TemporaryFolder other;
  other.write("fit.toml", configuration);
  const ProgramResult missing = run_program("gap-fit", {"fit.toml"}, other.path());
  CHECK(missing.exit_code == 2);
  CHECK(missing.err.find("coulomb: no charge of Cl; charges are given for Na") != std::string::npos);
  CHECK(missing.err.find("nacl_train.xyz:") != std::string::npos);
}

TEST_CASE("long range: charges from a column give the same model as charges of elements; frames without the column are refused") {
  std::string configuration = nacl_configuration();
  configuration.replace(configuration.find("{ Na = 1.0, Cl = -1.0 }"), 23, "\"given\"");
  const Fitted given(configuration);
  for (const char* config_type : {"rattle8", "slab100", "dimer_far"})
    CHECK(is_close(given.energy_error(config_type), nacl().energy_error(config_type), 1e-6, 1e-6));
  given.folder.write("bare.xyz", "2\nProperties=species:S:1:pos:R:3\nNa 0 0 0\nCl 0 0 2.5\n");
  const ProgramResult bare = run_program("gap-predict", {"m.h5", "bare.xyz", "-o", "p.xyz"}, given.folder.path());
  CHECK(bare.exit_code == 2);
  CHECK(bare.err.find("bare.xyz:1 (frame 1): coulomb: charges = \"given\" needs the column 'charge'") != std::string::npos);
}

TEST_CASE("long range: --check names charges that do not sum to the total charge, charged wires and frames without the column") {
  const TemporaryFolder folder;
  const std::string wire =
      "2\nLattice=\"5 0 0 0 20 0 0 0 20\" pbc=\"T F F\" Properties=species:S:1:pos:R:3:charge:R:1 energy=-3\nNa 0 0 0 1\nCl 0 0 2.5 -0.5\n";
  const std::string cell =
      "2\nLattice=\"5 0 0 0 5 0 0 0 5\" pbc=\"T T T\" Properties=species:S:1:pos:R:3:charge:R:1 energy=-3\nNa 0 0 0 1\nCl 0 0 2.6 -0.5\n";
  const std::string total = "2\nProperties=species:S:1:pos:R:3:charge:R:1 energy=-3 total_charge=1\nNa 0 0 0 1\nCl 0 0 2.7 -1\n";
  const std::string bare = "2\nProperties=species:S:1:pos:R:3 energy=-3\nNa 0 0 0\nCl 0 0 2.8\n";
  const std::string right = "2\nProperties=species:S:1:pos:R:3:charge:R:1 energy=-3 total_charge=0\nNa 0 0 0 1\nCl 0 0 2.9 -1\n";
  folder.write("train.xyz", wire + cell + total + bare + right);
  std::string configuration = nacl_configuration();
  configuration.replace(configuration.find("{ Na = 1.0, Cl = -1.0 }"), 23, "\"given\"");
  const auto begin = configuration.find("train "), end = configuration.find("use ", begin);
  configuration.replace(begin, end - begin, "train = \"train.xyz\"\n");
  folder.write("fit.toml", configuration);
  const ProgramResult check = run_program("gap-fit", {"fit.toml", "--check"}, folder.path());
  CHECK(check.exit_code == 2);
  for (const char* part : {"train.xyz:1 (frame 1): the charges of [[long_range]] sum to 0.5 e, and a charged wire",
                           "train.xyz:5 (frame 2): the charges of [[long_range]] sum to 0.5 e in a periodic cell; a uniform background",
                           "train.xyz:9 (frame 3): the charges of [[long_range]] sum to 0 e, but the key total_charge is 1",
                           "train.xyz:13 (frame 4): coulomb: charges = \"given\" needs the column 'charge'"})
    CHECK_MESSAGE(check.out.find(part) != std::string::npos, part, check.out);
  CHECK(check.out.find("(frame 5)") == std::string::npos);
}
