#include "active/command_labeller.hpp"

#include <fmt/format.h>

#include <deque>
#include <gapkit/active/process.hpp>
#include <list>
#include <thread>

#include "active/answer.hpp"
#include "active/attempt_folders.hpp"
#include "active/labeller_kinds.hpp"

namespace gapkit {
namespace {

namespace fs = std::filesystem;

/// One attempt at one structure, in its own folder.
struct Attempt {
  std::size_t structure;
  fs::path folder;
  Process process;
  bool timed_out = false;
};

/// Running attempts; the destructor ends them all at the same time.
class RunningAttempts : public std::list<Attempt> {
 public:
  explicit RunningAttempts(bool keep_files) : keep_files_(keep_files) {}
  ~RunningAttempts() {
    if (empty()) return;
    for (Attempt& a : *this) a.process.request_end();
    const auto deadline = Process::Clock::now() + std::chrono::seconds(2);
    const auto all_ended = [&] {
      bool ended = true;
      for (Attempt& a : *this) ended = a.process.has_ended() && ended;
      return ended;
    };
    while (!all_ended() && Process::Clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::error_code ignored;
    for (Attempt& a : *this)
      if (!keep_files_) fs::remove_all(a.folder, ignored);
  }
  RunningAttempts(const RunningAttempts&) = delete;
  RunningAttempts& operator=(const RunningAttempts&) = delete;

 private:
  bool keep_files_;
};

class CommandLabeller final : public Labeller {
 public:
  CommandLabeller(std::string kind, LabellerOptions options)
      : kind_(std::move(kind)), options_(with_absolute_folders(std::move(options))), folders_(options_.working_directory) {
    name_ = options_.calculator.empty() ? fs::path(options_.command[0]).filename().string() : options_.calculator;
  }

  std::string_view kind() const override { return kind_; }

  std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress, const LabelCallback& done) override {
    folders_.prepare();
    std::vector<Label> labels(structures.size());
    std::deque<std::size_t> waiting;
    for (std::size_t k = 0; k < structures.size(); ++k) waiting.push_back(k);
    RunningAttempts running(options_.keep_files);
    std::size_t finished = 0;
    auto pause = shortest_pause;
    const auto report = [&](const std::string& message) {
      if (progress)
        progress({.phase = "label",
                  .done = static_cast<double>(finished),
                  .total = static_cast<double>(structures.size()),
                  .unit = "structures",
                  .message = message,
                  .is_warning = !message.empty()});
    };
    const auto after_attempt = [&](std::size_t k) {
      const bool again = !labels[k].structure && labels[k].attempts <= options_.retries;
      if (again)
        waiting.push_front(k);
      else
        ++finished;
      if (!labels[k].structure)
        report(fmt::format("structure {} of {}: {}{}", k + 1, structures.size(), labels[k].failure, again ? "; another attempt" : ""));
      if (!again && done) done(k, labels[k]);
      pause = shortest_pause;
    };
    while (finished < structures.size()) {
      while (!waiting.empty() && running.size() < static_cast<std::size_t>(options_.parallel_jobs)) {
        const std::size_t k = waiting.front();
        waiting.pop_front();
        if (!start(k, structures[k], labels[k], running)) after_attempt(k);
      }
      for (auto attempt = running.begin(); attempt != running.end();) {
        if (!has_ended(*attempt)) {
          ++attempt;
          continue;
        }
        const std::size_t k = attempt->structure;
        finish(*attempt, structures[k], labels[k]);
        attempt = running.erase(attempt);
        after_attempt(k);
      }
      report("");
      if (running.empty()) continue;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 3 / 2, longest_pause);
    }
    return labels;
  }

 private:
  static constexpr auto shortest_pause = std::chrono::microseconds(1000), longest_pause = std::chrono::microseconds(100000);

  /// False if the attempt failed at once.
  bool start(std::size_t k, const Structure& structure, Label& label, RunningAttempts& running) {
    ++label.attempts;
    try {
      const fs::path folder = folders_.create(structure);
      running.push_back(
          {k, folder, Process(command_in(options_.command, folder, options_.here), folder, folder / "stdout.txt", folder / "stderr.txt")});
      return true;
    } catch (const std::exception& e) {
      label.failure = e.what();
      return false;
    }
  }

  bool has_ended(Attempt& attempt) const {
    if (attempt.process.has_ended()) return true;
    if (!attempt.timed_out && attempt.process.seconds() > options_.timeout) {
      attempt.timed_out = true;
      attempt.process.request_end();
    }
    return false;
  }

  void finish(const Attempt& attempt, const Structure& structure, Label& label) const {
    label.seconds += attempt.process.seconds();
    try {
      if (attempt.timed_out) throw InputError(fmt::format("took longer than {} s and was ended", options_.timeout));
      if (const std::string problem = attempt.process.problem(); !problem.empty()) throw InputError(problem);
      label.structure = read_answer(output_of(attempt.folder), structure);
      label.failure.clear();
      std::error_code ignored;
      if (!options_.keep_files) fs::remove_all(attempt.folder, ignored);
    } catch (const std::exception& e) {
      std::string last = last_line(attempt.folder / "stderr.txt");
      if (!last.empty()) last = "; its last message: " + last;
      label.failure = fmt::format("{}, attempt {} in {}: {}{}", name_, label.attempts, attempt.folder.string(), e.what(), last);
    }
  }

  std::string kind_;
  std::string name_;  ///< in messages
  LabellerOptions options_;
  AttemptFolders folders_;
};

}  // namespace

std::unique_ptr<Labeller> make_program_labeller(const std::string& kind, const LabellerOptions& options) {
  check_numbers(options);
  return std::make_unique<CommandLabeller>(kind, options);
}

std::unique_ptr<Labeller> make_command_labeller(const LabellerOptions& options) {
  LabellerOptions found = options;
  found.command = with_program(options.command, "command", options.here);
  check_placeholders(options.command, "command");
  return make_program_labeller("command", found);
}

}  // namespace gapkit
