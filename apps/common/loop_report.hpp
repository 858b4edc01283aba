#pragma once

#include <gapkit/active/loop.hpp>

namespace gapkit::apps {

/// The heading of the table of rounds: two lines, names and units.
std::string loop_heading(const LoopOptions& options);
/// One line of the table.
std::string loop_row(const RoundSummary& round);

}  // namespace gapkit::apps
