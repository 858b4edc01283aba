#include <gapkit/active/loop.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <numeric>

#include "support/distributions.hpp"
#include "support/support.hpp"

namespace gapkit::test {
namespace {

constexpr const char* fit_part = R"(
[data]
train = ["start.xyz"]
[reference_energies]
mode = "explicit"
explicit = { Si = 0.0 }
[[term]]
descriptor = "two_body"
cutoff = 4.5
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 8
selection = "variance"
[regularization]
energy = 0.002
force = 0.1
virial = 0.1
)";

constexpr const char* loop_part = R"(
[label]
kind = "stillinger_weber"
[threshold]
quantity = "energy"
mode = "none"
[choose]
per_round = 2
[sparse]
every = 2
per_label = 1
max = 12
[[source]]
kind = "pool"
files = ["pool.xyz"]
)";

/// A folder with configuration and structures.
class LoopSetup {
 public:
  explicit LoopSetup(const std::string& loop_section) {
    folder_.write("loop.toml",
                  std::string(fit_part) + "[loop]\nfolder = \"" + (folder_.path() / "out").string() + "\"\n" + loop_section + loop_part);
    LabellerOptions options;
    options.kind = "stillinger_weber";
    std::vector<Structure> structures;
    for (unsigned i = 0; i < 4; ++i) structures.push_back(random_triclinic(4, 40 + i));
    ExtxyzWriter start(folder_.path() / "start.xyz");
    for (const Label& label : make_labeller(options)->label(structures)) start.write(label.structure.value());
    start.commit();
    ExtxyzWriter pool(folder_.path() / "pool.xyz");
    for (unsigned i = 0; i < 9; ++i) pool.write(random_triclinic(4, 60 + i));
    pool.commit();
  }
  LoopOptions options() const { return read_loop_options(folder_.path() / "loop.toml"); }
  std::string labelled() const { return read_text(folder_.path() / "out/labelled.xyz"); }
  std::filesystem::path out() const { return folder_.path() / "out"; }

 private:
  TemporaryFolder folder_;
};

std::string error_of(const std::string& toml) {
  TemporaryFolder folder;
  folder.write("start.xyz", "1\nenergy=0\nSi 0 0 0\n");
  folder.write("pool.xyz", "1\nenergy=0\nSi 0 0 0\n");
  return message_of<InputError>([&] { parse_loop_options(toml, "loop.toml", folder.path()); });
}

}  // namespace

TEST_CASE("a labeller that is refused leaves no folder of the loop behind") {
  const LoopSetup setup("rounds = 1\n");
  LoopOptions options = setup.options();
  options.labeller.kind = "batch";
  CHECK(contains(message_of<InputError>([&] { run_loop(options); }), "labeller: submit is empty"));
  CHECK(!std::filesystem::exists(setup.out()));
}

TEST_CASE("loop: labels, rounds and files on disk") {
  const LoopSetup setup("rounds = 3\n");
  std::vector<RoundSummary> rows;
  const LoopResult result = run_loop(setup.options(), {}, [&](const RoundSummary& r) { rows.push_back(r); });
  CHECK(result.end == LoopResult::End::rounds);
  REQUIRE(rows.size() == 4);
  for (int r = 0; r < 4; ++r) {
    const RoundSummary& row = rows[static_cast<std::size_t>(r)];
    CHECK(row.round == r);
    CHECK(row.labels == 2 * r);
    CHECK(row.frames == 4 + 2 * r);
    CHECK(row.appended == (r % 2 == 1));
  }
  CHECK(rows[1].sparse_points == rows[0].sparse_points);
  CHECK(rows[2].sparse_points > rows[1].sparse_points);
  const std::vector<Structure> labelled = read_extxyz(result.labelled);
  CHECK(labelled.size() == 6);
  for (const Structure& frame : labelled) CHECK(frame.find_field("active_shortest_distance_ratio") != nullptr);
  for (const char* file : {"model.h5", "log.jsonl", "loop.html", "rounds/0002/labels.xyz"})
    CHECK(std::filesystem::exists(setup.out() / file));
}

TEST_CASE("loop: warns before it labels a structure whose atoms are too close") {
  const LoopSetup setup("rounds = 1\n");
  Structure close = random_triclinic(4, 60);
  close.positions.row(1) = close.positions.row(0);
  close.positions(1, 0) += 0.8;
  ExtxyzWriter pool(setup.out().parent_path() / "pool.xyz");
  pool.write(close);
  pool.commit();
  std::vector<std::string> warnings;
  run_loop(setup.options(), [&](const ProgressEvent& event) {
    if (event.is_warning && event.message.find("Å apart") != std::string::npos) warnings.push_back(event.message);
  });
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("frame 0 of source 'pool' will be labelled: atoms 1 (Si) and 2 (Si) are 0.8 Å apart") != std::string::npos);
}

TEST_CASE("loop: a frame of a pool without values of the base is an error before it is chosen") {
  const LoopSetup setup("rounds = 1\n");
  LoopOptions options = setup.options();
  options.fit.use = {true, false, false};
  options.fit.keys.base = {.columns = {{"energy", "b_energy"}}, .name = "LJ"};
  for (const std::string& file : options.fit.train) {
    std::vector<Structure> frames = read_extxyz(file);
    ExtxyzWriter writer(file);
    for (Structure& frame : frames) {
      frame.set_field("b_energy", 0.5 * frame.size());
      writer.write(frame);
    }
    writer.commit();
  }
  const std::string message = message_of<InputError>([&] { run_loop(options); });
  CAPTURE(message);
  CHECK(message.find("pool.xyz:1 (frame 1): the frame has no key 'b_energy'") != std::string::npos);
  CHECK(!std::filesystem::exists(setup.out() / "rounds/0001/chosen.xyz"));
}

TEST_CASE("loop: labels every structure of a pool once; continues with a larger budget") {
  const LoopSetup setup("labels = 5\n");
  LoopOptions options = setup.options();
  CHECK(run_loop(options).end == LoopResult::End::labels);
  CHECK(read_extxyz(setup.out() / "labelled.xyz").size() == 5);
  options.goal.labels = 0;
  CHECK(run_loop(options).end == LoopResult::End::quiet);
  const std::vector<Structure> frames = read_extxyz(setup.out() / "labelled.xyz");
  REQUIRE(frames.size() == 9);
  for (std::size_t i = 0; i < frames.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(largest_difference(frames[i].positions, frames[j].positions) > 1e-3);
}

TEST_CASE("loop: gives the same labels after interruptions at any point") {
  const LoopSetup calm("rounds = 3\n");
  int events = 0;
  run_loop(calm.options(), [&](const ProgressEvent&) { ++events; });
  const LoopSetup disturbed("rounds = 3\n");
  int interruptions = 0;
  for (int stop = 3;; stop += 5) {
    int seen = 0;
    try {
      run_loop(disturbed.options(), [&](const ProgressEvent&) {
        if (++seen == stop) throw Interrupted("here");
      });
      break;
    } catch (const Interrupted&) {
      ++interruptions;
    }
    REQUIRE(interruptions < events);
  }
  CHECK(interruptions >= 3);
  CHECK(disturbed.labelled() == calm.labelled());
}

TEST_CASE("loop: a folder belongs to its configuration") {
  const LoopSetup setup("rounds = 1\n");
  LoopOptions options = setup.options();
  run_loop(options);
  options.goal.rounds = 2;
  run_loop(options);
  options.resolved += "choose.per_round = 7\n";
  CHECK(message_of<InputError>([&] { run_loop(options); }).find("another configuration") != std::string::npos);
}

TEST_CASE("loop: mistakes in the configuration") {
  const std::string good = std::string(fit_part) + loop_part;
  CHECK(error_of(good) == "");
  const auto with = [&](const std::string& more) { return error_of(good + more); };
  CHECK(with("[loop]\nround = 3\n").find("'round'") != std::string::npos);
  CHECK(with("[loop]\nround = 3\n").find("did you mean 'rounds'?") != std::string::npos);
  CHECK(with("[lop]\nrounds = 3\n").find("did you mean 'loop'?") != std::string::npos);
  CHECK(with("[[source]]\nkind = \"mdd\"\n").find("source") != std::string::npos);
  CHECK(with("[[source]]\nkind = \"md\"\nfiles = [\"none.xyz\"]\n").find("none.xyz") != std::string::npos);
  CHECK(with("[[source]]\nkind = \"md\"\nfiles = [\"pool.xyz\"]\ntemperatures = [300, -1]\n").find("temperatures") != std::string::npos);
  CHECK(with("[[source]]\nkind = \"pool\"\nname = \"pool\"\nfiles = [\"pool.xyz\"]\n").find("two sources") != std::string::npos);
  // The number of points belongs to error bars of forces.
  const auto threshold = [&](const std::string& quantity) {
    std::string text = good;
    const std::string before = "quantity = \"energy\"";
    return error_of(text.replace(text.find(before), before.size(), "quantity = \"" + quantity + "\"\npoints = \"quarter\""));
  };
  for (const char* quantity : {"energy", "local_energy", "extrapolation"})
    CHECK(threshold(quantity).find("'points' belongs") != std::string::npos);
  CHECK(threshold("force") == "");
  CHECK(error_of(std::string(fit_part) + "[label]\nkind = \"given\"\n").find("[[source]]") != std::string::npos);
  CHECK(error_of(std::string(fit_part) + "[[source]]\nkind = \"pool\"\nfiles = [\"pool.xyz\"]\n").find("expected one of command") !=
        std::string::npos);
}

TEST_CASE("selection by variance continues from points chosen before") {
  std::mt19937_64 random(4);
  Normal normal;
  Candidates all;
  all.x.resize(60, 5);
  for (Eigen::Index i = 0; i < all.x.size(); ++i) all.x.data()[i] = normal(random);
  all.x.rowwise().normalize();
  all.covariance_cutoff = Vector::Ones(60);
  const auto kernel = kernel_kind("dot_product").make({{"zeta", 4.0}});
  SelectionRequest request;
  request.count = 20;
  request.kernel = kernel.get();
  const std::vector<int> once = selection_kind("variance").choose(all, request);
  REQUIRE(once.size() == 20);
  // The first eight in front, then all candidates.
  Candidates again;
  again.x.resize(68, 5);
  again.covariance_cutoff = Vector::Ones(68);
  for (int i = 0; i < 8; ++i) again.x.row(i) = all.x.row(once[static_cast<std::size_t>(i)]);
  again.x.bottomRows(60) = all.x;
  request.count = 12;
  request.chosen_before = 8;
  const std::vector<int> rest = selection_kind("variance").choose(again, request);
  REQUIRE(rest.size() == 12);
  for (std::size_t i = 0; i < rest.size(); ++i) CHECK(rest[i] == once[i + 8] + 8);
}

}  // namespace gapkit::test
