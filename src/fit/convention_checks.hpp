#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Looks for labels with wrong units or conventions, by what a fitted model and its statistics say about a sample of the training frames
/// (methods.md, section 4).
///
/// Energies, forces and virials say the same in different ways: the statistics without the rows of a property give a model that predicts
/// it from the others. Where these predictions do not agree with the labels as they are, but do after a usual mistake has been undone, the
/// mistake is named. Fills report.agreement, and adds warnings to report.findings.
/// Cost: two solutions, M³/3 flop each, and three predictions of the sample. Memory: M² numbers, and a copy of the sums if they are in
/// folds.
void check_conventions(const Model& model, const StoredStatistics& stored, const std::vector<Structure>& sample, FitReport& report,
                       const ProgressCallback& progress = {});

}  // namespace gapkit
