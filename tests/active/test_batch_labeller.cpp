// Labels through a batch system: a stand-in with the commands of Slurm (tests/data/batch/batch.sh).

#include <chrono>
#include <fstream>
#include <gapkit/active/labeller.hpp>
#include <gapkit/core/errors.hpp>
#include <thread>

#include "active/batch_jobs.hpp"
#include "label_script.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace fs = std::filesystem;

namespace {

/// A batch system whose jobs are a shell script: $1 is the input, $2 the output. `label` is a function of the script.
struct BatchSystem {
  TemporaryFolder folder;
  LabellerOptions options;

  explicit BatchSystem(const std::string& body) {
    folder.write("job.sh", label_function + body + "\n");
    const std::string system = (source_folder() / "tests" / "data" / "batch" / "batch.sh").string(), state = file("state").string();
    options.kind = "batch";
    options.submit = {system, state, "sbatch", "{here}/job.sh", "{input}", "{output}"};
    options.status = {system, state, "squeue"};
    options.cancel = {system, state, "scancel", "{job}"};
    options.here = folder.path();
    options.working_directory = file("work");
    options.timeout = 120;
    options.poll_interval = 0.05;
    options.retries = 0;
    options.parallel_jobs = 50;
  }
  fs::path file(const std::string& name) const { return folder.path() / name; }
  /// Number of jobs that were ever submitted.
  int submitted() const {
    int count = 4000;
    std::ifstream(file("state") / "count") >> count;
    return count - 4000;
  }
  int folders_left() const {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(options.working_directory)) count += entry.is_directory();
    return count;
  }
};

std::vector<Structure> asked_structures(int count) {
  std::vector<Structure> all;
  for (int k = 0; k < count; ++k) all.push_back(random_triclinic(2 + k % 3, 150 + static_cast<unsigned>(k), {14, 8}));
  return all;
}

struct Interruption {};

}  // namespace

TEST_CASE("batch: labels in the order of the structures, no more jobs than allowed, nothing left behind") {
  BatchSystem system("ls \"" + std::string("$(dirname \"$1\")/../../state") +
                     "\" | grep -c running >> ../../running; sleep 0.2; label \"$1\" \"$2\"");
  system.options.parallel_jobs = 3;
  const std::vector<Structure> asked = asked_structures(7);
  {
    const auto labeller = make_labeller(system.options);
    CHECK(labeller->kind() == "batch");
    std::size_t done = 0;
    const std::vector<Label> labels = labeller->label(
        asked, [&](const ProgressEvent& event) { CHECK_MESSAGE(!event.is_warning, event.message); },
        [&](std::size_t k, const Label& label) {
          ++done;
          check_label(label, asked[k]);
        });
    CHECK(done == 7);
    for (std::size_t k = 0; k < asked.size(); ++k) {
      check_label(labels.at(k), asked[k]);
      CHECK(labels[k].attempts == 1);
      CHECK(labels[k].seconds > 0.1);
    }
  }
  CHECK(system.submitted() == 7);
  CHECK(system.folders_left() == 0);
  CHECK(BatchJobFile(system.file("work") / "jobs.json").read().empty());
  std::ifstream counts(system.file("running"));
  int most = 0;
  for (int n = 0; counts >> n;) most = std::max(most, n);
  CHECK(most <= 3);
  CHECK(most >= 2);
}

TEST_CASE("batch: a job that fails is submitted again, and the message has its number and its last words") {
  BatchSystem system("if [ $(cat ../../state/count) -lt 4002 ]; then echo no convergence; exit 1; fi; label \"$1\" \"$2\"");
  system.options.retries = 2;
  const std::vector<Structure> asked = asked_structures(1);
  std::string said;
  const std::vector<Label> labels = make_labeller(system.options)->label(asked, [&](const ProgressEvent& e) { said += e.message; });
  check_label(labels.at(0), asked[0]);
  CHECK(labels[0].attempts == 2);
  CHECK_MESSAGE(contains(said, "structure 1 of 1: attempt 1: job 4001 in "), said);
  CHECK(contains(said, "the last line of slurm-4001.out: no convergence; another attempt"));

  BatchSystem broken("echo 1 > \"$2\"");
  const std::vector<Label> failed = make_labeller(broken.options)->label(asked);
  CHECK(!failed.at(0).structure);
  CHECK(contains(failed[0].failure, "attempt 1: job 4001 in "));
  CHECK(broken.folders_left() == 1);
}

TEST_CASE("batch: a job over its time is cancelled and submitted again") {
  BatchSystem system("if [ $(cat ../../state/count) -lt 4002 ]; then sleep 100; fi; label \"$1\" \"$2\"");
  system.options.retries = 1;
  system.options.timeout = 0.5;
  const std::vector<Structure> asked = asked_structures(1);
  std::string said;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Label> labels = make_labeller(system.options)->label(asked, [&](const ProgressEvent& e) { said += e.message; });
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
  check_label(labels.at(0), asked[0]);
  CHECK(labels[0].attempts == 2);
  CHECK_MESSAGE(contains(said, "was in the batch system for more than 0.5 s and was cancelled; another attempt"), said);
}

TEST_CASE("batch: jobs outlive an interruption, and the next labeller collects them without submitting any again") {
  BatchSystem system("sleep 0.4; label \"$1\" \"$2\"");
  const std::vector<Structure> asked = asked_structures(5);
  // Once with jobs in flight, once after some labels have been collected.
  for (const bool some_are_done : {false, true}) {
    CAPTURE(some_are_done);
    const int before = system.submitted();
    CHECK_THROWS_AS(make_labeller(system.options)
                        ->label(asked,
                                [&](const ProgressEvent& event) {
                                  if (!some_are_done && system.submitted() == before + 5) throw Interruption();
                                  if (some_are_done && event.done >= 1) throw Interruption();
                                }),
                    Interruption);
    CHECK(system.submitted() == before + 5);
    std::string said;
    {
      const auto labeller = make_labeller(system.options);
      const std::vector<Label> labels = labeller->label(asked, [&](const ProgressEvent& e) { said += e.message; });
      for (std::size_t k = 0; k < asked.size(); ++k) check_label(labels.at(k), asked[k]);
    }
    CHECK_MESSAGE(contains(said, "5 jobs of an earlier run of this loop are collected"), said);
    CHECK(system.submitted() == before + 5);
    CHECK(system.folders_left() == 0);
  }
}

TEST_CASE("batch: an outage of the batch system ends no job") {
  BatchSystem system("sleep 0.3; label \"$1\" \"$2\"");
  const std::vector<Structure> asked = asked_structures(2);
  int warnings = 0;
  const auto watch = [&](const ProgressEvent& event) {
    if (system.submitted() == 2 && warnings == 0) std::ofstream(system.file("state") / "down") << "";
    if (!event.is_warning) return;
    ++warnings;
    CHECK(contains(event.message, "the state of the jobs is unknown"));
    CHECK(contains(event.message, "Unable to contact slurm controller"));
    std::this_thread::sleep_for(std::chrono::milliseconds(600));  // the jobs end meanwhile
    fs::remove(system.file("state") / "down");
  };
  const std::vector<Label> labels = make_labeller(system.options)->label(asked, watch);
  for (std::size_t k = 0; k < asked.size(); ++k) check_label(labels.at(k), asked[k]);
  CHECK(warnings == 1);
  CHECK(system.submitted() == 2);
}

TEST_CASE("batch: structures wait where the batch system takes no further job") {
  BatchSystem system("sleep 0.1; label \"$1\" \"$2\"");
  fs::create_directories(system.file("state"));
  std::ofstream(system.file("state") / "limit") << 2;
  const std::vector<Structure> asked = asked_structures(5);
  std::string said;
  const std::vector<Label> labels = make_labeller(system.options)->label(asked, [&](const ProgressEvent& e) { said += e.message; });
  for (std::size_t k = 0; k < asked.size(); ++k) {
    check_label(labels.at(k), asked[k]);
    CHECK(labels[k].attempts == 1);
  }
  CHECK_MESSAGE(contains(said, "QOSMaxSubmitJobPerUserLimit; it waits until another one has ended"), said);
}

TEST_CASE("batch: options that cannot work are refused by a sentence") {
  const auto message = [](const std::function<void(LabellerOptions&)>& change) {
    BatchSystem system("");
    change(system.options);
    return message_of<InputError>([&] { make_labeller(system.options); });
  };
  CHECK(message([](LabellerOptions&) {}).empty());
  CHECK(contains(message([](LabellerOptions& o) { o.submit = {}; }), "submit is empty"));
  CHECK(contains(message([](LabellerOptions& o) { o.submit.pop_back(); }), "submit has no {output}"));
  CHECK(contains(message([](LabellerOptions& o) { o.submit[0] = "no-such-sbatch"; }), "submit: there is no program 'no-such-sbatch'"));
  CHECK(contains(message([](LabellerOptions& o) { o.status[0] = "no-such-squeue"; }), "status: there is no program"));
  CHECK(contains(message([](LabellerOptions& o) { o.cancel.pop_back(); }), "cancel has no {job}"));
  CHECK(contains(message([](LabellerOptions& o) { o.poll_interval = 0; }), "poll_interval is 0 s"));
  CHECK(contains(message([](LabellerOptions& o) { o.timeout = -1; }), "timeout is -1 s"));

  BatchSystem silent("");
  silent.options.submit = {"/bin/true", "{input}", "{output}"};
  const std::vector<Label> labels = make_labeller(silent.options)->label(asked_structures(1));
  CHECK(contains(labels.at(0).failure, "cannot be submitted: '/bin/true' printed no number of a job"));
}

TEST_CASE("batch: numbers of jobs in what batch systems print") {
  CHECK(job_id_in("4711\n") == "4711");
  CHECK(job_id_in("4711;cluster\n") == "4711");
  CHECK(job_id_in("Submitted batch job 4711\n") == "4711");
  CHECK(job_id_in("4711.server.example\n") == "4711");
  CHECK(job_id_in("Job <4711> is submitted to queue <normal>.\n") == "4711");
  CHECK(job_id_in("no job\n").empty());
  CHECK(job_ids_of_lines("4711\n  4712 user R 5\nJOBID\n4713.server u R\n\n") == std::set<std::string>{"4711", "4712", "4713"});
  CHECK(job_ids_of_lines("").empty());
  // A damaged file is an error with a remedy.
  const TemporaryFolder folder;
  folder.write("jobs.json", "{\"jobs\": [{\"id\": 5}]}");
  CHECK(contains(message_of<InputError>([&] { BatchJobFile(folder.path() / "jobs.json").read(); }), "is damaged"));
}
