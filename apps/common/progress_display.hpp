#pragma once

#include <chrono>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/core/progress.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace gapkit::apps {

/// Shows progress events on stderr.
///
/// On a terminal: one line with a bar, percentage, rate and time left, redrawn at most ten times a second. Otherwise plain lines, at
/// most one in ten seconds and one at the end of each phase that took a second. Messages are separate lines: "gap-fit: …", "gap-fit:
/// warning: …". Each warning appears once; in rounds of a calibration, a warning that differs from an earlier one in numbers only does
/// not appear.
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
  /// A line before the first message. It does not appear without a message: an input error is one line.
  void begin_with(const std::string& text) { heading_ = text; }
  void warning(const std::string& text);
  /// All warnings up to now, each once, in the order of their first appearance.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Ends the current phase: removes the bar and writes the closing line.
  void finish();
  /// A callback that shows on this display; the display must outlive it.
  ProgressCallback callback();

 private:
  void begin_phase(const ProgressEvent& event);
  void draw_bar();
  void print_step();
  void clear_bar();

  std::string program_;
  std::string heading_;
  std::vector<std::string> warnings_;
  std::ostream& out_;
  bool is_terminal_;
  std::chrono::duration<double> shortest_phase_;  ///< with a closing line
  bool has_bar_ = false;
  ProgressEvent last_;  ///< of the current phase; no phase if its name is empty
  double first_done_ = 0;
  Stopwatch phase_stopwatch_, since_output_;
};

}  // namespace gapkit::apps
