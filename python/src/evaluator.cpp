#include <gapkit/core/errors.hpp>
#include <gapkit/core/kept_neighbors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/predict/frame_batch.hpp>
#include <gapkit/predict/predictor.hpp>
#include <mutex>

#include "bindings.hpp"

namespace gapkit::python {
namespace {

constexpr double widest_skin = 10;  // Å; beyond that a list is much larger than what it saves

/// A model made ready, with neighbours kept from call to call. Calls from several threads run one after the other.
class Evaluator {
 public:
  Evaluator(const PythonModel& model, double skin, int error_bar_points) : skin_(skin) {
    if (!(skin >= 0 && skin <= widest_skin))
      throw InputError("the skin is " + std::to_string(skin) + " Å, expected 0 … " + std::to_string(static_cast<int>(widest_skin)) + " Å");
    if (error_bar_points < 0) throw InputError("std_points is " + std::to_string(error_bar_points) + ", expected 0 (all) or more");
    predictor_ = std::make_unique<Predictor>(model.model, error_bar_points);
  }

  py::dict evaluate(const Structure& structure, const PredictionRequest& request) {
    Prediction prediction;
    {
      const py::gil_scoped_release without_gil;
      const std::lock_guard lock(mutex_);
      const Environments& environments = neighbors_.update(structure, predictor_->model().cutoff(), skin_);
      const Stopwatch stopwatch;
      prediction = predictor_->compute(structure, environments, request);
      seconds_ = stopwatch.seconds();
    }
    return dict_of(structure, prediction);
  }

  // As many at once as make the matrix products fast.
  py::list evaluate_many(const std::vector<Structure>& structures, const PredictionRequest& request) {
    std::vector<Prediction> predictions;
    {
      const py::gil_scoped_release without_gil;
      const std::lock_guard lock(mutex_);
      const auto keep = [&](const Structure&, const Prediction& prediction) { predictions.push_back(prediction); };
      FrameBatch batch(*predictor_, request, keep);
      for (const Structure& structure : structures) batch.add(structure);
      batch.flush();
    }
    py::list result;
    for (std::size_t i = 0; i < predictions.size(); ++i) result.append(dict_of(structures[i], predictions[i]));
    return result;
  }

  std::size_t lists_made() const { return neighbors_.lists_made(); }
  double seconds() const { return seconds_; }

 private:
  py::dict dict_of(const Structure& structure, const Prediction& p) const;

  std::mutex mutex_;
  double skin_;
  double seconds_ = 0;
  std::unique_ptr<Predictor> predictor_;
  KeptNeighbors neighbors_;
};

// {name: array or number} of local properties, and the same of their error bars
void put_properties(py::dict& d, const std::vector<PropertyPrediction>& properties) {
  const auto of = [&](const char* name) {
    if (!d.contains(name)) d[name] = py::dict();
    return d[name].cast<py::dict>();
  };
  const auto put = [&](const char* name, const std::string& property, const auto& values) {
    if (values) of(name)[py::str(property)] = array_of(values->data(), values->size());
  };
  const auto put_number = [&](const char* name, const std::string& property, const std::optional<double>& value) {
    if (value) of(name)[py::str(property)] = *value;
  };
  for (const PropertyPrediction& p : properties) {
    put("properties", p.name, std::optional(p.values));
    put("properties_std", p.name, p.std);
    put("properties_std_epistemic", p.name, p.std_epistemic);
    put_number("property_totals", p.name, p.total);
    put_number("property_totals_std", p.name, p.total_std);
    put("property_dipoles", p.name, p.dipole);
    put("property_dipoles_std", p.name, p.dipole_std);
  }
}

// Array of the given shape behind the first index, which sums and means do not have.
py::object tensor_array(const Matrix& rows, std::vector<py::ssize_t> shape, bool has_rows) {
  if (has_rows) shape.insert(shape.begin(), rows.rows());
  if (shape.empty()) return py::float_(rows(0, 0));
  return py::array_t<double>(shape, rows.data());
}

// {name: array or number} of tensors
void put_tensors(py::dict& d, const std::vector<TensorPrediction>& tensors) {
  const auto put = [&](const char* name, const TensorPrediction& tensor, const py::object& values) {
    if (!d.contains(name)) d[name] = py::dict();
    d[name].cast<py::dict>()[py::str(tensor.keys.name)] = values;
  };
  for (const TensorPrediction& t : tensors) {
    const bool has_rows = t.keys.is_per_atom();
    std::vector<py::ssize_t> shape;
    if (t.keys.kind == "vector") shape = {3};
    if (t.keys.kind == "symmetric") shape = {3, 3};
    put("tensors", t, tensor_array(t.values, shape, has_rows));
    if (t.derivatives) {
      std::vector<py::ssize_t> with_direction = shape;
      with_direction.insert(with_direction.begin(), 3);
      put("tensors_derivatives", t, tensor_array(*t.derivatives, with_direction, true));
    }
    if (!t.covariance) continue;
    const py::ssize_t size = t.covariance_size();
    put("tensors_covariance", t, tensor_array(*t.covariance, size == 1 ? std::vector<py::ssize_t>() : std::vector{size, size}, has_rows));
    put("tensors_std", t, tensor_array(t.std(), size == 1 ? std::vector<py::ssize_t>() : std::vector{size}, has_rows));
  }
}

py::dict Evaluator::dict_of(const Structure& structure, const Prediction& p) const {
  py::dict d;
  d["energy"] = p.energy;
  d["energies"] = array_of(p.local_energy.data(), p.local_energy.size());
  const auto put = [&](const char* name, const std::optional<Positions>& rows) {
    if (rows) d[name] = array_of(rows->data(), rows->rows(), 3);
  };
  put("forces", p.forces);
  const double volume = structure.volume();
  if (p.virial) d["virial"] = array_of(p.virial->data(), 3, 3);
  if (p.virial && volume > 0) d["stress"] = array_of(stress_of(*p.virial, volume).data(), 6);
  if (p.energy_std) d["energy_std"] = *p.energy_std;
  if (p.energy_std_epistemic) d["energy_std_epistemic"] = *p.energy_std_epistemic;
  put("forces_std", p.forces_std);
  put("forces_std_epistemic", p.forces_std_epistemic);
  if (p.forces_covariance) d["forces_covariance"] = array_of(p.forces_covariance->data(), p.forces_covariance->rows(), 6);
  const auto put_stress = [&](const char* name, const std::optional<Voigt>& virial) {
    if (virial && volume > 0) d[name] = array_of(Voigt(*virial / volume).data(), 6);
  };
  put_stress("stress_std", p.virial_std);
  put_stress("stress_std_epistemic", p.virial_std_epistemic);
  if (p.local_energy_std_epistemic)
    d["energies_std"] = array_of(p.local_energy_std_epistemic->data(), p.local_energy_std_epistemic->size());
  if (p.local_quip_variance) d["energies_variance_quip"] = array_of(p.local_quip_variance->data(), p.local_quip_variance->size());
  if (p.extrapolation) d["extrapolation"] = array_of(p.extrapolation->data(), p.extrapolation->size());
  if (p.novelty) d["novelty"] = *p.novelty;
  if (p.closeness.ratio) d["shortest_distance_ratio"] = *p.closeness.ratio;
  if (p.closeness.too_close) d["too_close"] = p.closeness.too_close->text();
  if (!p.properties.empty()) put_properties(d, p.properties);
  put_tensors(d, p.tensors);
  if (!p.unsampled_terms.empty()) {
    std::vector<std::string> names;
    for (const std::size_t t : p.unsampled_terms) {
      const Term& term = predictor_->model().terms[t];
      names.push_back(term.descriptor_name + " " + combination_name(term.species));
    }
    d["unsampled_terms"] = names;
  }
  return d;
}

}  // namespace

void add_evaluator(py::module_& module) {
  py::class_<PredictionRequest>(module, "Request")
      .def(py::init<>())
      .def_readwrite("forces", &PredictionRequest::forces)
      .def_readwrite("energy_std", &PredictionRequest::energy_std)
      .def_readwrite("energies_std", &PredictionRequest::local_std)
      .def_readwrite("forces_std", &PredictionRequest::force_std)
      .def_readwrite("stress_std", &PredictionRequest::stress_std)
      .def_readwrite("forces_covariance", &PredictionRequest::force_covariance)
      .def_readwrite("extrapolation", &PredictionRequest::extrapolation)
      .def_readwrite("properties", &PredictionRequest::properties)
      .def_readwrite("properties_std", &PredictionRequest::property_std)
      .def_readwrite("tensors", &PredictionRequest::tensors)
      .def_readwrite("tensors_covariance", &PredictionRequest::tensor_covariance)
      .def_readwrite("tensors_derivatives", &PredictionRequest::tensor_derivatives)
      .def_readwrite("calibrated", &PredictionRequest::calibrated)
      .def_readwrite("single_precision", &PredictionRequest::single_precision);
  py::class_<Evaluator>(module, "Evaluator")
      .def(py::init<const PythonModel&, double, int>(), py::arg("model"), py::arg("skin") = KeptNeighbors::usual_skin,
           py::arg("std_points") = 0)
      .def("evaluate", &Evaluator::evaluate, py::arg("structure"), py::arg("request"))
      .def("evaluate_many", &Evaluator::evaluate_many, py::arg("structures"), py::arg("request"))
      .def_property_readonly("lists_made", &Evaluator::lists_made)
      .def_property_readonly("seconds", &Evaluator::seconds);
}

}  // namespace gapkit::python
