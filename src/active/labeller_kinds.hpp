#pragma once

#include <gapkit/active/labeller.hpp>

namespace gapkit {

std::unique_ptr<Labeller> make_potential_labeller(const std::string& kind, const LabellerOptions& options);
std::unique_ptr<Labeller> make_command_labeller(const LabellerOptions& options);
std::unique_ptr<Labeller> make_ase_labeller(const LabellerOptions& options);
std::unique_ptr<Labeller> make_batch_labeller(const LabellerOptions& options);
std::unique_ptr<Labeller> make_given_labeller(const LabellerOptions& options);

}  // namespace gapkit
