#include "interruption.hpp"

#include <csignal>
#include <gapkit/core/errors.hpp>

namespace gapkit::apps {
namespace {

volatile std::sig_atomic_t signal_number = 0;

void note_signal(int number) {
  signal_number = number;
  std::signal(number, SIG_DFL);  // the next one ends the program
}

}  // namespace

void catch_signals() {
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
}

int caught_signal() {
  return signal_number;
}

ProgressCallback interruptible(ProgressCallback inner) {
  return [inner = std::move(inner)](const ProgressEvent& event) {
    if (inner) inner(event);
    if (signal_number != 0) throw Interrupted(signal_number == SIGINT ? "interrupted" : "terminated");
  };
}

}  // namespace gapkit::apps
