// Runs the programs on every row of the catalogue and compares their answers.

#include <algorithm>
#include <gapkit/io/extxyz.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/run_program.hpp"
#include "bad_inputs/bad_inputs.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"

namespace gapkit::test {
namespace {

constexpr const char* valid_configuration = R"([data]
train = ["train.xyz"]

[reference_energies]
mode = "isolated"

[[term]]
descriptor = "soap"
cutoff = 4.5
n_max = 3
l_max = 2
kernel = "dot_product"
zeta = 2
delta = 0.5
n_sparse = 8
selection = "random"

[regularization]
energy = 0.002
force = 0.1
virial = 0.1
)";

Inputs valid_inputs() {
  static const std::vector<Structure> frames = [] {
    std::vector<Structure> all = {lone_atom(14, "isolated_atom")};
    for (unsigned seed : {3u, 4u, 5u}) all.push_back(labelled(random_triclinic(8, seed)));
    for (int i = 1; i <= 4; ++i) {
      Matrix3 deformation = Matrix3::Identity();
      deformation(0, 0) += 0.012 * i;
      deformation(0, 1) = deformation(1, 0) = 0.005 * i;
      deformation(2, 2) -= 0.003 * i;
      all.push_back(labelled(deformed(all[1], deformation), "strain"));
    }
    for (int i = 0; i < 4; ++i) {
      Structure moved = all[2];
      std::mt19937 random(11);
      Normal step(0, 0.02);
      for (Eigen::Index k = 0; k < moved.positions.size(); ++k) moved.positions.data()[k] += (i + 1) * step(random);
      all.push_back(labelled(moved, "md"));
    }
    return all;
  }();
  return {frames, valid_configuration, {}, {}};
}

/// Lines of `text` that begin with `beginning` and hold `part`.
int lines_with(const std::string& text, const std::string& beginning, const std::string& part) {
  std::istringstream lines(text);
  int found = 0;
  for (std::string line; std::getline(lines, line);) found += line.starts_with(beginning) && contains(line, part);
  return found;
}

void write_inputs(const TemporaryFolder& folder, const Inputs& inputs) {
  folder.write("fit.toml", inputs.configuration);
  if (!inputs.files.count("train.xyz")) {
    write_frames((folder.path() / "train.xyz").string(), inputs.frames);
    std::string text = read_text(folder.path() / "train.xyz");
    for (const auto& edit : inputs.edits) edit(text);
    folder.write("train.xyz", text);
  }
  for (const auto& [name, text] : inputs.files) folder.write(name, text);
}

/// One line "program: error: …" on stderr.
void check_one_sentence(const ProgramResult& result, const std::string& program, const std::string& sentence) {
  CAPTURE(result.err);
  CHECK(result.exit_code == 2);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  CHECK(result.err.starts_with(program + ": error: "));
  CHECK(!contains(result.err, "internal error"));
  CHECK(contains(result.err, sentence));
}

void check_row(const BadInput& row) {
  const std::string name = row.name;
  CAPTURE(name);
  Inputs inputs = valid_inputs();
  row.spoil(inputs);
  const TemporaryFolder folder;
  write_inputs(folder, inputs);
  const auto before = files_in(folder.path());
  const auto is_given = [&](const char* flag) {
    return std::find(row.arguments.begin(), row.arguments.end(), flag) != row.arguments.end();
  };
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "fit.toml");
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    if (!is_given("--threads")) arguments.insert(arguments.end(), {"--threads", "1"});  // small work: faster
    return run_program("gap-fit", arguments, folder.path());
  };

  const ProgramResult check = run({"--check"});
  const bool is_mistake = row.answer == Answer::error || row.answer == Answer::refused;
  CAPTURE(check.out);
  CAPTURE(check.err);
  if (is_mistake) {
    CHECK(check.exit_code == 2);
    CHECK(!contains(check.err, "internal error"));
  } else {
    CHECK(check.exit_code == 0);
    CHECK(contains(check.out, "\n0 errors, "));
  }
  if (row.answer == Answer::refused) {
    check_one_sentence(check, "gap-fit", row.sentence);
    CHECK(check.out == "");
  } else {
    const std::string severity = is_mistake ? "error: " : row.answer == Answer::warning ? "warning: " : "note: ";
    CHECK(lines_with(check.out, severity, row.sentence) >= 1);
  }
  CHECK(files_in(folder.path()) == before);

  const ProgramResult fit = run(is_given("--json") ? std::vector<std::string>{"-o", "model.h5"}
                                                   : std::vector<std::string>{"-o", "model.h5", "--json", "fit.json"});
  CAPTURE(fit.err);
  if (is_mistake) {
    check_one_sentence(fit, "gap-fit", row.sentence);
    CHECK(fit.out == "");
    CHECK(files_in(folder.path()) == before);
  } else {
    CHECK(fit.exit_code == 0);
    CHECK(contains(fit.err, row.sentence) == (row.answer == Answer::warning));
  }
}

/// Names are unique, so that a failure identifies its row.
void check_rows(const std::vector<BadInput>& rows) {
  std::set<std::string> names;
  for (const BadInput& row : rows) {
    CHECK_MESSAGE(names.insert(row.name).second, row.name);
    check_row(row);
  }
}

}  // namespace

void Inputs::configure(const std::string& from, const std::string& to) {
  const auto at = configuration.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  configuration.replace(at, from.size(), to);
}

void Inputs::edit_line(int line, const std::string& from, const std::string& to) {
  edit([=](std::string& text) {
    std::size_t begin = 0;
    for (int i = 1; i < line; ++i) begin = text.find('\n', begin) + 1;
    const std::size_t end = text.find('\n', begin);
    std::string found = text.substr(begin, end - begin);
    const auto at = found.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    found = from.empty() ? to : found.replace(at, from.size(), to);
    text.replace(begin, end - begin, found);
  });
}

TEST_CASE("the catalogue's valid inputs have no finding, and fit") {
  const TemporaryFolder folder;
  write_inputs(folder, valid_inputs());
  const ProgramResult check = run_program("gap-fit", {"fit.toml", "--check", "--json", "check.json"}, folder.path());
  CAPTURE(check.out);
  CAPTURE(check.err);
  CHECK(check.exit_code == 0);
  CHECK(contains(check.out, "\n0 errors, 0 warnings, 0 notes\n"));
  const auto json = nlohmann::json::parse(read_text(folder.path() / "check.json"));
  CHECK(json.at("errors") == 0);
  CHECK(json.at("findings").empty());
  CHECK(json.at("config_types").at("strain").at("frames") == 4);
  CHECK(json.at("config_types").at("strain").at("virials") == 4);
  CHECK(json.at("config_types").at("isolated_atom").at("virials") == 0);
  CHECK(json.at("keys").at("energy").at("energy") == 12);
  CHECK(json.at("plan").at("data").at("frames") == 12);
  const ProgramResult fit = run_program("gap-fit", {"fit.toml", "-o", "model.h5"}, folder.path());
  CAPTURE(fit.err);
  CHECK(fit.exit_code == 0);
  CHECK(!contains(fit.err, "warning"));
}

TEST_CASE("bad inputs: files that cannot be read") {
  check_rows(unreadable_files());
}
TEST_CASE("bad inputs: frames that cannot be read") {
  check_rows(unreadable_frames());
}
TEST_CASE("bad inputs: cells and positions") {
  check_rows(bad_cells_and_positions());
}
TEST_CASE("bad inputs: isolated atoms") {
  check_rows(bad_isolated_atoms());
}
TEST_CASE("bad inputs: repeated structures") {
  check_rows(repeated_structures());
}
TEST_CASE("bad inputs: energies, forces and virials that are no numbers") {
  check_rows(targets_that_are_no_numbers());
}
TEST_CASE("bad inputs: sigma and masks of rows") {
  check_rows(bad_sigmas_and_masks());
}
TEST_CASE("bad inputs: missing and misnamed energies, forces and virials") {
  check_rows(missing_and_misnamed_targets());
}
TEST_CASE("bad inputs: improbable energies and forces") {
  check_rows(improbable_targets());
}
TEST_CASE("bad inputs: units and signs") {
  check_rows(wrong_units_and_signs());
}
TEST_CASE("bad inputs: units of some frames") {
  check_rows(units_of_some_frames());
}
TEST_CASE("bad inputs: configuration and command line") {
  check_rows(bad_configurations());
}

TEST_CASE("bad inputs: several errors are counted in the fit's sentence and listed by --check") {
  Inputs inputs = valid_inputs();
  for (int n = 2; n <= 9; ++n) inputs.frame(n).set_field("energy", std::string("low"));
  inputs.frame(10).cell->row(2).setZero();
  const TemporaryFolder folder;
  write_inputs(folder, inputs);
  const ProgramResult check = run_program("gap-fit", {"fit.toml", "--check", "--json", "check.json"}, folder.path());
  CAPTURE(check.out);
  CHECK(check.exit_code == 2);
  CHECK(lines_with(check.out, "error: ", "key 'energy' is 'low'") == 5);
  CHECK(lines_with(check.out, "error: ", "… and 3 more of this kind") == 1);
  CHECK(lines_with(check.out, "error: ", "the cell has a volume of 0 Å³") == 1);
  CHECK(contains(check.out, "\n9 errors, "));
  const auto json = nlohmann::json::parse(read_text(folder.path() / "check.json"));
  CHECK(json.at("errors") == 9);
  CHECK(json.at("plan").is_null());
  CHECK(json.at("findings").at(0).at("severity") == "error");
  const ProgramResult fit = run_program("gap-fit", {"fit.toml", "-o", "model.h5"}, folder.path());
  check_one_sentence(fit, "gap-fit",
                     "train.xyz:4 (frame 2): key 'energy' is 'low', expected a finite number (and 8 more errors: gap-fit --check");
  CHECK(!std::filesystem::exists(folder.path() / "model.h5"));
}

TEST_CASE("bad inputs: predictions") {
  const TemporaryFolder folder;
  write_inputs(folder, valid_inputs());
  REQUIRE(run_program("gap-fit", {"fit.toml", "-o", "model.h5"}, folder.path()).exit_code == 0);
  const std::string model = read_text(folder.path() / "model.h5");
  struct Row {
    const char* name;
    std::string model, input;  // contents; empty: the valid ones
    std::vector<std::string> arguments;
    const char* sentence;
  };
  std::string flipped = model;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x40);
  const std::string cell = "Lattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3";
  const std::vector<Row> rows = {
      {"model is text", "not a model\n", "", {}, "bad.h5"},
      {"model is empty", "\n", "", {}, "bad.h5"},
      {"model cut in half", model.substr(0, model.size() / 2), "", {}, "bad.h5"},
      {"a bit of the model flipped", flipped, "", {}, "bad.h5"},
      {"input without frames", "", "\n", {}, "bad.xyz:1 (frame 1): the file holds no frame"},
      {"unknown element to the model", "", "2\npbc=\"F F F\"\nSi 0 0 0\nGe 2.4 0 0\n", {}, "Ge"},
      {"unknown element to the world", "", "1\npbc=\"F F F\"\nXx 0 0 0\n", {}, "bad.xyz:3 (frame 1): "},
      {"NaN in a position", "", "1\n" + cell + "\nSi 0 nan 0\n", {}, "expected a finite position"},
      {"cell without volume",
       "",
       "1\nLattice=\"5 0 0 0 5 0 0 5 0\" Properties=species:S:1:pos:R:3\nSi 0 0 0\n",
       {},
       "bad.xyz:1 (frame 1): "},
      {"file ends inside a frame", "", "2\n" + cell + "\nSi 0 0 0\n", {}, "the file ends inside the frame: expected 2 atoms, found 1"},
      {"reference forces NaN", "", "1\n" + cell + ":forces:R:3\nSi 0 0 0 nan 0 0\n", {}, "(--no-reference predicts without comparing)"},
      {"unknown error bar", "", "", {"--std", "enery"}, "did you mean 'energy'?"},
      {"unknown flag", "", "", {"--no-force"}, "did you mean '--no-forces'?"},
      {"output is the input", "", "", {"-o", "train.xyz"}, "-o"},
  };
  for (const Row& row : rows) {
    const std::string name = row.name;
    CAPTURE(name);
    std::vector<std::string> arguments = {"model.h5", "train.xyz"};
    if (!row.model.empty()) {
      folder.write("bad.h5", row.model);
      arguments[0] = "bad.h5";
    }
    if (!row.input.empty()) {
      folder.write("bad.xyz", row.input);
      arguments[1] = "bad.xyz";
    }
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    if (std::find(arguments.begin(), arguments.end(), "-o") == arguments.end()) arguments.insert(arguments.end(), {"-o", "out.xyz"});
    const auto before = files_in(folder.path());
    const ProgramResult result = run_program("gap-predict", arguments, folder.path());
    check_one_sentence(result, "gap-predict", row.sentence);
    CHECK(result.out == "");
    CHECK(files_in(folder.path()) == before);
  }
}

}  // namespace gapkit::test
