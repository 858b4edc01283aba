// Data sets: the same frames from files, from memory and through views; files are read only where frames are wanted.

#include <fmt/format.h>

#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/extxyz.hpp>
#include <limits>
#include <set>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Numbers = std::vector<std::int64_t>;

/// What a visit handed out: "number part/frame source", and the first coordinate.
std::vector<std::string> seen(const Dataset& data, const VisitRequest& request = {}) {
  std::vector<std::string> result;
  data.visit(
      [&](const Structure& s, const FramePlace& p) {
        result.push_back(fmt::format("{} {}/{} {} {}", p.number, p.part, p.frame, s.source, s.positions(0, 0)));
      },
      request);
  return result;
}

VisitRequest only(const Numbers& numbers) {
  VisitRequest request;
  request.numbers = &numbers;
  return request;
}

std::vector<std::string> at(const std::vector<std::string>& all, const Numbers& numbers) {
  std::vector<std::string> result;
  for (const std::int64_t i : numbers) result.push_back(all.at(static_cast<std::size_t>(i)));
  return result;
}

std::string frame_text(int atoms, double x, const std::string& end = "\n") {
  std::string text = fmt::format("{}{}config_type=t{} energy={}{}", atoms, end, atoms % 2, x, end);
  for (int i = 0; i < atoms; ++i) text += fmt::format("Si {} {} 0{}", x, 3 * i, end);
  return text;
}

/// Bytes that this process has read.
std::int64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::int64_t value = 0;
  io >> name >> value;
  REQUIRE(name == "rchar:");
  return value;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("files: some frames again are the same as in a visit of all") {
  const TemporaryFolder folder;
  std::string first = "\xEF\xBB\xBF", second = "\n  \n";
  for (int i = 0; i < 7; ++i) first += frame_text(1 + i % 3, 0.5 + i, i % 2 ? "\r\n" : "\n") + (i % 3 == 0 ? "\n\n" : "");
  for (int i = 0; i < 5; ++i) second += frame_text(2 + i, 10.25 + i);
  second.pop_back();  // no newline at the end
  const FileDataset data({folder.write("a.xyz", first), folder.write("b.xyz", second)});
  const std::vector<std::string> all = seen(data);
  REQUIRE(all.size() == 12);
  CHECK(all[7].starts_with("7 1/1 "));
  CHECK(seen(data) == all);
  for (const Numbers& numbers :
       {Numbers{0}, Numbers{11}, Numbers{6, 7}, Numbers{1, 3, 4, 9}, Numbers{}, Numbers{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}) {
    CHECK(seen(data, only(numbers)) == at(all, numbers));
    CHECK(seen(DatasetView(data, numbers)) == at(all, numbers));
    const FileDataset fresh(data.parts());  // has to read all of it first
    CHECK(seen(fresh, only(numbers)) == at(all, numbers));
    CHECK(seen(fresh) == all);
  }
  const Numbers missing = {3, 12};
  CHECK_THROWS_AS(seen(data, only(missing)), Error);
}

TEST_CASE("files: only the frames that are wanted are read again, and a summary costs nothing once all were seen") {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "large.xyz";
  {
    std::ofstream out(path);
    for (int i = 0; i < 4000; ++i) out << frame_text(100, 0.001 * i);
  }
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
  REQUIRE(size > 4'000'000);
  const FileDataset data({path});
  const auto bytes_of = [&](const auto& action) {
    const std::int64_t before = bytes_read();
    action();
    return bytes_read() - before;
  };
  CHECK(bytes_of([&] { CHECK(data.summary().frames.size() == 4000); }) >= size);
  CHECK(bytes_of([&] { CHECK(data.summary().atoms() == 400'000); }) < 10'000);
  const Numbers numbers = {5, 6, 2000, 3999};
  CHECK(bytes_of([&] { CHECK(seen(DatasetView(data, numbers)).size() == 4); }) < 1'000'000);
}

TEST_CASE("files: what is changed between two visits is a mistake, not other data") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.xyz", frame_text(2, 1) + frame_text(3, 2));
  const FileDataset data({path});
  REQUIRE(seen(data).size() == 2);
  folder.write("a.xyz", frame_text(2, 1) + frame_text(3, 2) + frame_text(4, 3));
  const Numbers second = {1};
  for (const VisitRequest& request : {VisitRequest(), only(second)})
    CHECK(message_of<InputError>([&] { seen(data, request); }).find("a.xyz: the file has changed") != std::string::npos);
  std::filesystem::remove(path);
  CHECK(message_of<InputError>([&] { seen(data); }).find("a.xyz") != std::string::npos);
}

TEST_CASE("files: mistakes are taken down where that is asked for, and end the visit elsewhere") {
  const TemporaryFolder folder;
  const std::string broken = "2\nenergy=nan\nSi 0 0 0\nSi 0 0 3\n";
  const FileDataset data({folder.write("a.xyz", frame_text(2, 1) + broken + frame_text(2, 3)), (folder.path() / "none.xyz").string(),
                          folder.write("c.xyz", frame_text(2, 4) + "2\n\nSi 0 0\n" + frame_text(2, 5))});
  std::vector<std::string> kinds;
  const VisitRequest request{.finding = [&](const CheckFinding& f) { kinds.push_back(f.kind); }};
  CHECK(seen(data, request).size() == 3);
  CHECK(kinds == std::vector<std::string>{"frame", "unreadable file", "unreadable frame"});
  const DatasetSummary summary = data.summary();
  REQUIRE(summary.frames.size() == 3);
  CHECK(summary.frames[1].number == 2);
  CHECK(summary.frames[2].number == 3);
  CHECK(summary.mistake.find("energy") != std::string::npos);
  CHECK(message_of<InputError>([&] { summary.check_complete(); }) == summary.mistake);
  const std::string strict = message_of<InputError>([&] { seen(data); });
  CHECK(strict == summary.mistake);
  const Numbers good = {0, 2, 3}, bad = {0, 1};
  CHECK(seen(data, only(good)).size() == 3);
  CHECK(message_of<InputError>([&] { seen(data, only(bad)); }) == strict);
  // What the visitor throws is a mistake of the frame, and does not change what is known of the data.
  std::int64_t mistakes = data.visit([](const Structure& s, const FramePlace&) { throw InputError(s.source); }, request);
  CHECK(mistakes == 6);
  CHECK(data.summary().frames.size() == 3);
}

TEST_CASE("views: numbers stay those of the data, also in views of views; summaries count what is in them") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 10; ++i) text += frame_text(1 + i % 4, i);
  const FileDataset files({folder.write("a.xyz", text)});
  std::vector<Structure> frames;
  files.visit([&](const Structure& s, const FramePlace&) { frames.push_back(s); });
  const MemoryDataset memory(frames);
  CHECK(seen(memory).size() == 10);
  for (const Dataset* data : {static_cast<const Dataset*>(&files), static_cast<const Dataset*>(&memory)}) {
    const std::vector<std::string> all = seen(*data);
    const DatasetView part = DatasetView::without(*data, {0, 4, 9});
    CHECK(seen(part) == at(all, {1, 2, 3, 5, 6, 7, 8}));
    const DatasetView smaller = DatasetView::without(part, {2, 3}), other(part, {0, 5, 8, 9});
    CHECK(seen(smaller) == at(all, {1, 5, 6, 7, 8}));
    CHECK(seen(other) == at(all, {5, 8}));
    CHECK(smaller.summary().frames.size() == 5);
    CHECK(smaller.summary().atoms() == 2 + 2 + 3 + 4 + 1);
    CHECK(smaller.summary().frames_of_types() == std::map<std::string, std::int64_t>{{"t0", 3}, {"t1", 2}});
    CHECK(smaller.contains(5));
    CHECK_FALSE(smaller.contains(2));
  }
  CHECK_THROWS_AS(DatasetView(files, {3, 1}), Error);
}

TEST_CASE("memory: frames that no file could hold are refused, and named") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Structure good = labelled(random_triclinic(4, 1));
  const std::vector<std::pair<std::function<void(Structure&)>, std::string>> mistakes = {
      {[](Structure& s) { s.atomic_numbers.clear(); }, "no atoms"},
      {[](Structure& s) { s.atomic_numbers[2] = 0; }, "0 is no atomic number"},
      {[](Structure& s) { s.atomic_numbers[2] = 200; }, "200 is no atomic number"},
      {[](Structure& s) { s.positions.conservativeResize(3, 3); }, "positions has 3 rows"},
      {[&](Structure& s) { s.positions(1, 1) = nan; }, "positions holds NaN"},
      {[&](Structure& s) { (*s.cell)(1, 1) = nan; }, "cell holds NaN"},
      {[&](Structure& s) { s.energy = nan; }, "energy is nan"},
      {[](Structure& s) { s.forces->conservativeResize(5, 3); }, "forces has 5 rows"},
      {[&](Structure& s) { (*s.forces)(0, 2) = -std::numeric_limits<double>::infinity(); }, "forces holds NaN or infinity"},
      {[&](Structure& s) { (*s.virial)(0, 2) = nan; }, "virial holds NaN"},
      {[](Structure& s) { (*s.virial)(0, 2) += 1; }, "virial is not symmetric"},
      {[](Structure& s) { s.force_mask = {true}; }, "force_mask has 1 rows"},
      {[](Structure& s) { s.sigma[Property::force].atom = {0.1}; }, "force_atom_sigma has 1 numbers, expected 4"},
      {[](Structure& s) { s.sigma[Property::force].component.assign(6, 1.0); }, "force_component_sigma has 6 numbers, expected 12"}};
  for (const auto& [change, expected] : mistakes) {
    Structure wrong = good;
    wrong.source.clear();
    change(wrong);
    const std::string message = message_of<InputError>([&] { MemoryDataset({good, wrong}); });
    CHECK(message.starts_with("frame 2: "));
    CHECK_MESSAGE(message.find(expected) != std::string::npos, message);
  }
  Structure masked = good;
  masked.force_mask = {false, true, false, false};
  masked.forces->row(1).setConstant(nan);
  MemoryDataset({masked}).visit([](const Structure& s, const FramePlace&) { CHECK(s.forces->allFinite()); });
}

TEST_CASE("a fit from memory is the fit from files, to the last digit of the model file") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = {lone_atom(6), lone_atom(14)};
  for (unsigned seed = 1; seed <= 24; ++seed)
    frames.push_back(labelled(random_triclinic(5, seed, {6, 14}), seed % 3 == 0 ? "third" : "default"));
  const std::size_t in_first = 11;
  const std::vector<std::string> files = {write_frames((folder.path() / "a.xyz").string(), {frames.begin(), frames.begin() + in_first}),
                                          write_frames((folder.path() / "b.xyz").string(), {frames.begin() + in_first, frames.end()})};
  std::vector<Structure> read;
  for (const std::string& file : files)
    for (Structure& s : read_targets(file)) read.push_back(std::move(s));
  const MemoryDataset memory(read);
  for (Structure& s : read) {  // frames that never were in a file
    s.fields.clear();
    s.columns.clear();
    s.source.clear();
  }
  const MemoryDataset bare(read);
  FitConfiguration options = small_options("", {small_soap(3, 2, 2, 12), small_two_body(0.7, 6)});
  options.train = files;
  options.keep_statistics = true;
  const std::string saved = (folder.path() / "model.h5").string();
  const auto model_of = [&](const Dataset& data, const FitConfiguration& o) {
    const FitResult result = fit({data}, o);
    save_model(result.model, result.statistics.value(), saved);
    return contents(saved);
  };
  for (const int variant : {0, 1, 2}) {
    CAPTURE(variant);
    if (variant == 1) {
      options.calibration.source = CalibrationOptions::Source::holdout;
      options.calibration.holdout = 0.25;
      options.calibration.rounds = 3;
    }
    if (variant == 2) {
      options.optimize.objective = OptimizeOptions::Objective::cross_validation;
      options.optimize.folds = 3;
      options.optimize.fold = "random";
      options.reference_energies.mode = ReferenceEnergyOptions::Mode::isolated;
    }
    const std::string expected = model_of(FileDataset(files), options);
    CHECK(expected.size() > 10'000);
    CHECK(model_of(FileDataset(files), options) == expected);  // else the comparison says nothing
    CHECK(model_of(memory, options) == expected);
    CHECK(model_of(bare, options) == expected);
    options.seed = 7;
    CHECK(model_of(memory, options) != expected);
    options.seed = 0;
  }
}

TEST_CASE("a fit to a view is the fit to a file of its frames") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = toy_training_frames({6, 14});
  FitConfiguration options = small_options(write_frames((folder.path() / "all.xyz").string(), frames), {small_soap(3, 2, 2, 8)});
  Numbers numbers;
  std::vector<Structure> some;
  for (std::size_t i = 0; i < frames.size(); ++i)
    if (i % 4 != 2) {
      numbers.push_back(static_cast<std::int64_t>(i));
      some.push_back(frames[i]);
    }
  const FileDataset all(options.train);
  const FitResult of_view = fit({DatasetView(all, numbers)}, options);
  options.train = {write_frames((folder.path() / "some.xyz").string(), some)};
  const FitResult of_file = fit(options);
  CHECK(largest_difference(of_view.model.weights, of_file.model.weights) == 0);
  CHECK(of_view.model.data_fingerprint == of_file.model.data_fingerprint);
  CHECK(of_view.report.plan.frames == static_cast<std::int64_t>(numbers.size()));
  for (std::size_t m = 0; m < of_view.model.terms[0].sparse.origin.size(); ++m) {
    const auto place = static_cast<std::size_t>(of_file.model.terms[0].sparse.origin[m].frame);
    CHECK(of_view.model.terms[0].sparse.origin[m].frame == numbers[place]);
  }
}
