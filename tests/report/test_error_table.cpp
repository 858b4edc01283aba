#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/report/error_table.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

using namespace gapkit;
using gapkit::test::check_close;

namespace {

const double nan_value = std::numeric_limits<double>::quiet_NaN();

Structure two_atoms() {
  Structure s;
  s.source = "test.xyz:1 (frame 1)";
  s.config_type = "dimer";
  s.cell = Matrix3::Identity() * 2.0;  // 8 Å³
  s.pbc = {true, true, true};
  s.atomic_numbers = {14, 14};
  s.positions = Positions::Zero(2, 3);
  s.energy = -10.0;
  s.forces = Positions::Zero(2, 3);
  s.virial = Matrix3::Zero();
  return s;
}

/// Stress in eV/Å³.
Prediction predicted(const Structure& frame, std::optional<double> energy, const Positions* forces, const Voigt* stress) {
  Prediction p;
  p.energy = energy.value_or(frame.energy.value_or(0));
  if (forces) p.forces = *forces;
  if (stress) p.virial = tensor_of(Voigt(-frame.volume() * *stress));
  return p;
}

}  // namespace

TEST_CASE("error summary: root mean square and mean absolute error; NaN without entries") {
  ErrorSummary summary;
  CHECK(std::isnan(summary.rmse()));
  CHECK(std::isnan(summary.mae()));
  summary.add(3);
  summary.add(-4);
  CHECK(summary.count == 2);
  check_close(summary.rmse(), std::sqrt(12.5), 1e-14);
  check_close(summary.mae(), 3.5, 1e-14);
}

TEST_CASE("error table: units and signs, by hand") {
  ErrorTable table;
  const Structure frame = two_atoms();
  Structure shifted = frame;
  // σ_xx = −W_xx/V: a virial of +8 eV in 8 Å³ is a reference stress of −1 eV/Å³
  (*shifted.virial)(0, 0) = 8.0;
  const Positions forces = Positions::Constant(2, 3, 0.25);
  const Voigt stress = Voigt::Zero();
  table.add(shifted, predicted(shifted, -9.99, &forces, &stress));

  const ErrorTable::Row row = table.config_types().at("dimer");
  CHECK(row.frames == 1);
  CHECK(row[Property::energy].count == 1);
  check_close(row[Property::energy].rmse(), 5.0, 1e-9);  // 10 meV for two atoms
  CHECK(row[Property::force].count == 6);
  check_close(row[Property::force].rmse(), 0.25, 1e-14);
  CHECK(row[Property::virial].count == 6);
  check_close(row[Property::virial].mae(), gpa_per_ev_per_cubic_angstrom / 6, 1e-10);
  check_close(row[Property::virial].rmse(), gpa_per_ev_per_cubic_angstrom / std::sqrt(6.0), 1e-10);
}

TEST_CASE("error table: each Voigt component is compared with its own virial component") {
  constexpr int pairs[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
  Structure frame = two_atoms();
  frame.energy.reset();
  frame.virial = Matrix3{{1, 6, 5}, {6, 2, 4}, {5, 4, 3}};
  Voigt stress;
  for (int k = 0; k < 6; ++k) stress(k) = -(*frame.virial)(pairs[k][0], pairs[k][1]) / 8.0;
  ErrorTable table;
  table.add(frame, predicted(frame, std::nullopt, nullptr, &stress));
  CHECK(table.total()[Property::virial].count == 6);
  check_close(table.total()[Property::virial].rmse(), 0, 1e-12);
  CHECK(table.total()[Property::energy].count == 0);
}

TEST_CASE("error table: masked atoms, absent targets and frames without a cell are left out") {
  Structure frame = two_atoms();
  frame.force_mask = {false, true};
  frame.cell.reset();
  frame.pbc = {false, false, false};
  frame.energy.reset();
  const Positions forces = Positions::Ones(2, 3);
  const Voigt stress = Voigt::Ones();
  ErrorTable table;
  table.add(frame, predicted(frame, -10.0, &forces, &stress));
  CHECK(table.total()[Property::energy].count == 0);
  CHECK(table.total()[Property::force].count == 3);
  CHECK(table.total()[Property::virial].count == 0);

  ErrorTable nothing;
  nothing.add(frame, predicted(frame, -10.0, nullptr, nullptr));
  CHECK(nothing.empty());
}

TEST_CASE("error table: the total is over all frames") {
  ErrorTable table;
  Structure a = two_atoms(), b = two_atoms();
  b.config_type = "other";
  table.add(a, predicted(a, -9.0, nullptr, nullptr));
  table.add(a, predicted(a, -10.5, nullptr, nullptr));
  table.add(b, predicted(b, -12.0, nullptr, nullptr));
  CHECK(table.config_types().size() == 2);
  CHECK(table.total().frames == 3);
  check_close(table.total()[Property::energy].rmse(), 1000 * std::sqrt((0.25 + 0.0625 + 1.0) / 3), 1e-9);
  check_close(table.total()[Property::energy].mae(), 1000 * (0.5 + 0.25 + 1.0) / 3, 1e-9);
}

TEST_CASE("error table: NaN or infinity in a prediction names the frame and counts nothing") {
  const Structure frame = two_atoms();
  ErrorTable table;
  Positions forces = Positions::Zero(2, 3);
  forces(1, 2) = nan_value;
  Voigt stress = Voigt::Zero();
  stress(4) = std::numeric_limits<double>::infinity();
  for (const std::string& message :
       {test::message_of<NumericalError>([&] { table.add(frame, predicted(frame, nan_value, nullptr, nullptr)); }),
        test::message_of<NumericalError>([&] { table.add(frame, predicted(frame, -10.0, &forces, nullptr)); }),
        test::message_of<NumericalError>([&] { table.add(frame, predicted(frame, -10.0, nullptr, &stress)); })}) {
    CAPTURE(message);
    CHECK(message.find("test.xyz:1 (frame 1)") != std::string::npos);
  }
  CHECK(table.empty());
}

TEST_CASE("error table: text has aligned columns, '-' for values without reference, and 'all' last") {
  ErrorTable table;
  const Structure frame = two_atoms();
  const Positions forces = Positions::Constant(2, 3, 0.25);
  table.add(frame, predicted(frame, -9.0, &forces, nullptr));
  std::istringstream in(table.text());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].find("energy (meV/atom)") != std::string::npos);
  CHECK(lines[0].find("stress (GPa)") != std::string::npos);
  CHECK(lines[3].rfind("all ", 0) == 0);
  for (const std::string& line : {lines[2], lines[3]}) {
    CHECK(line.size() == lines[1].size());
    CHECK(line.find("500.00") != std::string::npos);
    CHECK(line.find("0.2500") != std::string::npos);
    CHECK(line.substr(line.size() - 3) == "  -");
  }
}

TEST_CASE("error table: JSON has every digit, null for values without reference, and units") {
  ErrorTable table;
  const Structure frame = two_atoms();
  table.add(frame, predicted(frame, -10.0 + 2.0 / 3000.0, nullptr, nullptr));
  const auto json = nlohmann::json::parse(table.json());
  const auto& row = json.at("config_types").at("dimer");
  CHECK(row.at("frames") == 1);
  CHECK(row.at("energy").at("count") == 1);
  CHECK(row.at("energy").at("rmse").get<double>() == table.total()[Property::energy].rmse());
  CHECK(row.at("forces").at("count") == 0);
  CHECK(row.at("forces").at("rmse").is_null());
  CHECK(row.at("stress").at("mae").is_null());
  CHECK(json.at("all") == row);
  CHECK(json.at("units").at("energy") == "meV/atom");
}
