#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// s · usual |x|² of `ntk` and `nngp` on symmetry functions where data do not choose it.
inline constexpr double usual_input_scale = 0.1;

/// Whether the training data choose the input scale of a network's kernel: on symmetry functions, if the configuration does not give it.
bool has_free_input_scale(const TermOptions& term);

/// Chooses the free input scales of options.terms, in place: for one term after the other that with the smallest errors of left-out folds
/// of a sample, in steps of about three (methods.md, section 4). `reference_energies`: eV, of the training data. Cost: seven fits to the
/// sample for each term.
void choose_input_scales(const Dataset& training, const std::map<int, double>& reference_energies, FitOptions& options,
                         const ProgressCallback& progress);

}  // namespace gapkit
