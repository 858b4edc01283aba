#include <gapkit/core/errors.hpp>

#include "bindings.hpp"

namespace gapkit::python {
namespace {

// Live as long as the module, which Python never unloads.
PyObject* error = nullptr;
PyObject* input_error = nullptr;
PyObject* numerical_error = nullptr;

PyObject* add_exception(py::module_& module, const char* name, const char* text, const py::tuple& bases) {
  PyObject* type = PyErr_NewExceptionWithDoc((std::string("gapkit.") + name).c_str(), text, bases.ptr(), nullptr);
  if (type == nullptr) throw py::error_already_set();
  module.attr(name) = py::reinterpret_borrow<py::object>(type);
  return type;
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const InputError& e) {
    PyErr_SetString(input_error, e.what());
  } catch (const NumericalError& e) {
    PyErr_SetString(numerical_error, e.what());
  } catch (const Error& e) {
    PyErr_SetString(error, e.what());
  }
}

}  // namespace

void add_exceptions(py::module_& module) {
  const auto builtin = [](PyObject* type) { return py::reinterpret_borrow<py::object>(type); };
  error = add_exception(module, "Error", "Root of the errors that gapkit raises; the text is one sentence.",
                        py::make_tuple(builtin(PyExc_Exception)));
  input_error = add_exception(module, "InputError", "A file, value or option of the user is at fault: what, where, and what to do.",
                              py::make_tuple(builtin(error), builtin(PyExc_ValueError)));
  numerical_error = add_exception(module, "NumericalError", "A computation gave NaN or infinity, or a factorisation broke down.",
                                  py::make_tuple(builtin(error), builtin(PyExc_ArithmeticError)));
  py::register_exception_translator(&translate);
}

}  // namespace gapkit::python
