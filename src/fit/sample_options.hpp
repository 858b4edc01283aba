#pragma once

#include <gapkit/fit/options.hpp>

namespace gapkit {

/// Whether a term names environments by their numbers, which a part of the data does not have.
bool names_environments(const FitOptions& options);

/// Options of a fit to a sample of the data, at the σ and δ of the given ones, with at most 300 sparse points of each term.
FitOptions options_of_sample(const FitOptions& given);

/// The search for σ and δ by evidence in a sample.
OptimizeOptions search_of_sample(const FitOptions& given);

}  // namespace gapkit
