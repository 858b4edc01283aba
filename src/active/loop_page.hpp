#pragma once

#include "active/loop_folder.hpp"
#include "active/proposal_file.hpp"

namespace gapkit {

/// The course of a loop as a self-contained HTML page: errors, error bars and threshold, labels and sparse points, temperatures, seconds,
/// and every labelled structure with the reason for its choice.
std::string loop_page(const LoopOptions& options, const std::vector<RoundSummary>& rounds, const std::vector<ChosenProposal>& labelled,
                      const std::string& state);

}  // namespace gapkit
