#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <gapkit/active/process.hpp>
#include <gapkit/core/errors.hpp>
#include <thread>

#include "active/answer.hpp"
#include "active/attempt_folders.hpp"
#include "active/batch_jobs.hpp"
#include "active/event_log.hpp"
#include "active/labeller_kinds.hpp"

namespace gapkit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double longest_command = 300;  // s, of a command of the batch system
constexpr int polls_without_answer = 2;  // output of a job may reach this machine later than its end
constexpr int polls_between_warnings = 20;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The last line that a job wrote to the files of its folder, for messages.
std::string last_words(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string(), kind = entry.path().extension().string();
    if (name.starts_with("submit") || (kind != ".out" && kind != ".err" && kind != ".txt" && kind != ".log")) continue;
    if (const std::string line = last_line(entry.path()); !line.empty()) return fmt::format("; the last line of {}: {}", name, line);
  }
  return "";
}

/// A job of this call.
struct Flight {
  std::size_t structure = 0;
  BatchJob job;
  int polls_absent = 0;  // since it was seen last
  bool timed_out = false;
};

/// Jobs of a batch system: submit, poll, collect. An exception of the callbacks leaves the jobs in the queue, and the next call with the
/// same structures collects them.
class BatchLabeller final : public Labeller {
 public:
  explicit BatchLabeller(const LabellerOptions& options)
      : options_(with_absolute_folders(options)), folders_(options_.working_directory), file_(options_.working_directory / "jobs.json") {}

  ~BatchLabeller() override {
    if (!has_returned_ || std::uncaught_exceptions() > 0) return;
    try {
      clean();
    } catch (const std::exception&) {  // folders and entries that stay do no harm
    }
  }
  BatchLabeller(const BatchLabeller&) = delete;
  BatchLabeller& operator=(const BatchLabeller&) = delete;

  std::string_view kind() const override { return "batch"; }

  std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress, const LabelCallback& done) override {
    begin(structures, progress, done);
    poll();  // jobs of an earlier process may have ended
    auto next_poll = Clock::now() + interval();
    while (finished_ < structures.size()) {
      submit_waiting();
      if (Clock::now() >= next_poll) {
        poll();
        next_poll = Clock::now() + interval();
      }
      report("");
      if (finished_ < structures.size()) std::this_thread::sleep_for(std::min<Clock::duration>(interval(), std::chrono::milliseconds(100)));
    }
    has_returned_ = true;
    return std::move(labels_);
  }

 private:
  Clock::duration interval() const {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.poll_interval));
  }

  void begin(const std::vector<Structure>& structures, const ProgressCallback& progress, const LabelCallback& done) {
    if (has_returned_) clean();  // the caller has used the labels of the last call
    has_returned_ = false;
    structures_ = &structures;
    progress_ = &progress;
    done_ = &done;
    labels_.assign(structures.size(), {});
    waiting_.clear();
    flights_.clear();
    finished_ = 0;
    failed_polls_ = 0;
    is_full_ = false;
    folders_.prepare();
    std::vector<BatchJob> left = file_.read();
    for (std::size_t k = 0; k < structures.size(); ++k) {
      const std::string key = structure_key(structures[k]);
      const auto found = std::find_if(left.begin(), left.end(), [&](const BatchJob& job) { return job.structure == key; });
      if (found == left.end()) {
        waiting_.push_back(k);
        continue;
      }
      labels_[k].attempts = found->attempts;
      flights_.push_back({k, *found});
      flights_.back().job.is_collected = false;  // it is read again
      left.erase(found);
    }
    if (!flights_.empty() && progress)
      progress({.phase = "label", .message = fmt::format("{} jobs of an earlier run of this loop are collected", flights_.size())});
    for (BatchJob& job : left) {
      if (job.is_collected) {
        collected_.push_back(std::move(job));
        continue;
      }
      report(fmt::format("job {} in {} belongs to no structure of this call: its label is not collected", job.id, job.folder.string()));
    }
    clean();
  }

  void report(const std::string& message) const {
    if (!*progress_) return;
    (*progress_)({.phase = "label",
                  .done = static_cast<double>(finished_),
                  .total = static_cast<double>(structures_->size()),
                  .unit = "structures",
                  .message = message,
                  .is_warning = !message.empty()});
  }

  void save() const {
    std::vector<BatchJob> jobs;
    for (const Flight& flight : flights_) jobs.push_back(flight.job);
    jobs.insert(jobs.end(), collected_.begin(), collected_.end());
    file_.write(jobs);
  }

  /// Removes what belongs to labels that are in use.
  void clean() {
    std::error_code ignored;
    for (const BatchJob& job : collected_)
      if (!options_.keep_files) fs::remove_all(job.folder, ignored);
    collected_.clear();
    save();
  }

  /// Runs a command of the batch system in a folder and returns what it printed. Throws InputError if it fails.
  std::string run(const std::vector<std::string>& command, const fs::path& folder, const std::string& name) const {
    const fs::path output = folder / (name + ".stdout"), errors = folder / (name + ".stderr");
    Process process(command, folder, output, errors);
    while (!process.has_ended()) {
      if (process.seconds() > longest_command) throw InputError(fmt::format("'{}' did not end within {} s", command[0], longest_command));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    if (const std::string problem = process.problem(); !problem.empty()) {
      const std::string words = last_line(errors);
      throw InputError(fmt::format("'{}': {}{}", command[0], problem, words.empty() ? "" : ": " + words));
    }
    return text_of(output);
  }

  void submit_waiting() {
    while (!waiting_.empty() && !is_full_ && flights_.size() < static_cast<std::size_t>(options_.parallel_jobs)) {
      const std::size_t k = waiting_.front();
      waiting_.pop_front();
      ++labels_[k].attempts;
      try {
        submit(k);
      } catch (const std::exception& e) {
        if (!flights_.empty()) {  // a limit of the batch system, or an outage: jobs in flight will end, then is the time to try again
          --labels_[k].attempts;
          waiting_.push_front(k);
          is_full_ = true;
          report(fmt::format("a job could not be submitted: {}; it waits until another one has ended", e.what()));
          return;
        }
        is_full_ = true;  // until the next poll
        end_attempt(k, fmt::format("cannot be submitted: {}", e.what()));
      }
    }
  }

  void submit(std::size_t k) {
    const Structure& structure = (*structures_)[k];
    const fs::path folder = folders_.create(structure);
    const std::string said = run(command_in(options_.submit, folder, options_.here), folder, "submit");
    const std::string id = job_id_in(said);
    if (id.empty())
      throw InputError(fmt::format("'{}' printed no number of a job, but \"{}\"", options_.submit[0], said.substr(0, said.find('\n'))));
    flights_.push_back({k, {id, structure_key(structure), folder, now(), labels_[k].attempts}});
    save();
  }

  void poll() {
    is_full_ = false;
    if (flights_.empty()) return;
    std::set<std::string> known;
    try {
      known = job_ids_of_lines(run(options_.status, options_.working_directory, "status"));
    } catch (const std::exception& e) {  // an outage of the batch system says nothing about the jobs
      if (failed_polls_++ % polls_between_warnings == 0) report(fmt::format("the state of the jobs is unknown: {}", e.what()));
      return;
    }
    failed_polls_ = 0;
    for (std::size_t i = 0; i < flights_.size();) {
      Flight& flight = flights_[i];
      if (known.count(flight.job.id) > 0) {
        flight.polls_absent = 0;
        if (!flight.timed_out && now() - flight.job.submitted > options_.timeout) cancel(flight);
        ++i;
      } else if (!collect(flight)) {
        ++i;
      } else {
        flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(i));
        save();
      }
    }
  }

  void cancel(Flight& flight) {
    flight.timed_out = true;
    try {
      std::vector<std::string> command = options_.cancel;
      for (std::string& part : command) part = replaced(part, "{job}", flight.job.id);
      run(command, flight.job.folder, "cancel");
    } catch (const std::exception& e) {
      report(fmt::format("job {} is over its time and cannot be cancelled: {}", flight.job.id, e.what()));
    }
  }

  /// The answer of a job that has left the queue. False: it may still arrive.
  bool collect(Flight& flight) {
    const std::size_t k = flight.structure;
    Label& label = labels_[k];
    ++flight.polls_absent;
    try {
      label.structure = read_answer(output_of(flight.job.folder), (*structures_)[k]);
    } catch (const std::exception& e) {
      if (!flight.timed_out && flight.polls_absent < polls_without_answer) return false;
      label.seconds += now() - flight.job.submitted;
      const std::string reason = flight.timed_out
                                     ? fmt::format("was in the batch system for more than {} s and was cancelled", options_.timeout)
                                     : e.what() + last_words(flight.job.folder);
      end_attempt(k, fmt::format("job {} in {}: {}", flight.job.id, flight.job.folder.string(), reason));
      return true;
    }
    label.seconds += now() - flight.job.submitted;
    label.failure.clear();
    collected_.push_back(flight.job);
    collected_.back().is_collected = true;
    ++finished_;
    if (*done_) (*done_)(k, label);
    return true;
  }

  void end_attempt(std::size_t k, const std::string& reason) {
    Label& label = labels_[k];
    label.failure = fmt::format("attempt {}: {}", label.attempts, reason);
    const bool again = label.attempts <= options_.retries;
    report(fmt::format("structure {} of {}: {}{}", k + 1, structures_->size(), label.failure, again ? "; another attempt" : ""));
    if (again) {
      waiting_.push_back(k);
      return;
    }
    ++finished_;
    if (*done_) (*done_)(k, label);
  }

  LabellerOptions options_;
  AttemptFolders folders_;
  BatchJobFile file_;

  // of the present call
  const std::vector<Structure>* structures_ = nullptr;
  const ProgressCallback* progress_ = nullptr;
  const LabelCallback* done_ = nullptr;
  std::vector<Label> labels_;
  std::deque<std::size_t> waiting_;
  std::vector<Flight> flights_;
  std::vector<BatchJob> collected_;
  bool has_returned_ = false;
  std::size_t finished_ = 0;
  int failed_polls_ = 0;
  bool is_full_ = false;  // the batch system took no further job
};

}  // namespace

std::unique_ptr<Labeller> make_batch_labeller(const LabellerOptions& options) {
  check_numbers(options);
  if (!(options.poll_interval > 0))
    throw InputError(fmt::format("labeller: poll_interval is {} s, expected a positive number", options.poll_interval));
  LabellerOptions found = options;
  found.submit = with_program(options.submit, "submit", options.here);
  check_placeholders(options.submit, "submit");
  found.status = with_program(options.status, "status", options.here);
  found.cancel = with_program(options.cancel, "cancel", options.here);
  const auto names_job = [](const std::string& part) { return part.find("{job}") != std::string::npos; };
  if (std::none_of(options.cancel.begin(), options.cancel.end(), names_job))
    throw InputError("labeller: cancel has no {job}, which stands for the number of the job");
  return std::make_unique<BatchLabeller>(found);
}

}  // namespace gapkit
