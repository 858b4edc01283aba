// The noise of rows: their own σ, that of their class, or the root mean square of what came with the data.

#include <cmath>
#include <gapkit/model/noise.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
using Origin = NoiseLevel::Origin;

namespace {

/// Energies: class "surface" and the default were fitted. Forces: one class only. Virials: all rows brought their own σ.
Model with_records() {
  Model model;
  model.posterior.groups = {{Property::energy, "default", false, 0.002}, {Property::energy, "surface", false, 0.02},
                            {Property::energy, "default", true, 1},      {Property::force, "surface", false, 0.3},
                            {Property::force, "default", true, 1},       {Property::virial, "default", true, 1}};
  model.posterior.noise = {{Property::energy, "bulk", 0, 0, 50},           {Property::energy, "surface", 30, 30 * 0.25, 10},
                           {Property::energy, "liquid", 20, 20 * 0.16, 0}, {Property::energy, "mixed", 20, 20 * 0.16, 1},
                           {Property::energy, "few", 19, 19 * 0.16, 0},    {Property::force, "surface", 0, 0, 60},
                           {Property::force, "bulk", 15, 15 * 0.04, 0},    {Property::virial, "bulk", 6, 6 * 0.01, 0},
                           {Property::virial, "liquid", 24, 24 * 0.04, 0}};
  return model;
}

Structure of_type(const std::string& config_type, int atoms = 4) {
  Structure s = random_triclinic(atoms, 3, {14});
  s.config_type = config_type;
  return s;
}

}  // namespace

TEST_CASE("noise: of the class if its rows were fitted, else the root mean square of what was given") {
  const Model model = with_records();
  const auto check = [&](Property property, const char* config_type, Origin origin, double sigma) {
    CAPTURE(property_name(property));
    CAPTURE(config_type);
    const NoiseLevel level = noise_level(model, property, config_type);
    CHECK(level.origin == origin);
    check_close(level.sigma, sigma, 0, 1e-12);
  };
  const double pooled = std::sqrt((30 * 0.25 + 59 * 0.16 + 51 * 0.002 * 0.002) / 140);  // of all but the class 'surface'
  check(Property::energy, "surface", Origin::given_rows, std::sqrt((30 * 0.25 + 10 * 0.02 * 0.02) / 40));
  check(Property::energy, "bulk", Origin::class_rows, 0.002);
  check(Property::energy, "unknown", Origin::given_rows, pooled);  // more rows brought their own σ than had the default's
  check(Property::energy, "mixed", Origin::given_rows, std::sqrt((20 * 0.16 + 0.002 * 0.002) / 21));
  check(Property::energy, "few", Origin::given_rows, pooled);
  check(Property::energy, "liquid", Origin::given_rows, 0.4);  // no row of it had the default's σ
  check(Property::force, "surface", Origin::class_rows, 0.3);
  check(Property::force, "bulk", Origin::given_rows, std::sqrt((60 * 0.09 + 15 * 0.04) / 75));
  check(Property::virial, "liquid", Origin::given_rows, 0.2);
  check(Property::virial, "bulk", Origin::given_rows, std::sqrt((6 * 0.01 + 24 * 0.04) / 30));
  check(Property::virial, "unknown", Origin::given_rows, std::sqrt((6 * 0.01 + 24 * 0.04) / 30));
  CHECK(noise_level(Model(), Property::energy, "default").origin == Origin::none);
}

TEST_CASE("noise: rows have their own σ, or the level times h") {
  Model model = with_records();
  Structure s = of_type("liquid");
  check_close(row_noise(model, Property::energy, s).at(0), 2 * 0.4, 0, 1e-12);
  check_close(row_noise(model, Property::virial, s).at(0), 2 * 0.2, 0, 1e-12);
  CHECK(row_noise(model, Property::force, of_type("surface")) == std::vector<double>(12, 0.3));
  model.scale_with_atoms = false;
  check_close(row_noise(model, Property::energy, s).at(0), 0.4, 0, 1e-12);

  s.sigma[Property::energy].frame = 0.7;
  s.sigma[Property::virial].frame = 0.9;
  s.sigma[Property::force].frame = 0.5;
  CHECK(row_noise(model, Property::energy, s) == std::vector<double>{0.7});
  CHECK(row_noise(model, Property::virial, s) == std::vector<double>(6, 0.9));
  CHECK(row_noise(model, Property::force, s) == std::vector<double>(12, 0.5));
  s.sigma[Property::force].atom = {1, 2, 3, 4};
  CHECK(row_noise(model, Property::force, s) == std::vector<double>{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4});
  s.sigma[Property::force].component.assign(12, 5.0);
  s.sigma[Property::force].component[5] = 6;
  CHECK(row_noise(model, Property::force, s) == std::vector<double>{5, 5, 5, 5, 5, 6, 5, 5, 5, 5, 5, 5});
  s.sigma[Property::virial].component = {1, 2, 3, 4, 5, 6};
  CHECK(row_noise(model, Property::virial, s) == std::vector<double>{1, 2, 3, 4, 5, 6});
}
