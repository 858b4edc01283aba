// Predictions far outside of the training data, potentials of QUIP in place of a model, and estimates for more sparse points than exist.

#include <gapkit/io/extxyz.hpp>
#include <gapkit/model/model.hpp>
#include <nlohmann/json.hpp>

#include "cases/cases.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

double ratio_of(const Structure& frame) {
  const Field* field = frame.find_field("gap_shortest_distance_ratio");
  return field ? std::get<double>(field->value) : std::nan("");
}

// A dimer at an ordinary distance, one too close, a lone atom with the ratio of an earlier prediction, atoms on top of each other, a cell
// of 0.5 Å.
constexpr const char* far_outside = R"(2
pbc="F F F"
Si 0 0 0
Si 0 0 2.5
2
pbc="F F F"
Si 0 0 0
Si 0 0 0.9
1
pbc="F F F" gap_shortest_distance_ratio=0.5
Si 0 0 0
2
pbc="F F F"
Si 1 2 3
Si 1 2 3
1
Lattice="0.5 0 0 0 0.5 0 0 0 0.5" pbc="T T T"
Si 0 0 0
)";

/// A folder with the potential D_sic_2bsoap.xml of a real QUIP, and structures that QUIP predicted with it.
class QuipFiles {
 public:
  QuipFiles() {
    for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "tests" / "data" / "gap_models"))
      if (const std::string name = entry.path().filename().string(); name.starts_with("D_sic_2bsoap"))
        std::filesystem::copy(entry.path(), folder_.path());
  }
  std::filesystem::path operator/(const char* name) const { return folder_.path() / name; }
  const TemporaryFolder& folder() const { return folder_; }
  ProgramResult run(const std::string& program, const std::vector<std::string>& arguments) const {
    return run_program(program, arguments, folder_.path());
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("outside: one warning names the worst frame and pair; each frame has its distance from the training data") {
  const TemporaryFolder folder;
  folder.write("in.xyz", far_outside);
  const ProgramResult predicted =
      run_program("gap-predict", {base_model().string(), "in.xyz", "-o", "out.xyz", "--json", "out.json"}, folder.path());
  CAPTURE(predicted.err);
  REQUIRE(predicted.exit_code == 0);
  CHECK(count_of(predicted.err, "warning") == 1);
  for (const char* part : {"3 of 5 frames", "in.xyz:12", "frame 4", "atoms 1 (Si) and 2 (Si) are 0 Å apart", "in training at least"})
    CHECK_MESSAGE(contains(predicted.err, part), part);
  const double shortest = load_model(base_model()).shortest_distances.value().at({14, 14});
  const std::vector<Structure> frames = read_extxyz(folder.path() / "out.xyz");
  REQUIRE(frames.size() == 5);
  check_close(ratio_of(frames[0]), 2.5 / shortest, 1e-12);
  check_close(ratio_of(frames[1]), 0.9 / shortest, 1e-12);
  CHECK(frames[2].find_field("gap_shortest_distance_ratio") == nullptr);  // no pair; the old value would be another model's
  CHECK(ratio_of(frames[3]) == 0);
  check_close(ratio_of(frames[4]), 0.5 / shortest, 1e-12);
  CHECK(nlohmann::json::parse(read_text(folder.path() / "out.json")).at("frames_with_close_atoms") == 3);
}

TEST_CASE("outside: a cell so small that an atom meets thousands of its images is named") {
  const TemporaryFolder folder;
  folder.write("in.xyz", "1\nLattice=\"0.4 0 0 0 0.4 0 0 0 0.4\" pbc=\"T T T\"\nSi 0 0 0\n");
  const ProgramResult predicted = run_program("gap-predict", {base_model().string(), "in.xyz", "-o", "out.xyz"}, folder.path());
  CAPTURE(predicted.err);
  CHECK(predicted.exit_code == 0);
  for (const char* part : {"frame 1", "atom 1 (Si) and its own image", "images of itself", "cell is too small"})
    CHECK_MESSAGE(contains(predicted.err, part), part);
}

TEST_CASE("outside: --difference warns too, and the training data themselves bring no warning") {
  const Case base("base");
  base.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz"});
  const ProgramResult own = base.run("gap-predict", {base_model().string(), "train.xyz", "-o", "out.xyz"});
  CAPTURE(own.err);
  CHECK(own.exit_code == 0);
  CHECK(!contains(own.err, "warning"));
  double smallest = 10;
  for (const Structure& frame : read_extxyz(base.folder() / "out.xyz"))
    if (const double ratio = ratio_of(frame); !std::isnan(ratio)) smallest = std::min(smallest, ratio);
  check_close(smallest, 1, 1e-12);  // the shortest distance is in one of them

  const TemporaryFolder folder;
  folder.write("a.xyz", "2\npbc=\"F F F\"\nSi 0 0 0\nSi 0 0 2.5\n");
  folder.write("b.xyz", "2\npbc=\"F F F\"\nSi 0 0 0\nSi 0 0 0.6\n");
  const ProgramResult difference = run_program("gap-predict", {base_model().string(), "--difference", "a.xyz", "b.xyz"}, folder.path());
  CAPTURE(difference.err);
  CHECK(difference.exit_code == 0);
  CHECK(count_of(difference.err, "warning") == 1);
  CHECK(contains(difference.err, "b.xyz:1"));
}

TEST_CASE("outside: gap-info shows the shortest distances") {
  const TemporaryFolder folder;
  const ProgramResult text = run_program("gap-info", {base_model().string()}, folder.path());
  CHECK(contains(text.out, "shortest distances  Si-Si "));
  const auto json = nlohmann::json::parse(run_program("gap-info", {base_model().string(), "--json"}, folder.path()).out);
  CHECK(json.at("shortest_distances").at("Si-Si").get<double>() == load_model(base_model()).shortest_distances.value().at({14, 14}));
}

TEST_CASE("outside: a potential of QUIP predicts as its conversion does, is shown, and has the criterion of covalent radii only") {
  const QuipFiles quip;
  REQUIRE(quip.run("gap-convert", {"D_sic_2bsoap.xml", "m.h5"}).exit_code == 0);
  const std::vector<std::string> options = {"D_sic_2bsoap.sic8.xyz", "--no-reference", "--std", "local", "-o"};
  const auto predict = [&](const char* model, const char* output) {
    std::vector<std::string> arguments = options;
    arguments.insert(arguments.begin(), model);
    arguments.push_back(output);
    return quip.run("gap-predict", arguments);
  };
  REQUIRE(predict("m.h5", "converted.xyz").exit_code == 0);
  const ProgramResult direct = predict("D_sic_2bsoap.xml", "direct.xyz");
  CAPTURE(direct.err);
  REQUIRE(direct.exit_code == 0);
  CHECK(count_of(direct.err, "converted on the way") == 1);
  CHECK(read_text(quip / "direct.xyz") == read_text(quip / "converted.xyz"));
  const Structure frame = read_extxyz(quip / "direct.xyz").at(0);
  CHECK(frame.find_column("gap_local_variance_quip") != nullptr);
  CHECK(frame.find_field("gap_shortest_distance_ratio") == nullptr);

  // The name does not matter.
  std::filesystem::copy(quip / "D_sic_2bsoap.xml", quip / "potential");
  CHECK(predict("potential", "direct.xyz").exit_code == 0);
  const ProgramResult bars = quip.run("gap-predict", {"D_sic_2bsoap.xml", "D_sic_2bsoap.sic8.xyz", "-o", "no.xyz", "--std", "energy"});
  CHECK(bars.exit_code == 2);
  CHECK(contains(bars.err, "imported"));

  quip.folder().write("close.xyz", "2\npbc=\"F F F\"\nSi 0 0 0\nC 0 0 0.7\n");
  const ProgramResult close = quip.run("gap-predict", {"D_sic_2bsoap.xml", "close.xyz", "-o", "out.xyz"});
  CHECK(close.exit_code == 0);
  CHECK(contains(close.err, "1 (Si) and 2 (C) are 0.7 Å apart"));
  CHECK(!contains(close.err, "in training"));

  const ProgramResult shown = quip.run("gap-info", {"D_sic_2bsoap.xml"});
  CHECK(shown.exit_code == 0);
  CHECK(contains(shown.out, "GAP XML D_sic_2bsoap.xml"));
  CHECK(contains(shown.out, "read from           GAP XML, the format of QUIP\n"));
  CHECK(!contains(shown.out, "written by gapkit"));
  CHECK(contains(shown.out, "shortest distances  unknown"));
}

TEST_CASE("outside: a message refuses potentials of QUIP where they cannot be used") {
  const QuipFiles quip;
  quip.folder().write("broken.xml", "<GAP_params><GAP_data>");
  quip.folder().write("empty.xml", "");
  for (const char* name : {"broken.xml", "empty.xml", "missing.xml"}) {
    const ProgramResult result = quip.run("gap-predict", {name, "D_sic_2bsoap.sic8.xyz", "-o", "no.xyz"});
    CHECK(result.exit_code == 2);
    CHECK_MESSAGE(contains(result.err, name), result.err);
  }
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--sample-model", "D_sic_2bsoap.xml", "-o", "m.h5"},
        std::vector<std::string>{"--append", "D_sic_2bsoap.xml", "D_sic_2bsoap.sic8.xyz", "-o", "m.h5"}}) {
    const ProgramResult result = quip.run("gap-fit", arguments);
    CHECK(result.exit_code == 2);
    CHECK_MESSAGE(contains(result.err, "neither posterior nor sums over its data"), result.err);
  }
}

TEST_CASE("n_sparse_above_candidates: memory is counted for the environments that exist, and the fit runs") {
  const Case few("n_sparse_above_candidates");
  const ProgramResult planned = few.run("gap-fit", {"fit.toml", "--dry-run", "--json", "plan.json"});
  CAPTURE(planned.err);
  REQUIRE(planned.exit_code == 0);
  const auto plan = nlohmann::json::parse(read_text(few.folder() / "plan.json"));
  CHECK(plan.at("sparse_points") == 10 + 113);
  CHECK(plan.at("estimate").at("memory_gb").get<double>() < 0.5);
  const ProgramResult fitted = few.run("gap-fit", {"fit.toml", "-o", "m.h5"});
  CAPTURE(fitted.err);
  CHECK(fitted.exit_code == 0);
  CHECK(contains(fitted.err, "n_sparse is 30000, but there are only 113"));
}

TEST_CASE("cases: error bars of a frame whose atom meets millions of images are refused; the mean is predicted") {
  const Case in("base");
  std::ofstream(in.folder() / "tiny.xyz") << "1\nLattice=\"0.05 0 0 0 0.05 0 0 0 0.05\" pbc=\"T T T\"\nSi 0 0 0\n";
  const ProgramResult refused = in.run("gap-predict", {base_model().string(), "tiny.xyz", "-o", "out.xyz", "--std", "energy"});
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("tiny.xyz:1 (frame 1): each atom has") != std::string::npos);
  CHECK(refused.err.find("too many for error bars") != std::string::npos);
  CHECK(!std::filesystem::exists(in.folder() / "out.xyz"));
}
