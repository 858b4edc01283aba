#include "potentials.hpp"

#include <gapkit/potentials/potential.hpp>

namespace gapkit::python {
namespace {

Parameters parameters_of(const py::dict& values) {
  Parameters parameters;
  for (const auto& [key, value] : values) {
    const std::string name = py::str(key);
    if (py::isinstance<py::bool_>(value))
      parameters.set(name, value.cast<bool>());
    else if (py::isinstance<py::int_>(value))
      parameters.set(name, value.cast<std::int64_t>());
    else if (py::isinstance<py::float_>(value))
      parameters.set(name, value.cast<double>());
    else
      parameters.set(name, py::str(value).cast<std::string>());
  }
  return parameters;
}

py::dict evaluate_potential(const Structure& structure, const std::string& kind, const py::dict& values) {
  const PotentialPointer potential = make_potential(kind, parameters_of(values));
  Evaluation result;
  {
    const py::gil_scoped_release free;
    result = evaluate(*potential, structure);
  }
  py::dict d;
  d["energy"] = result.energy;
  d["forces"] = array_of(result.forces.data(), result.forces.rows(), 3);
  d["virial"] = array_of(result.virial.data(), 3, 3);
  return d;
}

}  // namespace

void add_potentials(py::module_& module) {
  module.def("evaluate_potential", &evaluate_potential, py::arg("structure"), py::arg("kind"), py::arg("parameters"));
}

}  // namespace gapkit::python
