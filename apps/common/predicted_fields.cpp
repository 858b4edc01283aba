#include "predicted_fields.hpp"

#include <algorithm>
#include <array>

namespace gapkit::apps {
namespace {

constexpr const char* not_finite_name = "not_finite";

constexpr std::array field_names = {"energy",
                                    "energy_std",
                                    "energy_std_epistemic",
                                    "energy_per_atom_std",
                                    "energy_samples",
                                    "stress",
                                    "stress_std",
                                    "stress_std_epistemic",
                                    "virial",
                                    "virial_std",
                                    "virial_std_epistemic",
                                    "calibration",
                                    "novelty",
                                    "shortest_distance_ratio"};
constexpr std::array column_names = {"local_energy", "local_energy_std_epistemic", "local_variance_quip", "forces",
                                     "forces_std",   "forces_std_epistemic",       "forces_samples"};

}  // namespace

void set_predicted_fields(Structure& frame, const Prediction& prediction, const std::optional<Voigt>& stress,
                          const std::string& calibration, const std::string& prefix) {
  std::erase_if(frame.fields, [&](const Field& f) { return f.key == prefix + not_finite_name; });
  frame.set_field(prefix + "energy", prediction.energy);
  if (prediction.energy_std) frame.set_field(prefix + "energy_std", *prediction.energy_std);
  if (prediction.energy_std_epistemic) frame.set_field(prefix + "energy_std_epistemic", *prediction.energy_std_epistemic);
  if (prediction.energy_std) frame.set_field(prefix + "energy_per_atom_std", *prediction.energy_std / frame.size());
  if (stress) {
    // ASE 3.22 reads no frame in which the key `stress` has six numbers.
    if (prefix.empty())
      frame.set_field("stress", as_list(Matrix3(*prediction.virial / -frame.volume())));
    else
      frame.set_field(prefix + "stress", as_list(*stress));
    frame.set_field(prefix + "virial", as_list(*prediction.virial));
    if (prediction.virial_std) {
      const double volume = frame.volume();
      frame.set_field(prefix + "stress_std", as_list(Voigt(*prediction.virial_std / volume)));
      frame.set_field(prefix + "stress_std_epistemic", as_list(Voigt(*prediction.virial_std_epistemic / volume)));
      frame.set_field(prefix + "virial_std", as_list(*prediction.virial_std));
      frame.set_field(prefix + "virial_std_epistemic", as_list(*prediction.virial_std_epistemic));
    }
  }
  if (!calibration.empty()) frame.set_field(prefix + "calibration", calibration);
  if (prediction.novelty) frame.set_field(prefix + "novelty", *prediction.novelty);
  const std::string closest = prefix + "shortest_distance_ratio";
  if (prediction.closeness.ratio)
    frame.set_field(closest, *prediction.closeness.ratio);
  else
    std::erase_if(frame.fields, [&](const Field& f) { return f.key == closest; });  // that of another model would be wrong
  frame.set_column(prefix + "local_energy", 1, as_list(prediction.local_energy));
  if (prediction.local_energy_std_epistemic)
    frame.set_column(prefix + "local_energy_std_epistemic", 1, as_list(*prediction.local_energy_std_epistemic));
  if (prediction.local_quip_variance) frame.set_column(prefix + "local_variance_quip", 1, as_list(*prediction.local_quip_variance));
  if (prediction.forces) frame.set_column(prefix + "forces", 3, as_list(*prediction.forces));
  if (prediction.forces_std) frame.set_column(prefix + "forces_std", 3, as_list(*prediction.forces_std));
  if (prediction.forces_std_epistemic) frame.set_column(prefix + "forces_std_epistemic", 3, as_list(*prediction.forces_std_epistemic));
}

void set_not_finite(Structure& frame, const std::string& prefix) {
  const auto is_one_of = [&](const auto& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](const char* known) { return name == prefix + known; });
  };
  std::erase_if(frame.fields, [&](const Field& f) { return is_one_of(field_names, f.key); });
  std::erase_if(frame.columns, [&](const auto& c) { return is_one_of(column_names, c.name); });
  frame.set_field(prefix + not_finite_name, true);
}

}  // namespace gapkit::apps
