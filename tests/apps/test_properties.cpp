// Local properties from the configuration to the columns of gap-predict.

#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <nlohmann/json.hpp>

#include "apps/workplace.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string charge_configuration = std::string(small_configuration) + R"(
[[property]]
name = "charge"
unit = "e"
total = "total_charge"

[[property.term]]
descriptor = "soap"
cutoff = 4.0
n_max = 4
l_max = 3
kernel = "dot_product"
zeta = 2
delta = 0.1
n_sparse = 30
)";

/// Adds the column `charge`, a function of the distances, and the key `total_charge`.
void add_charges(const std::filesystem::path& path) {
  std::vector<Structure> frames = read_extxyz(path);
  ExtxyzWriter writer(path);
  for (Structure& s : frames) {
    const NeighborList list(s, 4.0);
    std::vector<double> q(static_cast<std::size_t>(s.size()), 0.1);
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
      for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p)
        q[i] += 0.3 * std::pow(1 - std::pow(list.distance()[p] / 4, 2), 2);
      sum += q[i];
    }
    s.set_column("charge", 1, q);
    s.set_field("total_charge", sum);
    writer.write(s);
  }
  writer.commit();
}

struct ChargeWorkplace : Workplace {
  explicit ChargeWorkplace(const std::string& configuration = charge_configuration) : Workplace(configuration) {
    add_charges(folder.path() / "train.xyz");
    add_charges(folder.path() / "test.xyz");
  }
};

}  // namespace

TEST_CASE("property: gap-fit and gap-predict, from [[property]] to columns, tables and JSON") {
  const ChargeWorkplace place;
  const ProgramResult fit = place.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json"});
  CAPTURE(fit.err);
  REQUIRE(fit.exit_code == 0);
  CHECK(contains(fit.err, "property 'charge': 25 of 25 frames"));
  CHECK(contains(fit.out, "Training errors of properties"));
  CHECK(contains(fit.out, "charge (e)"));
  const auto facts = nlohmann::json::parse(read_text(place / "fit.json"));
  const double rmse = facts["validation_properties"]["charge"]["all"]["rmse"],
               spread = facts["validation_properties"]["charge"]["all"]["spread"];
  CHECK(rmse < 0.5 * spread);
  CHECK(facts["properties"][0]["totals"] == 25);

  const ProgramResult predicted =
      place.run("gap-predict", {"model.h5", "test.xyz", "-o", "out.xyz", "--std", "property", "--json", "out.json"});
  CAPTURE(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(contains(predicted.out, "charge (e)"));
  const auto json = nlohmann::json::parse(read_text(place / "out.json"));
  CHECK(json["properties"]["charge"]["elements"]["Si"]["zms"].get<double>() > 0);
  check_close(json["properties"]["charge"]["all"]["rmse"].get<double>(), rmse, 1e-9);
  double square = 0, rows = 0;
  for (const Structure& s : read_extxyz(place / "out.xyz")) {
    const std::vector<double> q = column(s, "charge"), p = column(s, "gap_charge"), std = column(s, "gap_charge_std"),
                              epistemic = column(s, "gap_charge_std_epistemic");
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
      square += (p[i] - q[i]) * (p[i] - q[i]);
      sum += p[i];
      ++rows;
      CHECK(std[i] > 0);
      CHECK(epistemic[i] <= std[i]);
    }
    check_close(numbers(s, "gap_charge_total").front(), sum, 1e-9);
    CHECK(numbers(s, "gap_charge_total_std").front() > 0);
  }
  check_close(std::sqrt(square / rows), rmse, 1e-9);

  const ProgramResult info = place.run("gap-info", {"model.h5"});
  CHECK(info.exit_code == 0);
  CHECK(contains(info.out, "charge (e), 25 sparse points"));
}

TEST_CASE("property: a model predicts data without the column, and refuses a damaged one unless --no-reference") {
  const ChargeWorkplace place;
  REQUIRE(place.run("gap-fit", {"fit.toml", "-o", "model.h5"}).exit_code == 0);
  write_frames(place / "bare.xyz", 24, 2, false);
  const ProgramResult bare = place.run("gap-predict", {"model.h5", "bare.xyz", "-o", "out.xyz"});
  CHECK(bare.exit_code == 0);
  CHECK(!contains(bare.out, "charge (e)"));
  CHECK(column(read_extxyz(place / "out.xyz").front(), "gap_charge").size() > 0);
  std::vector<Structure> frames = read_extxyz(place / "bare.xyz");
  ExtxyzWriter writer(place / "wrong.xyz");
  for (Structure& s : frames) {
    s.set_column("charge", 3, std::vector<double>(3 * static_cast<std::size_t>(s.size()), 0.5));
    writer.write(s);
  }
  writer.commit();
  check_mistake(place.run("gap-predict", {"model.h5", "wrong.xyz", "-o", "out.xyz"}),
                {"wrong.xyz:1 (frame 1): column 'charge' has 3 numbers per atom", "--no-reference"});
  CHECK(place.run("gap-predict", {"model.h5", "wrong.xyz", "-o", "out.xyz", "--no-reference"}).exit_code == 0);
}

TEST_CASE("property: mistakes of the configuration") {
  const auto mistake = [](const std::string& old, const std::string& instead) {
    std::string text = charge_configuration;
    const auto place = text.find(old);
    REQUIRE(place != std::string::npos);
    return ChargeWorkplace(text.replace(place, old.size(), instead)).run("gap-fit", {"fit.toml"});
  };
  check_mistake(mistake("name = \"charge\"", "name = \"forces\""), {"fit.toml:31", "[[property]]", "'name' is 'forces'"});
  check_mistake(mistake("name = \"charge\"", "nmae = \"charge\""), {"unknown key 'nmae' in [[property]]; did you mean 'name'?"});
  check_mistake(mistake("total = \"total_charge\"", "total = \"charge_total\""), {"[[property]] 'charge'", "the key 'charge_total'"});
  check_mistake(mistake("[[property.term]]", "[[property.trem]]"), {"unknown key 'trem' in [[property]]"});
}

TEST_CASE("learned charges: gap-fit, gap-predict, gap-info and gap-convert with [[long_range]] charges = \"learned\"") {
  const ChargeWorkplace place(charge_configuration + "\n[[long_range]]\nkind = \"coulomb\"\ncharges = \"learned\"\n");
  const ProgramResult fit = place.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json"});
  CAPTURE(fit.err);
  REQUIRE(fit.exit_code == 0);
  CHECK(contains(fit.out, "Long range (coulomb)"));
  CHECK(contains(fit.out,
                 "Error bars: the error bars of forces, stress and energies of atoms lack the uncertainty of the property 'charge'"));
  const ProgramResult predicted = place.run("gap-predict", {"model.h5", "test.xyz", "-o", "out.xyz", "--std", "energy,force"});
  CAPTURE(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(contains(predicted.err,
                 "the error bars of forces, stress and energies of atoms lack the uncertainty of the property 'charge', on "
                 "which the part 'coulomb' of the energy depends (those of energies have it)"));
  // The charge of the frame counts.
  std::vector<Structure> frames = read_extxyz(place / "test.xyz");
  ExtxyzWriter writer(place / "neutral.xyz");
  for (Structure& s : frames) {
    s.set_field("total_charge", 0.0);
    writer.write(s);
  }
  writer.commit();
  REQUIRE(place.run("gap-predict", {"model.h5", "neutral.xyz", "-o", "neutral_out.xyz"}).exit_code == 0);
  const double charged = numbers(read_extxyz(place / "out.xyz").front(), "gap_energy").front();
  const double neutral = numbers(read_extxyz(place / "neutral_out.xyz").front(), "gap_energy").front();
  CHECK(std::abs(charged - neutral) > 1e-3);

  const ProgramResult info = place.run("gap-info", {"model.h5"});
  CHECK(contains(info.out, "charges learned"));
  check_mistake(place.run("gap-convert", {"model.h5", "model.xml"}), {"coulomb"});
  check_mistake(place.run("gap-convert", {"model.h5", "--kim", "Learned", "kim"}), {"'coulomb' needs the whole cell"});
  const ProgramResult member = place.run("gap-fit", {"--sample-model", "model.h5", "-o", "member.h5"});
  CHECK(member.exit_code == 0);
  CHECK(contains(member.out, "All members share the property 'charge'"));
  check_mistake(place.run("gap-convert", {"model.h5", "short.h5", "--short-range"}),
                {"model.h5", "no other program can add the part 'coulomb'", "property 'charge'"});
  CHECK_FALSE(std::filesystem::exists(place / "short.h5"));
  const ProgramResult checked = place.run("gap-fit", {"fit.toml", "--check"});
  CAPTURE(checked.out);
  CHECK(checked.exit_code == 0);

  const ChargeWorkplace missing(std::string(small_configuration) + "\n[[long_range]]\nkind = \"coulomb\"\ncharges = \"learned\"\n");
  check_mistake(missing.run("gap-fit", {"fit.toml"}), {"fit.toml", "[[long_range]]", "property 'charge'", "found none"});
}

TEST_CASE("equilibrated charges: gap-fit and gap-predict say that error bars lack their part") {
  std::string text = charge_configuration;
  text.erase(text.find("total = \"total_charge\"\n"), 23);
  const ChargeWorkplace place(text +
                              "\n[[long_range]]\nkind = \"coulomb\"\ncharges = \"equilibrated\"\nhardness = { Si = 10.0 }\n"
                              "widths = { Si = 1.0 }\n");
  const ProgramResult fit = place.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json"});
  CAPTURE(fit.err);
  REQUIRE(fit.exit_code == 0);
  const std::string sentence =
      "the error bars of energies, forces, stress and energies of atoms lack the uncertainty of the property 'charge'";
  CHECK(contains(fit.out, sentence));
  CHECK(contains(read_text(place / "fit.json"), sentence));
  const ProgramResult predicted = place.run("gap-predict", {"model.h5", "test.xyz", "-o", "out.xyz", "--std", "energy,force"});
  CAPTURE(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(contains(predicted.err, sentence));
}
