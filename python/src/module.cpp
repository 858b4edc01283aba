#include <gapkit/core/errors.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "bindings.hpp"
#include "potentials.hpp"

namespace {

void set_threads(int threads) {
  if (threads < 1) throw gapkit::InputError("threads is " + std::to_string(threads) + ", expected 1 or more");
  gapkit::set_thread_count(threads);
}

}  // namespace

PYBIND11_MODULE(_gapkit, module) {
  module.doc() = "C++ part of the package gapkit; see there.";
  module.attr("version") = gapkit::version;
  gapkit::python::add_exceptions(module);
  gapkit::python::add_structure(module);
  gapkit::python::add_model(module);
  gapkit::python::add_evaluator(module);
  gapkit::python::add_fit(module);
  gapkit::python::add_update(module);
  gapkit::python::add_comparison(module);
  gapkit::python::add_active(module);
  gapkit::python::add_potentials(module);
  gapkit::python::add_file_converter();
  module.def("set_threads", &set_threads, pybind11::arg("threads"));
  module.def("threads", &gapkit::thread_count);
  module.def("blas_description", &gapkit::blas_description);
}
