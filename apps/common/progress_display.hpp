#pragma once

#include <chrono>
#include <gapkit/core/progress.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace gapkit::apps {

/// Shows progress events on stderr.
///
/// On a terminal: one line with a bar, percentage, rate and time left, redrawn at most ten times a second. Otherwise plain lines, at
/// most one in ten seconds and one at the end of each phase that took a second. Messages are lines of their own: "gap-fit: …", "gap-fit:
/// warning: …"; a warning is shown once. In rounds of a calibration a warning is not shown if it differs from an earlier one in numbers
/// only.
class ProgressDisplay {
 public:
  /// `program` begins each line.
  explicit ProgressDisplay(std::string program);
  ProgressDisplay(std::string program, std::ostream& out, bool is_terminal,
                  std::chrono::duration<double> shortest_phase = std::chrono::seconds(1));
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const ProgressEvent& event);
  void message(const std::string& text);
  /// A line before the first one; none if there is none: a mistake in the input is one line.
  void begin_with(const std::string& text) { heading_ = text; }
  void warning(const std::string& text);
  /// All warnings so far, each once, in the order of their first appearance.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Ends the current phase: its closing line is written (a bar is removed).
  void finish();
  /// A callback that shows on this display; the display must outlive it.
  ProgressCallback callback();

 private:
  using Clock = std::chrono::steady_clock;

  void begin_phase(const ProgressEvent& event);
  void draw_bar();
  void print_step();
  void clear_bar();

  std::string program_;
  std::string heading_;
  std::vector<std::string> warnings_;
  std::ostream& out_;
  bool is_terminal_;
  std::chrono::duration<double> shortest_phase_;  ///< that gets a closing line
  bool has_bar_ = false;
  ProgressEvent last_;  ///< of the current phase; no phase if its name is empty
  double first_done_ = 0;
  Clock::time_point phase_begin_, last_output_;
};

}  // namespace gapkit::apps
