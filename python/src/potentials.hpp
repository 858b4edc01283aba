#pragma once

#include "bindings.hpp"

namespace gapkit::python {

void add_potentials(py::module_& module);

}  // namespace gapkit::python
