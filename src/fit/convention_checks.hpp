#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Finds labels with wrong units or conventions in a sample of the training frames, with the fitted model and its statistics (methods.md,
/// section 4).
///
/// Energies, forces and virials determine each other: the statistics without the rows of a property give a model that predicts it from the
/// others. If the labels agree with these predictions only after a usual mistake has been undone, this mistake is named. Fills
/// report.agreement, and adds warnings to report.findings. Cost: two solutions, M³/3 flop each, and three predictions of the sample.
/// Memory: M² numbers, and a copy of the sums if they are in folds.
void check_conventions(const Model& model, const StoredStatistics& stored, const std::vector<Structure>& sample, FitReport& report,
                       const ProgressCallback& progress = {});

}  // namespace gapkit
