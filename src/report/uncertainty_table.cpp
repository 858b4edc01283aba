#include <fmt/format.h>

#include <array>
#include <cmath>
#include <gapkit/core/units.hpp>
#include <gapkit/report/uncertainty_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

constexpr double mev_per_ev = 1000;
constexpr double vanishing_force = 1e-5, vanishing_virial = 1e-4;  // eV/Å, eV

bool vanishes(double predicted, double reference, double epistemic, double limit) {
  return std::abs(predicted) < limit && std::abs(reference) < limit && epistemic < limit;
}

Json number(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

Json to_json(const Estimate& e) {
  return {{"value", number(e.value)}, {"low", number(e.low)}, {"high", number(e.high)}};
}

Json to_json(const UncertaintyMetrics& m) {
  Json json = {{"count", m.count}, {"without_bar", m.without_bar}, {"structures", m.structures}};
  if (m.count == 0) return json;
  json["zms"] = to_json(m.zms);
  json["bins"] = Json::array();
  for (const StdBin& b : m.bins)
    json["bins"].push_back({{"count", b.count}, {"std", number(b.std)}, {"rmse", number(b.rmse)}, {"zms", to_json(b.zms)}});
  json["nll"] = to_json(m.nll);
  json["constant_std"] = number(m.constant_std);
  json["constant_nll"] = number(m.constant_nll);
  json["nll_difference"] = to_json(m.nll_difference);
  json["coverage68"] = to_json(m.coverage68);
  json["coverage95"] = to_json(m.coverage95);
  json["miscalibration_area"] = to_json(m.miscalibration_area);
  json["sharpness"] = to_json(m.sharpness);
  json["spearman"] = to_json(m.spearman);
  json["perfect_spearman"] = to_json(m.perfect_spearman);
  return json;
}

Json to_json(const VectorUncertaintyMetrics& m) {
  Json json = {{"count", m.count}, {"without_bar", m.without_bar}, {"structures", m.structures}};
  if (m.count == 0) return json;
  json["zms"] = to_json(m.zms);
  json["sharpness"] = to_json(m.sharpness);
  json["spearman"] = to_json(m.spearman);
  json["perfect_spearman"] = to_json(m.perfect_spearman);
  return json;
}

Json to_json(const UncertaintyTable::Metrics& m) {
  return {{"energy", to_json(m.energy)},
          {"forces", to_json(m.forces)},
          {"atoms", to_json(m.atoms)},
          {"stress", to_json(m.stress)},
          {"vanishing_forces", m.vanishing_forces},
          {"vanishing_stresses", m.vanishing_stresses}};
}

std::string cell(const Estimate& e, int digits) {
  if (!std::isfinite(e.value)) return fmt::format("{:>20}", "-");
  if (!std::isfinite(e.low)) return fmt::format("{:>20}", fmt::format("{:.{}f}", e.value, digits));
  return fmt::format("{:>20}", fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", e.value, digits, e.low, digits, e.high, digits));
}

std::string ranks(const Estimate& observed, const Estimate& perfect) {
  return fmt::format("{:>13}", std::isfinite(observed.value) ? fmt::format("{:.2f} ({:.2f})", observed.value, perfect.value) : "-");
}

std::string line(const std::string& name, const UncertaintyMetrics& m) {
  if (m.count == 0) return "";
  return fmt::format("{:<18}{:>9}{}{}{}  {}{}\n", name, m.count, cell(m.zms, 2), cell(m.coverage68, 2), cell(m.coverage95, 2),
                     cell(m.nll_difference, 2), ranks(m.spearman, m.perfect_spearman));
}

/// "0.97 / 0.69 / 0.95"
std::string brief(const UncertaintyMetrics& m) {
  if (m.count == 0) return "-";
  return fmt::format("{:.2f} / {:.2f} / {:.2f}", m.zms.value, m.coverage68.value, m.coverage95.value);
}

}  // namespace

void UncertaintyTable::add(const Structure& frame, const Prediction& p) {
  const int index = frames_++;
  Rows& own = config_types_[frame.config_type];
  const auto add_to_both = [&](ErrorsWithBars Rows::*rows, double error, double std) {
    (all_.*rows).add(error, std, index);
    (own.*rows).add(error, std, index);
  };
  if (p.energy_std && frame.energy && frame.size() > 0) {
    const double unit = mev_per_ev / frame.size();
    add_to_both(&Rows::energy, (p.energy - *frame.energy) * unit, *p.energy_std * unit);
  }
  if (p.forces && p.forces_std && frame.forces) {
    for (int i = 0; i < frame.size(); ++i) {
      if (!frame.force_mask.empty() && frame.force_mask[static_cast<std::size_t>(i)]) continue;
      const Vector3 error = (p.forces->row(i) - frame.forces->row(i)).transpose(), std = p.forces_std->row(i).transpose();
      int zeros = 0;
      for (int c = 0; c < 3; ++c) {
        if (vanishes((*p.forces)(i, c), (*frame.forces)(i, c), (*p.forces_std_epistemic)(i, c), vanishing_force)) {
          ++zeros;
          continue;
        }
        add_to_both(&Rows::forces, error[c], std[c]);
      }
      for (Rows* rows : {&all_, &own}) {
        rows->vanishing_forces += zeros;
        if (zeros < 3) rows->atoms.add(error, std, index);
      }
    }
  }
  const double volume = frame.volume();
  if (p.virial && p.virial_std && frame.virial && volume > 0) {
    constexpr std::array<std::array<int, 2>, 6> voigt = {{{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}}};
    const double unit = gpa_per_ev_per_cubic_angstrom / volume;
    for (int k = 0; k < 6; ++k) {
      const auto [a, b] = voigt[static_cast<std::size_t>(k)];
      const double reference = 0.5 * ((*frame.virial)(a, b) + (*frame.virial)(b, a)), predicted = (*p.virial)(a, b);
      if (vanishes(predicted, reference, (*p.virial_std_epistemic)[k], vanishing_virial)) {
        ++all_.vanishing_stresses;
        ++own.vanishing_stresses;
        continue;
      }
      add_to_both(&Rows::stress, -(predicted - reference) * unit, (*p.virial_std)[k] * unit);
    }
  }
  if (own.empty()) config_types_.erase(frame.config_type);
}

UncertaintyTable::Metrics UncertaintyTable::metrics(const Rows& rows, const BootstrapOptions& options) {
  return {uncertainty_metrics(rows.energy, options),
          uncertainty_metrics(rows.forces, options),
          uncertainty_metrics(rows.stress, options),
          uncertainty_metrics(rows.atoms, options),
          rows.vanishing_forces,
          rows.vanishing_stresses};
}

std::string UncertaintyTable::text(const std::string& calibration) const {
  const Metrics m = metrics(all_);
  std::string out = fmt::format("{:<18}{:>9}{:>20}{:>20}{:>20}{:>22}{:>13}\n", "error bars", "count", "ZMS (1)", "|z| < 1 (0.68)",
                                "|z| < 1.96 (0.95)", "NLL - constant's", "rho (ideal)");
  out += line("energy", m.energy) + line("force components", m.forces);
  if (m.atoms.count > 0)
    out += fmt::format("{:<18}{:>9}{}{:>62}{}\n", "forces of atoms", m.atoms.count, cell(m.atoms.zms, 2), "",
                       ranks(m.atoms.spearman, m.atoms.perfect_spearman));
  out += line("stress", m.stress);
  if (config_types_.size() > 1) {
    std::size_t width = 16;
    for (const auto& [name, rows] : config_types_) width = std::max(width, name.size() + 1);
    out += fmt::format("\n{:<{}}{:>24}{:>24}{:>24}\n", "ZMS / 68 % / 95 %", width + 2, "energy", "forces", "stress");
    for (const auto& [name, rows] : config_types_) {
      const Metrics own = metrics(rows, {.resamples = 0});
      out += fmt::format("{:<{}}{:>24}{:>24}{:>24}\n", name, width + 2, brief(own.energy), brief(own.forces), brief(own.stress));
    }
  }
  out += fmt::format("z: error / std, {}; ZMS: mean of z²; constant: the best single error bar; rho: of |error| and std; [95 % interval]\n",
                     calibration);
  if (m.vanishing_forces + m.vanishing_stresses > 0)
    out += fmt::format("without {} force and {} stress components that symmetry makes zero\n", m.vanishing_forces, m.vanishing_stresses);
  return out;
}

std::string UncertaintyTable::json() const {
  Json json = {{"all", to_json(metrics(all_))}, {"config_types", Json::object()}};
  for (const auto& [name, rows] : config_types_) json["config_types"][name] = to_json(metrics(rows));
  json["units"] = {{"energy", "meV/atom"}, {"forces", "eV/Å"}, {"atoms", "eV/Å"}, {"stress", "GPa"}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gapkit
