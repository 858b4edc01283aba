#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/report/error_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

constexpr double mev_per_ev = 1000;

void check_finite(double value, const Structure& frame, const char* property) {
  if (std::isfinite(value)) return;
  throw NumericalError(fmt::format("{}: the predicted {} is {}; expected a finite number (check the frame for atoms that nearly coincide)",
                                   frame.source.empty() ? "frame" : frame.source, property, value));
}

Json to_json(const ErrorSummary& summary) {
  // JSON has no NaN: an error of nothing is null.
  Json json = {{"count", summary.count}, {"rmse", nullptr}, {"mae", nullptr}};
  if (summary.count > 0) {
    json["rmse"] = summary.rmse();
    json["mae"] = summary.mae();
  }
  return json;
}

Json to_json(const ErrorTable::Row& row) {
  return {{"frames", row.frames}, {"energy", to_json(row.energy)}, {"forces", to_json(row.forces)}, {"stress", to_json(row.stress)}};
}

/// Fixed point with `digits`, but powers of ten where that would show only zeros or overflow the column.
std::string number(double value, int digits) {
  const double smallest = 0.5 * std::pow(10.0, -digits);
  if (value >= 1e6 || (value > 0 && value < smallest)) return fmt::format("{:.1e}", value);
  return fmt::format("{:.{}f}", value, digits);
}

std::string pair_of_cells(const ErrorSummary& summary, int digits) {
  if (summary.count == 0) return fmt::format("{:>10}{:>10}", "-", "-");
  return fmt::format("{:>10}{:>10}", number(summary.rmse(), digits), number(summary.mae(), digits));
}

std::string line(const std::string& name, std::size_t name_width, const ErrorTable::Row& row) {
  return fmt::format("{:<{}}{:>8}{}{}{}\n", name, name_width, row.frames, pair_of_cells(row.energy, 2), pair_of_cells(row.forces, 4),
                     pair_of_cells(row.stress, 3));
}

}  // namespace

void ErrorSummary::add(double error) {
  ++count;
  sum_of_squares += error * error;
  sum_of_absolutes += std::abs(error);
}

void ErrorSummary::add(const ErrorSummary& other) {
  count += other.count;
  sum_of_squares += other.sum_of_squares;
  sum_of_absolutes += other.sum_of_absolutes;
}

double ErrorSummary::rmse() const {
  return std::sqrt(sum_of_squares / static_cast<double>(count));
}

double ErrorSummary::mae() const {
  return sum_of_absolutes / static_cast<double>(count);
}

void ErrorTable::add(const Structure& frame, std::optional<double> energy, const Positions* forces, const Voigt* stress) {
  // A row of its own first: a frame that throws half-way must not leave half of its errors behind.
  Row row;
  const int atoms = frame.size();
  if (energy && frame.energy && atoms > 0) {
    check_finite(*energy, frame, "energy");
    row.energy.add((*energy - *frame.energy) / atoms * mev_per_ev);
  }
  if (forces && frame.forces) {
    if (forces->rows() != atoms || frame.forces->rows() != atoms)
      throw Error(
          fmt::format("{}: {} predicted and {} reference forces for {} atoms", frame.source, forces->rows(), frame.forces->rows(), atoms));
    for (int i = 0; i < atoms; ++i) {
      if (!frame.force_mask.empty() && frame.force_mask[static_cast<std::size_t>(i)]) continue;
      for (int c = 0; c < 3; ++c) {
        check_finite((*forces)(i, c), frame, "force");
        row.forces.add((*forces)(i, c) - (*frame.forces)(i, c));
      }
    }
  }
  const double volume = frame.volume();
  if (stress && frame.virial && volume > 0) {
    constexpr std::array<std::array<int, 2>, 6> voigt = {{{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}}};
    for (int k = 0; k < 6; ++k) {
      const auto [a, b] = voigt[static_cast<std::size_t>(k)];
      check_finite((*stress)(k), frame, "stress");
      const double reference = -0.5 * ((*frame.virial)(a, b) + (*frame.virial)(b, a)) / volume;
      row.stress.add(((*stress)(k)-reference) * gpa_per_ev_per_cubic_angstrom);
    }
  }
  if (row.energy.count + row.forces.count + row.stress.count == 0) return;
  Row& sum = rows_[frame.config_type];
  ++sum.frames;
  sum.energy.add(row.energy);
  sum.forces.add(row.forces);
  sum.stress.add(row.stress);
}

ErrorTable::Row ErrorTable::total() const {
  Row all;
  for (const auto& [name, row] : rows_) {
    all.frames += row.frames;
    all.energy.add(row.energy);
    all.forces.add(row.forces);
    all.stress.add(row.stress);
  }
  return all;
}

bool ErrorTable::empty() const {
  return rows_.empty();
}

std::string ErrorTable::text() const {
  std::size_t width = 16;
  for (const auto& [name, row] : rows_) width = std::max(width, name.size() + 1);
  std::string out = fmt::format("{:<{}}{:>8}{:>20}{:>20}{:>20}\n", "", width, "", "energy (meV/atom)", "forces (eV/Å)", "stress (GPa)");
  out += fmt::format("{:<{}}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "config type", width, "frames", "RMSE", "MAE", "RMSE", "MAE",
                     "RMSE", "MAE");
  for (const auto& [name, row] : rows_) out += line(name, width, row);
  out += line("all", width, total());
  return out;
}

std::string ErrorTable::json() const {
  Json json = {{"config_types", Json::object()}, {"all", to_json(total())}};
  for (const auto& [name, row] : rows_) json["config_types"][name] = to_json(row);
  json["units"] = {{"energy", "meV/atom"}, {"forces", "eV/Å"}, {"stress", "GPa"}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gapkit
