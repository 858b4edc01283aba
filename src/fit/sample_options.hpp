#pragma once

#include <gapkit/fit/sample_errors.hpp>

namespace gapkit {

/// Whether a term names environments by their numbers, which a part of the data does not have.
bool names_environments(const FitOptions& options);

/// Options of a fit to a sample of the data, at the σ and δ of the given ones, with at most this number of sparse points of each term.
FitOptions options_of_sample(const FitOptions& given, int most_points = most_points_of_sample);

/// The search for σ and δ by evidence in a sample.
OptimizeOptions search_of_sample(const FitOptions& given);

}  // namespace gapkit
