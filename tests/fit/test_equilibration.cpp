// Fits of electronegativities whose equilibrated charges are the data, and energies with such charges.

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/potentials/charge_equilibration.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/charged_clusters.hpp"
#include "support/prediction_derivatives.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const Equilibration known{.widths = {{6, 0.7}, {14, 1.0}}, .hardness = {{6, 6.0}, {14, 4.0}}};  // Å, eV/e²

/// A rule of electronegativities that no element alone has.
Vector known_electronegativities(const Structure& s) {
  Vector chi(s.size());
  const NeighborList list(s, charge_reach);
  for (Eigen::Index i = 0; i < chi.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    chi[i] = s.atomic_numbers[at] == 14 ? 4 : 6;
    for (std::size_t p = list.begin()[at]; p < list.begin()[at + 1]; ++p) chi[i] += 2 * std::pow(1 - list.distance()[p] / charge_reach, 2);
  }
  return chi;
}

Vector known_charges(const Structure& s, double total) {
  return equilibration_of(s, known).charges(known_electronegativities(s), total);
}

/// Two clusters with the charges of the rule as column and dipole.
Structure charged(unsigned seed, double apart, double total) {
  Structure s = two_clusters(seed, apart);
  const Vector q = known_charges(s, total);
  s.set_column("charge", 1, {q.data(), q.data() + q.size()});
  const Vector3 dipole = s.positions.transpose() * q;
  s.set_field("dipole", std::vector<double>{dipole[0], dipole[1], dipole[2]});
  s.set_field("total_charge", total);
  return s;
}

std::vector<Structure> training() {
  std::vector<Structure> frames;
  for (unsigned k = 0; k < 24; ++k) frames.push_back(charged(k, 6 + 0.2 * k, static_cast<double>(k % 3) - 1));
  return frames;
}

FitOptions equilibrated_options(const std::string& given_values) {
  FitOptions options = learned_options();
  Parameters parameters{{"charges", std::string("equilibrated")}};
  if (given_values == "given") {
    parameters.set("widths", std::string("C = 0.7, Si = 1.0"));
    parameters.set("hardness", std::string("C = 6, Si = 4"));
  }
  options.baselines = {make_potential("coulomb", parameters)};
  options.properties.front().terms.front().delta = 1;
  options.properties.front().terms.front().n_sparse = 20;
  options.properties.front().sigma = 0.002;
  return options;
}

double charge_error(Predictor& predictor, const Structure& s, double total) {
  Structure bare = s;
  bare.set_field("total_charge", total);
  const Prediction p = predictor.compute(bare, {.properties = true});
  return largest_difference(p.properties.front().values, known_charges(s, total));
}

}  // namespace

TEST_CASE("equilibrated charges: a fit to charges knows them for another total charge, far apart, on the right atoms") {
  const MemoryDataset data(training(), "frames");
  const FitResult fitted = fit({data}, equilibrated_options("given"));
  REQUIRE(fitted.model.properties.size() == 1);
  CHECK(fitted.model.properties.front().equilibration->widths == known.widths);
  Predictor predictor(std::make_shared<const Model>(fitted.model));
  for (const double total : {-1.0, 0.0, 1.0}) CHECK(charge_error(predictor, two_clusters(700, 12), total) < 0.02);
  // An electron more: its share is that of the equilibration, on atoms that are 30 Å apart.
  const Structure far = two_clusters(701, 30);
  const auto charges = [&](double total) {
    Structure s = far;
    s.set_field("total_charge", total);
    const PropertyPrediction p = predictor.compute(s, {.properties = true}).properties.front();
    check_close(p.total, total, 1e-9);
    return p.values;
  };
  const Vector change = charges(-1) - charges(0);
  CHECK(largest_difference(change, Vector(-equilibration_of(far, known).share())) <= 1e-9);
  CHECK(change.head(3).sum() < -0.1);
  CHECK(change.tail(3).sum() < -0.1);
}

TEST_CASE("equilibrated charges: forces and virial are the derivatives of the energy; the model file has format 11") {
  const MemoryDataset data(training(), "frames");
  const FitResult fitted = fit({data}, equilibrated_options("given"));
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.h5";
  save_model(fitted.model, path);
  CHECK(ArchiveReader(path, "gapkit-model", 11).format_version() == 11);
  CHECK_THROWS_AS(ArchiveReader(path, "gapkit-model", 10), InputError);
  const auto loaded = std::make_shared<const Model>(load_model(path));
  Predictor before(std::make_shared<const Model>(fitted.model)), after(loaded);
  const Structure s = charged(702, 7, 1);
  const Prediction p = after.compute(s, {.properties = true, .property_std = true});
  check_close(p.energy, before.compute(s).energy, 1e-10);
  check_close(p.local_energy.sum(), p.energy, 1e-9);
  const PropertyPrediction& charges = p.properties.front();
  REQUIRE(charges.std_epistemic);
  for (const double bar : *charges.std_epistemic) CHECK((bar > 0 && bar < 1));
  for (int i = 0; i < s.size(); ++i)
    for (int k = 0; k < 3; ++k) {
      Structure up = s, down = s;
      up.positions(i, k) += 1e-4;
      down.positions(i, k) -= 1e-4;
      check_close((*p.forces)(i, k), (after.compute(down).energy - after.compute(up).energy) / 2e-4, 1e-5);
    }
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      Matrix3 strain = Matrix3::Zero();
      strain(a, b) = strain(b, a) = 1e-4;
      Structure up = s, down = s;
      up.positions = s.positions * (Matrix3::Identity() + strain);
      down.positions = s.positions * (Matrix3::Identity() - strain);
      const double factor = a == b ? 1 : 2;
      check_close((*p.virial)(a, b), (after.compute(down).energy - after.compute(up).energy) / (2e-4 * factor), 2e-5);
    }
}

TEST_CASE("equilibrated charges: dipoles alone teach them, and the evidence finds widths and hardness") {
  std::vector<Structure> frames = training();
  FitOptions options = equilibrated_options("found");
  const MemoryDataset data(frames, "frames");
  std::vector<std::string> messages;
  const FitResult found = fit({data}, options, {.progress = [&](const ProgressEvent& e) { messages.push_back(e.message); }});
  CHECK(std::any_of(messages.begin(), messages.end(), [](const std::string& m) { return m.find("by evidence in") != std::string::npos; }));
  Predictor of_found(std::make_shared<const Model>(found.model));
  for (const double total : {-1.0, 0.0, 1.0}) CHECK(charge_error(of_found, two_clusters(703, 9), total) < 0.05);

  options = equilibrated_options("given");
  options.properties.front().keys.column = "";
  options.properties.front().keys.dipole = "dipole";
  options.properties.front().dipole_sigma = 0.005;
  const FitResult of_dipoles = fit({data}, options);
  Predictor predictor(std::make_shared<const Model>(of_dipoles.model));
  for (const double total : {-1.0, 0.0, 1.0}) CHECK(charge_error(predictor, two_clusters(704, 9), total) < 0.1);
}

TEST_CASE("learned volumes: dispersion takes them, its forces have their derivatives, and volumes below 0 are refused") {
  std::vector<Structure> frames = clusters(0, 20);
  const PotentialPointer given = make_potential("dispersion", {{"volumes", std::string("given")}, {"damping", std::string("bj")}});
  const auto volumes_of = [](const Structure& s) {
    Vector v = 0.1 * known_electronegativities(s);
    return std::vector<double>(v.data(), v.data() + v.size());
  };
  for (Structure& s : frames) {
    s.set_column("hirshfeld_rel_volume", 1, volumes_of(s));
    *s.energy -= cluster_coulomb(s);
    s.forces.reset();
    *s.energy += evaluate(*given, s).energy;
  }
  FitOptions options = learned_options();
  options.properties.front().keys = {.name = "volume", .column = "hirshfeld_rel_volume"};
  options.baselines = {make_potential("dispersion", {{"volumes", std::string("learned")}, {"damping", std::string("bj")}})};
  const MemoryDataset data(frames, "frames");
  const FitResult fitted = fit({data}, options);
  Predictor predictor(std::make_shared<const Model>(fitted.model));
  const Structure s = frames.front();
  const Prediction p = predictor.compute(s, {.properties = true});
  // The part of the model is the sum with the predicted volumes.
  Structure predicted = s;
  const Vector& v = p.properties.front().values;
  predicted.set_column("hirshfeld_rel_volume", 1, {v.data(), v.data() + v.size()});
  check_close(evaluate(fitted.model.baselines, s).energy, evaluate(*given, predicted).energy, 1e-9);
  check_close(evaluate(*given, predicted).energy, evaluate(*given, s).energy, 0, 0.02);
  for (int i = 0; i < s.size(); ++i)
    for (int k = 0; k < 3; ++k) {
      Structure up = s, down = s;
      up.positions(i, k) += 1e-4;
      down.positions(i, k) -= 1e-4;
      check_close((*p.forces)(i, k), (predictor.compute(down).energy - predictor.compute(up).energy) / 2e-4, 1e-5);
    }
  const TemporaryFolder folder;
  save_model(fitted.model, folder.path() / "m.h5");
  CHECK(ArchiveReader(folder.path() / "m.h5", "gapkit-model", 11).format_version() == 11);
  check_close(Predictor(std::make_shared<const Model>(load_model(folder.path() / "m.h5"))).compute(s).energy, p.energy, 1e-10);
}
