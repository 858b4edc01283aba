#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/model/model_file.hpp>
#include <gapkit/model/relative_novelty.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/report/target_keys_note.hpp>

#include "bindings.hpp"

namespace gapkit::python {
namespace {

bool has_statistics(const std::string& path) {
  return open_model(path).has("statistics/fingerprint");
}

PythonModel load(const std::string& path, bool with_statistics) {
  PythonModel result;
  const py::gil_scoped_release without_gil;
  result.model = std::make_shared<const Model>(load_any_model(path, [&](const std::string& text) { result.messages.push_back(text); }));
  if (with_statistics && !is_xml(path) && has_statistics(path))
    result.statistics = std::make_shared<const StoredStatistics>(load_statistics(path, *result.model));
  return result;
}

void save(const PythonModel& self, const std::string& path) {
  const py::gil_scoped_release without_gil;
  if (self.statistics)
    save_model(*self.model, *self.statistics, path);
  else
    save_model(*self.model, path);
}

const char* name_of(Property property) {
  return property_name(property);
}

// {property: {config type: {"a", "b", "rows", "structures"}}}; None if the model has no calibration
py::object calibration(const PythonModel& self) {
  if (!self.model->calibration) return py::none();
  py::dict result;
  for (const CalibrationFactors& f : self.model->calibration->factors) {
    if (f.element != 0 || f.points != 0) continue;  // variants of the others
    const py::str property = name_of(f.property);
    if (!result.contains(property)) result[property] = py::dict();
    py::dict factors;
    factors["a"] = f.a;
    factors["b"] = f.b;
    factors["rows"] = f.rows;
    factors["structures"] = f.structures;
    result[property][py::str(f.config_class)] = factors;
  }
  return result;
}

std::map<std::string, double> reference_energies(const PythonModel& self) {
  std::map<std::string, double> result;
  for (const auto& [element, energy] : self.model->reference_energies) result[element_symbol(element)] = energy;
  return result;
}

py::object extrapolation_thresholds(const PythonModel& self) {
  if (!self.model->has_extrapolation()) return py::none();
  py::dict result;
  const auto of = [](double value) { return value < no_threshold ? py::object(py::float_(value)) : py::none(); };
  for (const ExtrapolationThreshold& t : self.model->calibration->extrapolation)
    result[py::str(element_symbol(t.element))] = py::dict(py::arg("novelty") = t.novelty, py::arg("std") = of(t.std),
                                                          py::arg("full_novelty") = of(t.full_novelty), py::arg("atoms") = t.atoms);
  return result;
}

std::vector<std::string> elements(const PythonModel& self) {
  std::vector<std::string> result;
  for (const auto& [element, energy] : self.model->reference_energies) result.push_back(element_symbol(element));
  return result;
}

// Columns and keys of structures that long-range parts read (charges, volumes, total charge).
std::vector<std::string> inputs(const PythonModel& self) {
  std::vector<std::string> names;
  for (const PotentialPointer& part : self.model->baselines) {
    const Parameters& parameters = part->parameters();
    for (const char* key : {"charges", "volumes"})
      if (parameters.has(key) && parameters.text(key) == "given") names.push_back(parameters.text("column"));
  }
  for (const std::string& key : total_keys(self.model->baselines)) names.push_back(key);
  const auto needs_charge = [](const auto& tensor) { return tensor->keys.kind == "vector"; };
  if (std::any_of(self.model->tensors.begin(), self.model->tensors.end(), needs_charge)) {
    names.emplace_back("total_charge");
    names.emplace_back("charge");
  }
  return names;
}

TargetKeys target_keys(const PythonModel& self) {
  const auto note = self.model->notes.find(target_keys_note);
  TargetKeys keys = note == self.model->notes.end() ? TargetKeys() : target_keys_from_json(note->second);
  keys.base = self.model->base;
  return keys;
}

// {name: (unit, column, total, dipole)}
std::map<std::string, std::vector<std::string>> properties(const PythonModel& self) {
  std::map<std::string, std::vector<std::string>> result;
  for (const FittedProperty& property : self.model->properties)
    result[property.keys.name] = {property.keys.unit, property.keys.column, property.keys.total, property.keys.dipole};
  return result;
}

// {name: (units, kind, target)}
std::map<std::string, std::vector<std::string>> tensors(const PythonModel& self) {
  std::map<std::string, std::vector<std::string>> result;
  for (const TensorKeys& keys : tensor_keys(*self.model)) result[keys.name] = {keys.units, keys.kind, keys.target};
  return result;
}

int sparse_points(const PythonModel& self) {
  int sum = 0;
  for (const Term& term : self.model->terms) sum += static_cast<int>(term.sparse.size());
  return sum;
}

}  // namespace

void add_model(py::module_& module) {
  py::class_<PythonModel>(module, "Model")
      .def_static("load", &load, py::arg("path"), py::arg("statistics"))
      .def("save", &save, py::arg("path"))
      .def_property_readonly("elements", &elements)
      .def_property_readonly("reference_energies", &reference_energies)
      .def_property_readonly("cutoff", [](const PythonModel& self) { return self.model->cutoff(); })
      .def_property_readonly("has_error_bars", [](const PythonModel& self) { return self.model->has_posterior(); })
      .def_property_readonly("quick_points", [](const PythonModel& self) { return quick_points(*self.model); })
      .def_property_readonly("calibration", &calibration)
      .def_property_readonly("extrapolation_thresholds", &extrapolation_thresholds)
      .def_property_readonly("inputs", &inputs)
      .def_property_readonly("target_keys", &target_keys)
      .def_property_readonly("has_statistics", [](const PythonModel& self) { return self.statistics != nullptr; })
      .def_property_readonly("properties", &properties)
      .def_property_readonly("tensors", &tensors)
      .def_property_readonly("sparse_points", &sparse_points)
      .def_property_readonly("weights",
                             [](const PythonModel& self) { return array_of(self.model->weights.data(), self.model->weights.size()); })
      .def_property_readonly("configuration", [](const PythonModel& self) { return self.model->configuration; })
      .def_property_readonly("seed", [](const PythonModel& self) { return self.model->seed; })
      .def_property_readonly("notes", [](const PythonModel& self) { return self.model->notes; })
      .def_readonly("messages", &PythonModel::messages)
      .def_property_readonly("term_names", [](const PythonModel& self) {
        std::vector<std::string> names;
        for (const Term& term : self.model->terms) names.push_back(term.descriptor_name + " " + combination_name(term.species));
        return names;
      });
}

}  // namespace gapkit::python
