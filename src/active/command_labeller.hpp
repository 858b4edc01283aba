#pragma once

#include <gapkit/active/labeller.hpp>

namespace gapkit {

/// Labels with `options.command`, its program found already; `kind` is the name it goes by.
std::unique_ptr<Labeller> make_program_labeller(const std::string& kind, const LabellerOptions& options);

}  // namespace gapkit
