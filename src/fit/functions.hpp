#pragma once

#include <gapkit/descriptors/symmetry_functions.hpp>

#include "fit/data_scan.hpp"

namespace gapkit {

/// Chooses the functions of all drafts that select and scale them by training data, and replaces their descriptors. One pass over a sample
/// of the frames, the same as for channels. Says which functions are dropped. Throws InputError if no function of a draft is left.
void choose_functions(const Dataset& training, const FitOptions& options, DataScan& scan, const ProgressCallback& progress);

/// Values of functions over the training environments of a draft.
struct FunctionValues {
  std::vector<SymmetryFunction> functions;
  Matrix values;  ///< [E, D]
};

struct FunctionChoice {
  FunctionSet set;
  std::vector<SymmetryFunction> without_range;  ///< dropped for it
  int unselected = 0;
};

/// Drops functions whose range is below `least_range`, or that have one value only, and keeps at most `most` (0: all) of the others by
/// pivoted Cholesky of the covariance of the scaled values; in their order.
FunctionChoice choice_of(const FunctionValues& all, const ChosenFunctions& descriptor, double least_range, int most);

/// Throws InputError if a list names an element that the data lack, or has no function of a centre.
void check_functions(const TermOptions& term, const Descriptor& descriptor, const std::vector<int>& elements);

}  // namespace gapkit
