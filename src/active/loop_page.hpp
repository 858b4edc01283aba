#pragma once

#include "active/loop_folder.hpp"

namespace gapkit {

/// The course of a loop as a self-contained HTML page: errors, error bars and threshold, labels and sparse points, temperatures, seconds,
/// and every labelled structure with the reason why it was chosen.
std::string loop_page(const LoopOptions& options, const std::vector<RoundSummary>& rounds, const std::vector<Structure>& labelled,
                      const std::string& state);

}  // namespace gapkit
