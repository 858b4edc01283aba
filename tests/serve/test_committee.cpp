#include <nlohmann/json.hpp>

#include "serve/fake_server.hpp"

namespace gapkit {
namespace {

using test::FakeServer;

constexpr double hartree = 27.211386245988, hartree_per_bohr = 27.211386245988 / 0.529177210903;  // in eV, eV/Å

Positions rows_of(const nlohmann::json& json) {
  Positions rows(static_cast<Eigen::Index>(json.size()), 3);
  for (Eigen::Index i = 0; i < rows.rows(); ++i)
    for (Eigen::Index d = 0; d < 3; ++d) rows(i, d) = json.at(static_cast<std::size_t>(i)).at(static_cast<std::size_t>(d));
  return rows;
}

Vector list_of(const nlohmann::json& json) {
  const auto numbers = json.get<std::vector<double>>();
  return Eigen::Map<const Vector>(numbers.data(), static_cast<Eigen::Index>(numbers.size()));
}

struct CommitteeSetup {
  std::vector<std::shared_ptr<const Model>> models = test::two_models({6, 14});
  Structure structure = test::random_triclinic(6, 11, {6, 14});
  Prediction of(std::size_t model, const PredictionRequest& request = {}) { return Predictor(models[model]).compute(structure, request); }
  FakeServer::Forces served(std::size_t members, const serve::DriverOptions& options) {
    serve::Committee committee({models.data(), members});
    FakeServer server;
    server.say_positions(structure);
    server.say("GETFORCE");
    server.say("EXIT");
    serve::IpiConnection connection = server.connection();
    serve::drive(connection, committee, serve::KnownAtoms(structure), options);
    return server.heard_forces();
  }
};

TEST_CASE("serve: a committee sends the means and, when asked, spread and members") {
  CommitteeSetup s;
  const auto heard = s.served(2, {.extra = {.energy = true, .local = true, .forces = true, .virial = true, .members = true}});
  const Prediction a = s.of(0), b = s.of(1);
  REQUIRE(std::abs(a.energy - b.energy) > 1e-3);
  test::check_close(heard.energy * hartree, (a.energy + b.energy) / 2, 1e-10);
  CHECK(test::largest_difference(Positions(heard.forces * hartree_per_bohr), Positions((*a.forces + *b.forces) / 2)) <= 1e-10);
  CHECK(test::largest_difference(Matrix3(heard.virial * hartree), Matrix3((*a.virial + *b.virial) / 2)) <= 1e-10);

  // Of two numbers the standard deviation is |a − b| / √2
  const auto json = nlohmann::json::parse(heard.extra);
  CHECK(heard.extra.find('\n') == std::string::npos);
  test::check_close(json.at("energy_spread").get<double>() * hartree, std::abs(a.energy - b.energy) / std::sqrt(2.0), 1e-10);
  CHECK(test::largest_difference(Positions(rows_of(json.at("forces_spread")) * hartree_per_bohr),
                                 Positions((*a.forces - *b.forces).cwiseAbs() / std::sqrt(2.0))) <= 1e-10);
  const Matrix3 virial = (*a.virial - *b.virial).cwiseAbs() / std::sqrt(2.0);
  const Vector voigt = (Vector(6) << virial(0, 0), virial(1, 1), virial(2, 2), virial(1, 2), virial(0, 2), virial(0, 1)).finished();
  CHECK(test::largest_difference(Vector(list_of(json.at("virial_spread")) * hartree), voigt) <= 1e-10);
  CHECK(test::largest_difference(Vector(list_of(json.at("local_energy_spread")) * hartree),
                                 Vector((a.local_energy - b.local_energy).cwiseAbs() / std::sqrt(2.0))) <= 1e-10);
  REQUIRE(json.at("committee_pot").size() == 2);
  test::check_close(json["committee_pot"][1].get<double>() * hartree, b.energy, 1e-10);
  CHECK(test::largest_difference(Positions(rows_of(json.at("committee_force").at(1)) * hartree_per_bohr), *b.forces) <= 1e-10);
  CHECK(test::largest_difference(Matrix3(rows_of(json.at("committee_virial").at(0)) * hartree), *a.virial) <= 1e-10);
  CHECK(json.size() == 7);
}

TEST_CASE("serve: the spread of three numbers has n - 1 in its denominator") {
  std::vector<Prediction> members(3);
  for (std::size_t i = 0; i < 3; ++i) members[i].energy = std::array{1.0, 2.0, 6.0}[i];
  const Vector spread = serve::spread_of(members, [](const Prediction& p) { return Vector::Constant(1, p.energy); });
  test::check_close(spread[0], std::sqrt(7.0), 1e-14);
}

TEST_CASE("serve: one model sends its error bars when asked, those of the predictor") {
  CommitteeSetup s;
  const PredictionRequest request{.energy_std = true, .local_std = true, .force_std = true, .stress_std = true};
  const auto heard = s.served(1, {.request = request, .extra = {.energy = true, .local = true, .forces = true, .virial = true}});
  const Prediction p = s.of(0, request);
  const auto json = nlohmann::json::parse(heard.extra);
  test::check_close(json.at("energy_std").get<double>() * hartree, *p.energy_std, 1e-10);
  test::check_close(json.at("energy_std_epistemic").get<double>() * hartree, *p.energy_std_epistemic, 1e-10);
  CHECK(test::largest_difference(Positions(rows_of(json.at("forces_std")) * hartree_per_bohr), *p.forces_std) <= 1e-10);
  CHECK(test::largest_difference(Positions(rows_of(json.at("forces_std_epistemic")) * hartree_per_bohr), *p.forces_std_epistemic) <= 1e-10);
  CHECK(test::largest_difference(Vector(list_of(json.at("virial_std")) * hartree), Vector(*p.virial_std)) <= 1e-10);
  CHECK(test::largest_difference(Vector(list_of(json.at("virial_std_epistemic")) * hartree), Vector(*p.virial_std_epistemic)) <= 1e-10);
  CHECK(test::largest_difference(Vector(list_of(json.at("local_energy_std_epistemic")) * hartree), *p.local_energy_std_epistemic) <= 1e-10);
  test::check_close(json.at("novelty").get<double>(), *p.novelty, 1e-12);
  CHECK(json.contains("shortest_distance_ratio") == p.closeness.ratio.has_value());
  test::check_close(heard.energy * hartree, p.energy, 1e-10);
}

TEST_CASE("serve: one model sends extrapolation grades when asked, those of the predictor, without a unit") {
  CommitteeSetup s;
  Model graded = *s.models.front();
  graded.calibration.emplace();
  graded.calibration->factors = {{Property::energy, "default", 1.0, 1.0, 10, 10}};
  for (const auto& [element, energy] : graded.reference_energies) graded.calibration->extrapolation.push_back({element, 0.1, 0.2, 50});
  s.models.front() = std::make_shared<const Model>(graded);
  const PredictionRequest request{.extrapolation = true};
  const auto json = nlohmann::json::parse(s.served(1, {.request = request, .extra = {.extrapolation = true}}).extra);
  const Prediction p = s.of(0, request);
  CHECK(p.extrapolation->maxCoeff() > 0.01);
  CHECK(test::largest_difference(list_of(json.at("extrapolation")), *p.extrapolation) <= 1e-8 * p.extrapolation->maxCoeff());
}

TEST_CASE("serve: sigma of the template is the noise in error bars") {
  CommitteeSetup s;
  s.structure.sigma[Property::energy].frame = 0.5;  // eV
  const PredictionRequest request{.energy_std = true};
  const auto json = nlohmann::json::parse(s.served(1, {.request = request, .extra = {.energy = true}}).extra);
  const double std = json.at("energy_std").get<double>() * hartree, epistemic = json.at("energy_std_epistemic").get<double>() * hartree;
  test::check_close(std, *s.of(0, request).energy_std, 1e-10);
  CHECK(std >= std::hypot(0.5, epistemic) * (1 - 1e-9));
}

}  // namespace
}  // namespace gapkit
