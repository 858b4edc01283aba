#include "progress_display.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace gapkit::apps {
namespace {

constexpr double bar_interval = 0.1, line_interval = 10;  // s
constexpr const char* calibration_round = "calibration round ";

std::string short_duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 100) return fmt::format("{:.0f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

/// "12 of 216 frames (6 %), 3.2 frames/s, 1 min left"; without total and rate if they are unknown.
std::string state_of(const ProgressEvent& event, double rate) {
  std::string text = fmt::format("{:.0f}", event.done);
  if (event.total > 0) text += fmt::format(" of {:.0f}", event.total);
  text += " " + event.unit;
  if (event.total > 0) text += fmt::format(" ({:.0f} %)", 100 * event.done / event.total);
  if (rate > 0) {
    text += fmt::format(", {:.3g} {}/s", rate, event.unit);
    if (event.total > event.done) text += fmt::format(", {} left", short_duration((event.total - event.done) / rate));
  }
  return text;
}

}  // namespace

ProgressDisplay::ProgressDisplay(std::string program) : ProgressDisplay(std::move(program), std::cerr, ::isatty(STDERR_FILENO) == 1) {}

ProgressDisplay::ProgressDisplay(std::string program, std::ostream& out, bool is_terminal, std::chrono::duration<double> shortest_phase)
    : program_(std::move(program)), out_(out), is_terminal_(is_terminal), shortest_phase_(shortest_phase) {}

ProgressDisplay::~ProgressDisplay() {
  clear_bar();
}

void ProgressDisplay::show(const ProgressEvent& event) {
  if (!event.message.empty()) {
    const bool in_round = event.phase.starts_with(calibration_round);
    if (event.is_warning && in_round && std::any_of(warnings_.begin(), warnings_.end(), [&](const std::string& known) {
          return without_digits(known).ends_with(without_digits(event.message));  // a round puts its name before the text
        }))
      return;
    event.is_warning ? warning(in_round ? event.phase.substr(0, event.phase.find(':')) + ": " + event.message : event.message)
                     : message(event.message);
    return;
  }
  if (event.phase.empty()) return;
  if (event.phase != last_.phase) {
    finish();
    begin_phase(event);
  }
  last_ = event;
  if (since_output_.seconds() < (is_terminal_ ? bar_interval : line_interval)) return;
  since_output_.restart();
  is_terminal_ ? draw_bar() : print_step();
}

void ProgressDisplay::message(const std::string& text) {
  clear_bar();
  if (!heading_.empty()) out_ << program_ << ": " << heading_ << "\n";
  heading_.clear();
  out_ << program_ << ": " << text << std::endl;
}

void ProgressDisplay::warning(const std::string& text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) return;
  warnings_.push_back(text);
  message("warning: " + text);
}

void ProgressDisplay::finish() {
  clear_bar();
  if (last_.phase.empty()) return;
  if (phase_stopwatch_.seconds() < shortest_phase_.count()) {
    last_ = ProgressEvent();
    return;
  }
  message(fmt::format("{}: {:.0f} {} in {}", last_.phase, last_.done, last_.unit, short_duration(phase_stopwatch_.seconds())));
  last_ = ProgressEvent();
}

ProgressCallback ProgressDisplay::callback() {
  return [this](const ProgressEvent& event) { show(event); };
}

void ProgressDisplay::begin_phase(const ProgressEvent& event) {
  phase_stopwatch_.restart();
  since_output_.restart();
  first_done_ = event.done;
}

void ProgressDisplay::draw_bar() {
  const double elapsed = phase_stopwatch_.seconds();
  const double rate = elapsed > 0 ? (last_.done - first_done_) / elapsed : 0;
  std::string bar;
  if (last_.total > 0) {
    constexpr int width = 12;
    const int filled = static_cast<int>(std::clamp(last_.done / last_.total, 0.0, 1.0) * width);
    bar = fmt::format("[{}{}] ", std::string(static_cast<std::size_t>(filled), '#'),
                      std::string(static_cast<std::size_t>(width - filled), '.'));
  }
  // A carriage return cannot erase a line that wraps.
  const std::string line = fmt::format("{} {}{}", last_.phase, bar, state_of(last_, rate)).substr(0, terminal_width() - 1);
  out_ << "\r\033[K" << line << std::flush;
  has_bar_ = true;
}

void ProgressDisplay::print_step() {
  const double elapsed = phase_stopwatch_.seconds();
  const double rate = elapsed > 0 ? (last_.done - first_done_) / elapsed : 0;
  message(fmt::format("{}: {}", last_.phase, state_of(last_, rate)));
}

void ProgressDisplay::clear_bar() {
  if (has_bar_) out_ << "\r\033[K" << std::flush;
  has_bar_ = false;
}

}  // namespace gapkit::apps
