#pragma once

#include <gapkit/active/labeller.hpp>

namespace gapkit {

/// Labels with `options.command`, which starts with the path of the program; `kind` is the name of the labeller.
std::unique_ptr<Labeller> make_program_labeller(const std::string& kind, const LabellerOptions& options);

}  // namespace gapkit
