#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <gapkit/model/stored_statistics.hpp>
#include <memory>

/// The extension module gapkit._gapkit: thin bindings, no computation of their own. The package python/gapkit is what users see.
namespace gapkit::python {

namespace py = pybind11;

/// A model as Python holds it. Models never change, so copies share them.
struct PythonModel {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const StoredStatistics> statistics;  ///< of a fit that keeps them, else null
  std::vector<std::string> messages;                   ///< about the conversion of a GAP potential
};

/// n × columns numbers as an array; [n] if columns is 0.
inline py::array_t<double> array_of(const double* values, Eigen::Index rows, Eigen::Index columns = 0) {
  if (columns == 0) return py::array_t<double>(rows, values);
  return py::array_t<double>({rows, columns}, values);
}

void add_exceptions(py::module_& module);
void add_structure(py::module_& module);
void add_model(py::module_& module);
void add_evaluator(py::module_& module);
void add_fit(py::module_& module);
void add_update(py::module_& module);
void add_comparison(py::module_& module);
void add_active(py::module_& module);
void add_file_converter();

}  // namespace gapkit::python
