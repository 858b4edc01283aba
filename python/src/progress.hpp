#pragma once

#include <exception>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/progress.hpp>

#include "bindings.hpp"

namespace gapkit::python {

/// Runs `action` with a progress callback that calls the Python function report(phase, done, total, unit, message, is_warning), without the
/// GIL in between. What the function raises, and Ctrl-C, ends the action at the next step and is raised then.
template <class Action>
auto with_progress(const py::function& report, Action&& action) {
  std::exception_ptr raised;
  const ProgressCallback callback = [&](const ProgressEvent& event) {
    const py::gil_scoped_acquire with_gil;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      report(event.phase, event.done, event.total, event.unit, event.message, event.is_warning);
    } catch (const py::error_already_set&) {
      raised = std::current_exception();
      throw Interrupted("stopped");
    }
  };
  try {
    const py::gil_scoped_release without_gil;
    return action(callback);
  } catch (const Interrupted&) {
    if (!raised) throw;
  }
  std::rethrow_exception(raised);
}

}  // namespace gapkit::python
