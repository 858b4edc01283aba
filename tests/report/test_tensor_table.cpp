// Errors of tensors by hand.

#include <gapkit/core/errors.hpp>
#include <gapkit/report/tensor_table.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Structure frame_with_dipole(const Vector3& dipole) {
  Structure s;
  s.atomic_numbers = {8};
  s.positions = Positions::Zero(1, 3);
  s.set_field("mu", std::vector<double>{dipole[0], dipole[1], dipole[2]});
  return s;
}

Prediction with_dipole(const Vector3& dipole, bool has_bars) {
  Prediction p;
  TensorPrediction& tensor = p.tensors.emplace_back();
  tensor.keys = {.name = "dipole", .key = "mu", .kind = "vector", .target = "sum", .units = "debye", .origin = "", .derivatives = "z"};
  tensor.values = dipole.transpose();
  if (has_bars) {
    tensor.covariance = Matrix(1, 9);
    *tensor.covariance << 0.01, 0, 0, 0, 0.04, 0, 0, 0, 0.01;
  }
  return p;
}

}  // namespace

TEST_CASE("tensor table: errors, spread, Mahalanobis distances and lengths, by hand") {
  TensorTable table;
  CHECK(table.empty());
  CHECK(table.text().empty());
  table.add(frame_with_dipole({3, 4, 0}), with_dipole({3.1, 4.2, 0}, true));
  table.add(frame_with_dipole({3, 0, 4}), with_dipole({3, 0, 4}, true));
  const TensorTable::Part& part = table.parts().at(0);
  check_close(part.all.rmse(), std::sqrt(0.05 / 6), 1e-12);
  // Standard deviations of the components: 0, 2, 2.
  check_close(part.all.spread(), std::sqrt(8.0 / 3), 1e-12);
  check_close(part.all.mean_mahalanobis(), (0.01 / 0.01 + 0.04 / 0.04) / 3 / 2, 1e-12);
  const double length = std::hypot(3.1, 4.2), variance = (3.1 * 3.1 * 0.01 + 4.2 * 4.2 * 0.04) / (length * length);
  const auto& [name, norm] = part.invariants.at(0);
  CHECK(name == "norm");
  check_close(norm.rmse(), (length - 5) / std::sqrt(2.0), 1e-12);
  check_close(norm.mean_mahalanobis(), (length - 5) * (length - 5) / variance / 2, 1e-12);
  const auto json = nlohmann::json::parse(table.json());
  CHECK(json["dipole"]["units"] == "debye");
  CHECK(json["dipole"]["count"] == 2);
  CHECK(json["dipole"]["derivatives"].is_null());
  CHECK(contains(table.text(), "dipole norm"));
}

TEST_CASE("tensor table: derivatives count by atom, and without error bars there is no distance") {
  TensorTable table;
  Structure s = frame_with_dipole({1, 0, 0});
  s.set_column("z", 9, std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1});
  Prediction p = with_dipole({1, 0, 0}, false);
  p.tensors[0].derivatives = Matrix(1, 9);
  *p.tensors[0].derivatives << 1, 0, 0, 0, 1, 0, 0, 0, 1.3;
  table.add(s, p);
  check_close(table.parts()[0].derivatives.rmse(), 0.1, 1e-12);
  const auto json = nlohmann::json::parse(table.json());
  CHECK(json["dipole"]["mahalanobis"].is_null());
  CHECK(json["dipole"]["derivatives"]["count"] == 1);
  CHECK(contains(table.text(), "dipole derivatives"));
  Prediction singular = with_dipole({2, 0, 0}, true);
  singular.tensors[0].covariance->setZero();
  CHECK_THROWS_AS(table.add(frame_with_dipole({1, 0, 0}), singular), NumericalError);
}
