#include "active/command_labeller.hpp"

#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <fstream>
#include <gapkit/io/extxyz.hpp>
#include <list>
#include <thread>

#include "active/answer.hpp"
#include "active/labeller_kinds.hpp"
#include "active/process.hpp"

namespace gapkit {
namespace {

namespace fs = std::filesystem;

/// One attempt at one structure, in a folder of its own.
struct Attempt {
  std::size_t structure;
  fs::path folder;
  Process process;
  bool timed_out = false;

  fs::path input() const { return folder / "input.xyz"; }
  fs::path output() const { return folder / "output.xyz"; }
};

/// Attempts that run; those that are left at the end are ended, all at the same time.
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

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
  return text;
}

class CommandLabeller final : public Labeller {
 public:
  CommandLabeller(std::string kind, LabellerOptions options) : kind_(std::move(kind)), options_(std::move(options)) {
    options_.working_directory = fs::absolute(options_.working_directory).lexically_normal();
    options_.here = fs::absolute(options_.here).lexically_normal();
    name_ = options_.calculator.empty() ? fs::path(options_.command[0]).filename().string() : options_.calculator;
  }

  std::string_view kind() const override { return kind_; }

  std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress, const LabelCallback& done) override {
    prepare_folder();
    std::vector<Label> labels(structures.size());
    std::deque<std::size_t> waiting;
    for (std::size_t k = 0; k < structures.size(); ++k) waiting.push_back(k);
    RunningAttempts running(options_.keep_files);
    std::size_t finished = 0;
    auto pause = shortest_pause;
    const auto tell = [&](const std::string& message) {
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
        tell(fmt::format("structure {} of {}: {}{}", k + 1, structures.size(), labels[k].failure, again ? "; another attempt" : ""));
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
      tell("");
      if (running.empty()) continue;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 3 / 2, longest_pause);
    }
    return labels;
  }

 private:
  static constexpr auto shortest_pause = std::chrono::microseconds(1000), longest_pause = std::chrono::microseconds(100000);

  /// Folders are numbered on from what is there, so that those of earlier failures stay.
  void prepare_folder() {
    std::error_code error;
    fs::create_directories(options_.working_directory, error);
    if (!fs::is_directory(options_.working_directory))
      throw InputError(fmt::format("the folder {} cannot be made: {}", options_.working_directory.string(), error.message()));
    for (const auto& entry : fs::directory_iterator(options_.working_directory)) {
      const std::string name = entry.path().filename().string();
      if (name.size() == 6 && name.find_first_not_of("0123456789") == std::string::npos) folders_ = std::max(folders_, std::stoi(name));
    }
  }

  std::vector<std::string> arguments(const fs::path& input, const fs::path& output) const {
    std::vector<std::string> result;
    for (const std::string& part : options_.command)
      result.push_back(
          replaced(replaced(replaced(part, "{input}", input.string()), "{output}", output.string()), "{here}", options_.here.string()));
    return result;
  }

  /// False if the attempt failed at once.
  bool start(std::size_t k, const Structure& structure, Label& label, RunningAttempts& running) {
    ++label.attempts;
    const fs::path folder = options_.working_directory / fmt::format("{:06d}", ++folders_);
    try {
      if (!fs::create_directory(folder)) throw InputError(folder.string() + " exists already; does another program use this folder?");
      Structure question = structure;
      remove_targets(question);
      ExtxyzWriter writer(folder / "input.xyz");
      writer.write(question);
      writer.commit();
      running.push_back(
          {k, folder,
           Process(arguments(folder / "input.xyz", folder / "output.xyz"), folder, folder / "stdout.txt", folder / "stderr.txt")});
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
      label.structure = read_answer(attempt.output(), structure);
      label.failure.clear();
      std::error_code ignored;
      if (!options_.keep_files) fs::remove_all(attempt.folder, ignored);
    } catch (const std::exception& e) {
      std::string said = last_line(attempt.folder / "stderr.txt");
      if (!said.empty()) said = "; it said: " + said;
      label.failure = fmt::format("{}, attempt {} in {}: {}{}", name_, label.attempts, attempt.folder.string(), e.what(), said);
    }
  }

  std::string kind_;
  std::string name_;  ///< in messages
  LabellerOptions options_;
  int folders_ = 0;  ///< number of the last one made
};

void check_numbers(const LabellerOptions& o) {
  if (!(o.timeout > 0)) throw InputError(fmt::format("labeller: timeout is {} s, expected a positive number", o.timeout));
  if (o.retries < 0 || o.retries > 1000) throw InputError(fmt::format("labeller: retries is {}, expected 0 to 1000", o.retries));
  if (o.parallel_jobs < 1 || o.parallel_jobs > 10000)
    throw InputError(fmt::format("labeller: parallel_jobs is {}, expected 1 to 10000", o.parallel_jobs));
}

}  // namespace

std::unique_ptr<Labeller> make_command_labeller(const std::string& kind, const LabellerOptions& options) {
  check_numbers(options);
  return std::make_unique<CommandLabeller>(kind, options);
}

std::unique_ptr<Labeller> make_command_labeller(const LabellerOptions& options) {
  if (options.command.empty()) throw InputError("labeller: command is empty, expected a program and its arguments");
  for (const char* placeholder : {"{input}", "{output}"}) {
    bool found = false;
    for (const std::string& part : options.command) found = found || part.find(placeholder) != std::string::npos;
    if (!found) throw InputError(fmt::format("labeller: command has no {}, the program must be told that file", placeholder));
  }
  LabellerOptions found = options;
  try {
    found.command[0] = find_program(replaced(options.command[0], "{here}", fs::absolute(options.here).string()), options.here).string();
  } catch (const InputError& e) {
    throw InputError(std::string("labeller: command: ") + e.what());
  }
  return make_command_labeller("command", found);
}

}  // namespace gapkit
