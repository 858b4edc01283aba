// Local properties: fits with values, totals and dipoles as targets.

#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

constexpr double reach = 3.4;  // Å, of the charges

/// Charges that add up to zero: each pair of unlike atoms exchanges a charge that depends on its distance. Molecules see no images.
std::vector<double> charges_of(const Structure& s) {
  std::vector<double> q(static_cast<std::size_t>(s.size()), 0.0);
  const NeighborList list(s, reach);
  for (std::size_t i = 0; i < q.size(); ++i)
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) {
      const auto j = static_cast<std::size_t>(list.index()[p]);
      const double x = list.distance()[p] / reach;
      q[i] += 0.02 * (s.atomic_numbers[j] - s.atomic_numbers[i]) * std::pow(1 - x * x, 2);
    }
  return q;
}

Vector3 moment(const Structure& s, const std::vector<double>& q) {
  return s.positions.transpose() * Eigen::Map<const Vector>(q.data(), s.size());
}

Structure molecule(unsigned seed, bool is_charged = false) {
  Structure s = random_triclinic(6, seed, {6, 14});
  s.cell.reset();
  s.pbc = {false, false, false};
  s = labelled(s);
  std::vector<double> q = charges_of(s);
  if (is_charged)
    for (double& x : q) x += 1.0 / s.size();
  s.set_column("charge", 1, q);
  s.set_field("total_charge", is_charged ? 1.0 : 0.0);
  const Vector3 mu = moment(s, q);
  s.set_field("dipole", std::vector<double>{mu[0], mu[1], mu[2]});
  return s;
}

std::vector<Structure> molecules(unsigned first, unsigned count) {
  std::vector<Structure> frames;
  for (unsigned seed = first; seed < first + count; ++seed) frames.push_back(molecule(seed));
  return frames;
}

PropertyOptions charge_options() {
  PropertyOptions property;
  property.keys = {.name = "charge", .unit = "e", .column = "charge"};
  property.terms = {small_soap(4, 3, 2, 60, 3.6)};
  property.terms.front().delta = 0.2;
  property.sigma = 0.02;
  return property;
}

FitOptions options_with(PropertyOptions property) {
  FitOptions options = small_options("", {small_two_body(0.8, 10)});
  options.properties = {std::move(property)};
  return options;
}

FitResult property_fit(const std::vector<Structure>& frames, PropertyOptions property, bool is_calibrated = false) {
  const MemoryDataset data(frames, "frames");
  FitOptions options = options_with(std::move(property));
  if (is_calibrated) options.calibration.source = CalibrationOptions::Source::leave_one_out;
  return fit({data}, options);
}

struct Errors {
  double values = 0, dipoles = 0, totals = 0, spread = 0, dipole_spread = 0;  ///< root mean squares
};

Errors errors_of(const Model& model, const std::vector<Structure>& frames) {
  Predictor predictor(std::make_shared<const Model>(model));
  Errors errors;
  double atoms = 0;
  for (const Structure& s : frames) {
    const Prediction prediction = predictor.compute(s, {.properties = true});
    REQUIRE(prediction.properties.size() == 1);
    const PropertyPrediction& p = prediction.properties.front();
    const std::vector<double> q = charges_of(s);
    for (int i = 0; i < s.size(); ++i) {
      errors.values += std::pow(p.values[i] - q[static_cast<std::size_t>(i)], 2);
      errors.spread += std::pow(q[static_cast<std::size_t>(i)], 2);
    }
    atoms += s.size();
    errors.totals += p.total * p.total;
    errors.dipole_spread += moment(s, q).squaredNorm();
    if (p.dipole) errors.dipoles += (*p.dipole - moment(s, q)).squaredNorm();  // neutral: of any origin
  }
  const auto n = static_cast<double>(frames.size());
  return {std::sqrt(errors.values / atoms), std::sqrt(errors.dipoles / n), std::sqrt(errors.totals / n), std::sqrt(errors.spread / atoms),
          std::sqrt(errors.dipole_spread / n)};
}

std::string mistake_of(const std::vector<Structure>& frames, PropertyOptions property) {
  return message_of<InputError>([&] { property_fit(frames, std::move(property)); });
}

}  // namespace

TEST_CASE("property: charges of atoms are learned, with means by element, sigma by the evidence and calibrated error bars") {
  const std::vector<Structure> test = molecules(1000, 20);
  const FitResult result = property_fit(molecules(0, 60), charge_options(), true);
  REQUIRE(result.model.properties.size() == 1);
  const Model& field = *result.model.properties.front().field;
  double sum = 0;
  int carbons = 0;
  for (const Structure& s : molecules(0, 60)) {
    const std::vector<double> q = charges_of(s);
    for (std::size_t i = 0; i < q.size(); ++i)
      if (s.atomic_numbers[i] == 6) {
        sum += q[i];
        ++carbons;
      }
  }
  check_close(field.reference_energies.at(6), sum / carbons, 1e-12);
  const Errors errors = errors_of(result.model, test);
  REQUIRE(errors.spread > 0.05);
  CHECK(errors.values <= 0.2 * errors.spread);
  REQUIRE(result.report.properties.front().optimization);
  CHECK(result.report.properties.front().optimization->after.log_evidence >
        result.report.properties.front().optimization->before.log_evidence);
  REQUIRE(field.calibration);
  CHECK(field.calibration->covers(Property::value));

  Predictor predictor(std::make_shared<const Model>(result.model));
  double zms = 0, atoms = 0;
  for (const Structure& s : test) {
    const PropertyPrediction p = predictor.compute(s, {.properties = true, .property_std = true}).properties.front();
    REQUIRE(p.std);
    const std::vector<double> q = charges_of(s);
    for (int i = 0; i < s.size(); ++i) {
      zms += std::pow((p.values[i] - q[static_cast<std::size_t>(i)]) / (*p.std)[i], 2);
      CHECK((*p.std_epistemic)[i] <= (*p.std)[i]);
      ++atoms;
    }
  }
  CHECK(zms / atoms > 0.3);
  CHECK(zms / atoms < 3);
}

TEST_CASE("property: the energies do not depend on properties") {
  const std::vector<Structure> frames = molecules(0, 12);
  const MemoryDataset data(frames, "frames");
  const FitOptions with = options_with(charge_options());
  FitOptions without = with;
  without.properties.clear();
  const FitResult a = fit({data}, with), b = fit({data}, without);
  CHECK(a.model.weights == b.model.weights);
  CHECK(b.model.properties.empty());
}

TEST_CASE("property: rows of totals make predicted totals agree") {
  // Values of atoms are noisy and totals exact, so that totals have information of their own.
  std::vector<Structure> train = molecules(0, 60);
  RandomStream random(7);
  for (Structure& s : train)
    for (double& q : std::get<std::vector<double>>(s.columns.back().values)) q += 0.1 * random.normal();
  PropertyOptions property = charge_options();
  property.sigma = 0.1;
  property.optimize = false;
  PropertyOptions with = property;
  with.keys.total = "total_charge";
  const std::vector<Structure> test = molecules(1000, 20);
  const Model free = property_fit(train, property).model, bound = property_fit(train, with).model;
  const Errors free_test = errors_of(free, test), bound_test = errors_of(bound, test);
  CHECK(bound_test.totals < 0.5 * free_test.totals);
  CHECK(bound_test.values < free_test.values);
  // Sixty totals with small σ and sixty points: the fit can meet all of them.
  CHECK(errors_of(bound, train).totals < 0.1 * errors_of(free, train).totals);
}

TEST_CASE("property: charges of charged molecules add up to the total of each frame") {
  std::vector<Structure> frames = molecules(0, 20);
  for (unsigned seed = 100; seed < 110; ++seed) frames.push_back(molecule(seed, true));
  PropertyOptions property = charge_options();
  property.keys.total = "total_charge";
  const FitResult result = property_fit(frames, property);
  CHECK(result.report.properties.front().totals == 30);
  CHECK(result.report.properties.front().values == 180);
}

TEST_CASE("property: dipoles alone determine the charges") {
  PropertyOptions property = charge_options();
  property.keys = {.name = "charge", .unit = "e", .column = "", .dipole = "dipole"};
  const FitResult result = property_fit(molecules(0, 80), property);
  const Errors errors = errors_of(result.model, molecules(1000, 20));
  REQUIRE(errors.dipole_spread > 0.1);
  CHECK(errors.dipoles <= 0.3 * errors.dipole_spread);
}

TEST_CASE("property: dipole targets do not depend on the origin, of charged molecules too") {
  const auto model_of = [](double shift) {
    std::vector<Structure> frames;
    for (unsigned seed = 0; seed < 12; ++seed) {
      Structure s = molecule(seed, seed % 2 == 0);
      s.positions.rowwise() += Eigen::RowVector3d(shift, -shift, 2 * shift);
      const auto q = std::get<std::vector<double>>(s.find_column("charge")->values);
      const Vector3 mu = moment(s, q);
      s.set_field("dipole", std::vector<double>{mu[0], mu[1], mu[2]});
      frames.push_back(std::move(s));
    }
    PropertyOptions property = charge_options();
    property.keys.total = "total_charge";
    property.keys.dipole = "dipole";
    property.optimize = false;
    return property_fit(frames, property).model;
  };
  const Structure s = molecule(2000);
  const auto values = [&](const Model& model) {
    return Predictor(std::make_shared<const Model>(model)).compute(s, {.properties = true}).properties.front().values;
  };
  CHECK(largest_difference(values(model_of(0)), values(model_of(5))) <= 1e-7);
}

TEST_CASE("property: a saved model predicts the same, and its energies are those of a model without properties") {
  const TemporaryFolder folder;
  PropertyOptions property = charge_options();
  property.keys.total = "total_charge";
  property.keys.dipole = "dipole";
  const FitResult result = property_fit(molecules(0, 20), property, true);
  const auto path = folder.path() / "model.h5";
  save_model(result.model, path);
  const Model loaded = load_model(path);
  REQUIRE(loaded.properties.size() == 1);
  CHECK(loaded.properties.front().keys == property.keys);
  const Structure s = molecule(2000);
  const PredictionRequest request{.energy_std = true, .properties = true, .property_std = true};
  const Prediction a = Predictor(std::make_shared<const Model>(result.model)).compute(s, request);
  const Prediction b = Predictor(std::make_shared<const Model>(loaded)).compute(s, request);
  const PropertyPrediction &p = a.properties.front(), &q = b.properties.front();
  CHECK(a.energy == b.energy);
  CHECK(p.values == q.values);
  CHECK(*p.std == *q.std);
  CHECK(*p.total_std == *q.total_std);
  CHECK(*p.dipole_std == *q.dipole_std);
  CHECK(largest_difference(*p.dipole, moment(s, {p.values.data(), p.values.data() + p.values.size()}) -
                                          p.total * Vector3(s.positions.colwise().mean().transpose())) <= 1e-12);
}

TEST_CASE("property: mistakes in the data are named with frame, atom and remedy") {
  const std::vector<Structure> frames = molecules(0, 4);
  PropertyOptions property = charge_options();
  property.keys.column = "chrage";
  CHECK(mistake_of(frames, property) ==
        "[[property]] 'charge': none of the 4 training frames has the column 'chrage'; did you mean 'charge'?");
  property = charge_options();
  property.keys.total = "totalcharge";
  CHECK(mistake_of(frames, property) ==
        "[[property]] 'charge': none of the 4 training frames has the key 'totalcharge'; did you mean 'total_charge'?");

  std::vector<Structure> damaged = frames;
  std::get<std::vector<double>>(damaged[2].columns.back().values)[4] = std::nan("");
  std::string message = mistake_of(damaged, charge_options());
  CHECK(message.starts_with("frame 3: column 'charge' is nan for atom 5 ("));

  damaged = frames;
  damaged[1].set_column("charge", 3, std::vector<double>(18, 0.1));
  message = mistake_of(damaged, charge_options());
  CHECK(message.starts_with("frame 2: column 'charge' has 3 numbers per atom, expected one number for each of 6 atoms"));

  damaged = frames;
  damaged[3].set_field("dipole", std::vector<double>{1, 2});
  property = charge_options();
  property.keys.dipole = "dipole";
  CHECK(mistake_of(damaged, property).starts_with("frame 4: key 'dipole' is"));

  damaged = frames;
  Structure gold = lone_atom(79);
  gold.source = "gold.xyz:1 (frame 1)";
  damaged.push_back(gold);
  CHECK(mistake_of(damaged, charge_options()) ==
        "[[property]] 'charge': gold.xyz:1 (frame 1) has Au, but no frame with this element has the column 'charge': add such data, or "
        "take the element out");
}

TEST_CASE("property: dipoles of periodic frames are not fitted") {
  std::vector<Structure> frames = molecules(0, 4);
  PropertyOptions property = charge_options();
  property.keys.dipole = "dipole";
  for (Structure& s : frames) {
    s.cell = 30 * Matrix3::Identity();
    s.pbc = {true, true, true};
  }
  CHECK(mistake_of(frames, property).find("frames with periodic directions only") != std::string::npos);
  frames.push_back(molecule(77));
  const FitResult result = property_fit(frames, property);
  CHECK(result.report.properties.front().dipoles == 1);
  CHECK(result.report.properties.front().periodic_dipoles == 4);
}
