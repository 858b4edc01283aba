// Tables of errors and of error bars and the record of reports take their rows from one comparison (compared_rows), for every target.

#include <gapkit/math/random_stream.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/report_pages.hpp>
#include <gapkit/report/uncertainty_table.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::check_close;

namespace {

using Json = nlohmann::ordered_json;

struct Frame {
  Structure structure;
  Prediction prediction;
};

/// Frames of 2 to 4 atoms with every target, predicted with random errors and error bars.
std::vector<Frame> random_frames() {
  RandomStream random{.seed = 17, .stream = 1};
  std::vector<Frame> frames;
  for (int n = 0; n < 30; ++n) {
    Frame& f = frames.emplace_back();
    Structure& s = f.structure;
    const int atoms = 2 + n % 3;
    s.config_type = n % 2 ? "odd" : "even";
    s.cell = Matrix3::Identity() * (3.0 + 0.1 * n);
    s.pbc = {true, true, true};
    s.atomic_numbers.assign(static_cast<std::size_t>(atoms), 14);
    s.positions = Positions::Zero(atoms, 3);
    const auto numbers = [&](const TargetInfo& target, double size) {
      std::vector<double> rows(static_cast<std::size_t>(target.row_count(atoms)));
      for (double& row : rows) row = size * random.normal();
      return rows;
    };
    Structure predicted = s;
    for (const TargetInfo& target : targets()) {
      target.set(s, numbers(target, 1));
      target.set(predicted, numbers(target, 1));
    }
    f.prediction.energy = *predicted.energy;
    f.prediction.forces = predicted.forces;
    f.prediction.virial = predicted.virial;
    f.prediction.energy_std = f.prediction.energy_std_epistemic = 0.5;
    f.prediction.forces_std = f.prediction.forces_std_epistemic = Positions::Constant(atoms, 3, 0.25);
    f.prediction.virial_std = f.prediction.virial_std_epistemic = Voigt::Constant(0.125);
  }
  frames[3].structure.force_mask = {false, true};
  frames[4].structure.virial.reset();
  return frames;
}

}  // namespace

TEST_CASE("tables and reports of errors agree for every target") {
  ErrorTable errors;
  UncertaintyTable bars;
  PredictionRecord record;
  long masked = 0;
  for (const Frame& f : random_frames()) {
    errors.add(f.structure, f.prediction);
    bars.add(f.structure, f.prediction);
    record.add(f.structure, f.prediction);
    masked += std::count(f.structure.force_mask.begin(), f.structure.force_mask.end(), true);
  }
  CHECK(masked == 1);
  const Json errors_json = Json::parse(errors.json()), bars_json = Json::parse(bars.json());
  for (const TargetInfo& target : targets()) {
    CAPTURE(target.name);
    const Property p = target.property;
    const ErrorSummary summary = errors.total()[p];
    const ErrorsWithBars& rows = bars.all().rows[p];
    const PredictionRecord::Values& values = record.values(p);
    REQUIRE(summary.count > 0);
    CHECK(static_cast<long>(rows.size()) == summary.count);
    CHECK(static_cast<long>(values.size()) == summary.count);
    ErrorSummary of_rows, of_values;
    for (const double error : rows.error) of_rows.add(error);
    for (std::size_t i = 0; i < values.size(); ++i) of_values.add(target.shown.error_factor * values.error(i));
    check_close(of_rows.rmse(), summary.rmse(), 0, 1e-12);
    check_close(of_values.rmse(), summary.rmse(), 0, 1e-9);
    check_close(of_values.mae(), summary.mae(), 0, 1e-9);
    for (std::size_t i = 0; i < values.size(); ++i) check_close(target.shown.error_factor * values.std[i], rows.std[i], 0, 1e-12);
    CHECK(errors_json.at("all").at(target.shown.name).at("count") == summary.count);
    CHECK(errors_json.at("units").at(target.shown.name) == target.shown.error_unit);
    CHECK(bars_json.at("all").at(target.shown.name).at("count") == summary.count);
    CHECK(bars_json.at("units").at(target.shown.name) == target.shown.error_unit);
    CHECK(errors.text().find(target.shown.name + std::string(" (") + target.shown.error_unit + ")") != std::string::npos);
    CHECK(bars.text("raw").find(std::string("\n") + target.shown.components + " ") != std::string::npos);
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : bars_json.at("all").items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"energy", "forces", "atoms", "stress", "vanishing_forces", "vanishing_stresses"});
}

TEST_CASE("components that symmetry makes zero are counted and left out of error bars, not of errors") {
  std::vector<Frame> frames = random_frames();
  Frame& f = frames.front();
  f.structure.forces->row(0).setZero();
  f.prediction.forces->row(0).setZero();
  f.prediction.forces_std_epistemic->row(0).setZero();
  ErrorTable errors;
  UncertaintyTable bars;
  errors.add(f.structure, f.prediction);
  bars.add(f.structure, f.prediction);
  CHECK(errors.total()[Property::force].count == 6);
  CHECK(bars.all().rows[Property::force].size() == 3);
  CHECK(bars.all().vectors[Property::force].size() == 1);
  CHECK(bars.all().vanishing[Property::force] == 3);
  CHECK(bars.text("raw").find("without 3 force and 0 stress components that symmetry makes zero\n") != std::string::npos);
}

TEST_CASE("the record of a report has the worst atom and the largest error bar of each frame") {
  Frame f = random_frames().front();
  *f.prediction.forces = *f.structure.forces;
  (*f.prediction.forces)(1, 0) += 3;
  (*f.prediction.forces)(1, 2) += 4;
  (*f.prediction.forces_std)(0, 1) = 2;
  f.prediction.energy = *f.structure.energy + 1;
  PredictionRecord record({{14, -5.0}});
  record.add(f.structure, f.prediction);
  const PredictionRecord::Frame& frame = record.frames().at(0);
  check_close(frame.error[Property::energy].value(), 0.5, 1e-12);  // of two atoms
  check_close(frame.error[Property::force].value(), 5 / std::sqrt(6.0), 1e-12);
  check_close(frame.largest_error[Property::force], 5, 1e-12);
  CHECK(frame.worst_atom[Property::force] == 2);
  check_close(frame.largest_std[Property::energy].value(), 0.25, 1e-12);
  check_close(frame.largest_std[Property::force].value(), std::sqrt(4 + 2 * 0.0625), 1e-12);
  CHECK(frame.error[Property::virial].has_value());
  check_close(record.values(Property::energy).reference.at(0), (*f.structure.energy + 10) / 2, 1e-12);
}
