// Tensors from the configuration to the fields of gap-predict, gap-info, JSON and pages.

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/workplace.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string dipole_configuration = R"([data]
train = "train.xyz"
validation = "test.xyz"
use = ["energy"]
[reference_energies]
mode = "least_squares"
[[term]]
descriptor = "two_body"
cutoff = 3.0
kernel = "squared_exponential"
length_scale = 0.5
n_sparse = 10
delta = 1.0
[[tensor]]
name = "dipole"
kind = "vector"
units = "e*angstrom"
derivatives = "dipole_derivatives"
[[tensor.term]]
cutoff = 3.0
n_max = 4
l_max = 3
zeta = 2
n_sparse = 20
)";

/// The first frames of three atoms of a file.
std::string first_molecules(const std::string& name, int frames) {
  const std::string text = read_text(source_folder() / "data" / "water" / name);
  std::size_t end = 0;
  for (int line = 0; line < 5 * frames; ++line) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

struct WaterWorkplace : Workplace {
  WaterWorkplace() : Workplace(dipole_configuration) {
    folder.write("train.xyz", first_molecules("monomer_train.xyz", 40));
    folder.write("test.xyz", first_molecules("monomer_test.xyz", 20));
  }
};

std::vector<double> numbers_at(const Structure& s, const std::string& key) {
  const Field* field = s.find_field(key);
  REQUIRE(field != nullptr);
  if (const double* one = std::get_if<double>(&field->value)) return {*one};
  return std::get<std::vector<double>>(field->value);
}

}  // namespace

TEST_CASE("tensor: dipoles with derivatives go from [[tensor]] to fields, tables, JSON, gap-info and pages") {
  const WaterWorkplace place;
  const ProgramResult fit = place.run("gap-fit", {"fit.toml", "-o", "model.h5", "--json", "fit.json", "--report", "fit.html"});
  CAPTURE(fit.err);
  REQUIRE(fit.exit_code == 0);
  CHECK(contains(fit.err, "derivatives of 40 frames"));
  CHECK(contains(fit.out, "Validation errors of tensors"));
  const auto facts = nlohmann::json::parse(read_text(place / "fit.json"));
  CHECK(facts["tensors"][0]["derivative_rows"] == 40 * 27);
  CHECK(facts["tensors"][0]["left_out"] == 40);
  const double rmse = facts["validation_tensors"]["dipole"]["rmse"], spread = facts["validation_tensors"]["dipole"]["spread"];
  CHECK(rmse < 0.1 * spread);
  CHECK(facts["validation_tensors"]["dipole"]["mahalanobis"].get<double>() > 0);
  CHECK(facts["training_tensors"]["dipole"]["mahalanobis"].is_null());
  CHECK(facts["validation_tensors"]["dipole"]["derivatives"].is_null());
  CHECK(contains(read_text(place / "fit.html"), "Components of 'dipole', validation data"));

  const ProgramResult predicted = place.run("gap-predict", {"model.h5", "test.xyz", "-o", "out.xyz", "--std", "tensor",
                                                            "--tensor-derivatives", "--json", "out.json", "--report", "out.html"});
  CAPTURE(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(contains(predicted.out, "dipole norm"));
  CHECK(contains(predicted.out, "dipole derivatives"));
  const auto errors = nlohmann::json::parse(read_text(place / "out.json"))["tensors"]["dipole"];
  check_close(errors["rmse"].get<double>(), rmse, 1e-9);
  CHECK(errors["mahalanobis"].get<double>() > 0);
  CHECK(errors["norm"]["mahalanobis"].get<double>() > 0);
  CHECK(errors["derivatives"]["count"] == 60);
  CHECK(errors["derivatives"]["rmse"].get<double>() < 0.2 * errors["derivatives"]["spread"].get<double>());
  CHECK(contains(read_text(place / "out.html"), "derivatives, per Å"));
  double square = 0;
  const std::vector<Structure> frames = read_extxyz(place / "out.xyz");
  for (const Structure& s : frames) {
    const std::vector<double> label = numbers_at(s, "dipole"), found = numbers_at(s, "gap_dipole"),
                              covariance = numbers_at(s, "gap_dipole_cov"), std = numbers_at(s, "gap_dipole_std");
    double norm = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      square += std::pow(found[k] - label[k], 2);
      norm += found[k] * found[k];
      check_close(std[k] * std[k], covariance[4 * k], 1e-9, 1e-5);
    }
    check_close(numbers_at(s, "gap_dipole_norm")[0], std::sqrt(norm), 1e-7);
    CHECK(numbers_at(s, "gap_dipole_norm_std")[0] > 0);
    const std::vector<double> slopes = column(s, "gap_dipole_derivatives");
    REQUIRE(slopes.size() == 27);
    for (std::size_t k = 0; k < 9; ++k) check_close(slopes[k] + slopes[9 + k] + slopes[18 + k], 0, 1e-6);
  }
  check_close(std::sqrt(square / static_cast<double>(3 * frames.size())), rmse, 1e-7);

  const ProgramResult without = place.run("gap-predict", {"model.h5", "out.xyz", "-o", "again.xyz", "--no-forces"});
  REQUIRE(without.exit_code == 0);
  const Structure plain = read_extxyz(place / "again.xyz").at(0);
  CHECK(plain.find_field("gap_dipole") != nullptr);
  for (const char* name : {"gap_dipole_cov", "gap_dipole_norm_std"}) CHECK(plain.find_field(name) == nullptr);
  CHECK(plain.find_column("gap_dipole_derivatives") == nullptr);

  const ProgramResult info = place.run("gap-info", {"model.h5"});
  REQUIRE(info.exit_code == 0);
  CHECK(contains(info.out, "dipole (e*angstrom): vector, sum over the atoms"));
  CHECK(contains(info.out, "40 left-out structures"));
  const ProgramResult json = place.run("gap-info", {"model.h5", "--json"});
  REQUIRE(json.exit_code == 0);
  const auto tensor = nlohmann::json::parse(json.out)["tensors"][0];
  CHECK(tensor["derivatives"] == "dipole_derivatives");
  CHECK(tensor["parts"][0]["lambda"] == 1);
}
