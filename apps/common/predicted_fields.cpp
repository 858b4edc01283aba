#include "predicted_fields.hpp"

#include <algorithm>
#include <array>
#include <gapkit/model/tensor_model.hpp>

namespace gapkit::apps {
namespace {

constexpr const char* not_finite_name = "not_finite";
constexpr std::array endings = {"", "_std", "_std_epistemic", "_per_atom_std", "_covariance", "_cov", "_samples"};
constexpr std::array tensor_endings = {"_std",       "_cov",           "_derivatives", "_norm",           "_norm_std",
                                       "_isotropic", "_isotropic_std", "_anisotropic", "_anisotropic_std"};
constexpr std::array other_names = {
    "calibration",         "novelty",       "shortest_distance_ratio", "local_energy", "local_energy_std_epistemic",
    "local_variance_quip", "extrapolation", "extrapolation_max"};

/// Stress and virial.
void set_tensors(Structure& frame, const Prediction& prediction, const std::string& prefix) {
  const double volume = frame.volume();
  if (!prediction.virial || !(volume > 0)) return;
  // ASE 3.22 reads no frame in which the key `stress` has six numbers.
  if (prefix.empty())
    frame.set_field("stress", as_list(Matrix3(*prediction.virial / -volume)));
  else
    frame.set_field(prefix + "stress", as_list(stress_of(*prediction.virial, volume)));
  frame.set_field(prefix + "virial", as_list(*prediction.virial));
  if (!prediction.virial_std) return;
  frame.set_field(prefix + "stress_std", as_list(Voigt(*prediction.virial_std / volume)));
  frame.set_field(prefix + "stress_std_epistemic", as_list(Voigt(*prediction.virial_std_epistemic / volume)));
  frame.set_field(prefix + "virial_std", as_list(*prediction.virial_std));
  frame.set_field(prefix + "virial_std_epistemic", as_list(*prediction.virial_std_epistemic));
}

/// A target of the frame with one component.
void set_number(Structure& frame, const Prediction& prediction, const TargetInfo& target, const std::string& name) {
  const std::vector<double> rows = prediction.rows(target.property);
  const std::span<const double> std = prediction.std_of(target.property), epistemic = prediction.epistemic_of(target.property);
  if (!rows.empty()) frame.set_field(name, rows.front());
  if (!std.empty()) frame.set_field(name + "_std", std.front());
  if (!epistemic.empty()) frame.set_field(name + "_std_epistemic", epistemic.front());
  if (!std.empty() && target.shown.normalisation == Normalisation::per_atom)
    frame.set_field(name + "_per_atom_std", std.front() / frame.size());
}

/// A target of the frame with several components.
void set_numbers(Structure& frame, const Prediction& prediction, const TargetInfo& target, const std::string& name) {
  const auto set = [&](const std::string& key, std::span<const double> rows) {
    if (!rows.empty()) frame.set_field(key, as_list(rows));
  };
  set(name, prediction.rows(target.property));
  set(name + "_std", prediction.std_of(target.property));
  set(name + "_std_epistemic", prediction.epistemic_of(target.property));
}

/// Targets of atoms.
void set_target_columns(Structure& frame, const Prediction& prediction, const std::string& prefix) {
  for (const TargetInfo& target : targets()) {
    if (!target.is_per_atom) continue;
    const std::string name = prefix + target.sources.front().name;
    const auto set = [&](const char* ending, std::span<const double> rows) {
      if (!rows.empty()) frame.set_column(name + ending, target.components, as_list(rows));
    };
    set("", prediction.rows(target.property));
    set("_std", prediction.std_of(target.property));
    set("_std_epistemic", prediction.epistemic_of(target.property));
  }
}

/// Local properties.
void set_properties(Structure& frame, const Prediction& prediction, const std::string& prefix) {
  for (const PropertyPrediction& property : prediction.properties) {
    const std::string name = prefix + property.name, total = name + "_total", dipole = name + "_dipole";
    frame.set_column(name, 1, as_list(property.values));
    if (property.std) frame.set_column(name + "_std", 1, as_list(*property.std));
    if (property.std_epistemic) frame.set_column(name + "_std_epistemic", 1, as_list(*property.std_epistemic));
    frame.set_field(total, property.total);
    if (property.total_std) frame.set_field(total + "_std", *property.total_std);
    if (property.total_std_epistemic) frame.set_field(total + "_std_epistemic", *property.total_std_epistemic);
    if (property.dipole) frame.set_field(dipole, as_list(*property.dipole));
    if (property.dipole_std) frame.set_field(dipole + "_std", as_list(*property.dipole_std));
    if (property.dipole_std_epistemic) frame.set_field(dipole + "_std_epistemic", as_list(*property.dipole_std_epistemic));
  }
}

/// Dipoles, polarisabilities, …
void set_fitted_tensors(Structure& frame, const Prediction& prediction, const std::string& prefix) {
  for (const TensorPrediction& tensor : prediction.tensors) {
    const std::string name = prefix + tensor.keys.name;
    const auto set = [&](const std::string& key, const Matrix& values) {
      if (tensor.keys.is_per_atom())
        frame.set_column(key, static_cast<int>(values.cols()), as_list(values));
      else if (values.size() == 1)
        frame.set_field(key, values(0, 0));
      else
        frame.set_field(key, as_list(values));
    };
    for (const char* ending : tensor_endings) {  // those of another model would be wrong
      std::erase_if(frame.fields, [&](const Field& f) { return f.key == name + ending; });
      std::erase_if(frame.columns, [&](const Column& column) { return column.name == name + ending; });
    }
    set(name, tensor.values);
    if (tensor.derivatives)
      frame.set_column(name + "_derivatives", static_cast<int>(tensor.derivatives->cols()), as_list(*tensor.derivatives));
    if (!tensor.covariance) continue;
    set(name + "_std", tensor.std());
    set(name + "_cov", *tensor.covariance);
    const std::vector<std::string> names = tensor.invariant_names();
    const Matrix invariants = tensor.invariants(), std = tensor.invariants_std();
    for (std::size_t k = 0; k < names.size(); ++k) {
      set(name + "_" + names[k], invariants.col(static_cast<Eigen::Index>(k)));
      set(name + "_" + names[k] + "_std", std.col(static_cast<Eigen::Index>(k)));
    }
  }
}

}  // namespace

void set_predicted_fields(Structure& frame, const Prediction& prediction, const std::string& calibration, const std::string& prefix) {
  std::erase_if(frame.fields, [&](const Field& f) { return f.key == prefix + not_finite_name; });
  for (const TargetInfo& target : targets()) {
    const std::string name = prefix + target.sources.front().name;
    if (target.property == Property::virial)
      set_tensors(frame, prediction, prefix);
    else if (target.is_single())
      set_number(frame, prediction, target, name);
    else if (!target.is_per_atom)
      set_numbers(frame, prediction, target, name);
  }
  if (!calibration.empty()) frame.set_field(prefix + "calibration", calibration);
  if (prediction.novelty) frame.set_field(prefix + "novelty", *prediction.novelty);
  const std::string closest = prefix + "shortest_distance_ratio";
  if (prediction.closeness.ratio)
    frame.set_field(closest, *prediction.closeness.ratio);
  else
    std::erase_if(frame.fields, [&](const Field& f) { return f.key == closest; });  // the value of another model would be wrong
  frame.set_column(prefix + "local_energy", 1, as_list(prediction.local_energy));
  if (prediction.local_energy_std_epistemic)
    frame.set_column(prefix + "local_energy_std_epistemic", 1, as_list(*prediction.local_energy_std_epistemic));
  if (prediction.extrapolation) {
    frame.set_column(prefix + "extrapolation", 1, as_list(*prediction.extrapolation));
    frame.set_field(prefix + "extrapolation_max", prediction.extrapolation->maxCoeff());
  }
  if (prediction.local_quip_variance) frame.set_column(prefix + "local_variance_quip", 1, as_list(*prediction.local_quip_variance));
  set_target_columns(frame, prediction, prefix);
  set_properties(frame, prediction, prefix);
  set_fitted_tensors(frame, prediction, prefix);
  if (prediction.forces_covariance) frame.set_column(prefix + "forces_covariance", 6, as_list(*prediction.forces_covariance));
}

void set_not_finite(Structure& frame, const Model& model, const std::string& prefix) {
  const auto is_predicted = [&](const std::string& name) {
    const auto is = [&](const std::string& known) { return name == prefix + known; };
    const auto is_one_of = [&](const std::string& beginning) {
      return std::any_of(endings.begin(), endings.end(), [&](const char* ending) { return is(beginning + ending); });
    };
    const auto is_of = [&](const TargetSource& source) { return is_one_of(source.name); };
    const auto is_property = [&](const FittedProperty& property) {
      const std::string& beginning = property.keys.name;
      return is_one_of(beginning) || is_one_of(beginning + "_total") || is_one_of(beginning + "_dipole");
    };
    const auto is_tensor = [&](const TensorKeys& keys) {
      const auto has = [&](const char* ending) { return is(keys.name + ending); };
      return is_one_of(keys.name) || std::any_of(tensor_endings.begin(), tensor_endings.end(), has);
    };
    for (const TensorKeys& keys : tensor_keys(model))
      if (is_tensor(keys)) return true;
    if (std::any_of(model.properties.begin(), model.properties.end(), is_property)) return true;
    return std::any_of(other_names.begin(), other_names.end(), is) || std::any_of(target_sources().begin(), target_sources().end(), is_of);
  };
  std::erase_if(frame.fields, [&](const Field& f) { return is_predicted(f.key); });
  std::erase_if(frame.columns, [&](const auto& c) { return is_predicted(c.name); });
  frame.set_field(prefix + not_finite_name, true);
}

}  // namespace gapkit::apps
