#include <gapkit/core/errors.hpp>

#include "bindings.hpp"
#include "io/file_converter.hpp"

namespace gapkit::python {

void add_file_converter() {
  set_file_converter([](const std::filesystem::path& file, const std::string& format) -> std::filesystem::path {
    const py::gil_scoped_acquire with_gil;
    try {
      return py::module_::import("gapkit._ase_files").attr("converted")(file.string(), format).cast<std::string>();
    } catch (const py::error_already_set& e) {
      if (!e.matches(py::module_::import("gapkit._gapkit").attr("InputError"))) throw;
      throw InputError(py::str(e.value()));
    }
  });
}

}  // namespace gapkit::python
