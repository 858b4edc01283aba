// How often a fit visits its frames; candidates gathered during the scan equal those of a separate pass.

#include <algorithm>
#include <gapkit/fit/update.hpp>

#include "fit/candidate_gatherer.hpp"
#include "fit/convention_checks.hpp"
#include "fit/frame_sample.hpp"
#include "support/counted_dataset.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::vector<int> carbon_and_silicon = {6, 14};

/// Small frames of three config types, which do not come in the order of their names.
std::vector<Structure> mixed_frames(unsigned count, const std::vector<int>& elements, unsigned first_seed = 1) {
  std::vector<Structure> frames;
  for (unsigned seed = first_seed; seed < first_seed + count; ++seed)
    frames.push_back(labelled(random_triclinic(4, seed, elements), seed % 5 == 0 ? "a" : seed % 2 ? "c" : "b"));
  return frames;
}

FitConfiguration options_for_passes() {
  FitConfiguration options = small_options("", {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
  options.keep_statistics = true;
  return options;
}

/// Frames that a fit visits, per frame of the data.
double visits(const std::vector<Structure>& frames, const FitOptions& options) {
  const MemoryDataset data(frames);
  const CountedDataset counted(data);
  fit({counted}, options);
  return static_cast<double>(counted.frames()) / static_cast<double>(frames.size());
}

void check_same_candidates(const std::vector<Structure>& frames, const FitOptions& options) {
  const MemoryDataset data(frames);
  const DataScan scan = scan_training_data({data}, {.gathers_candidates = true}, options, {});
  REQUIRE(scan.candidates.has_value());
  const std::vector<Candidates>& early = *scan.candidates;
  const std::vector<Candidates> late = gather_candidates(data, options, scan, {});
  REQUIRE(early.size() == late.size());
  std::size_t compared = 0;
  for (std::size_t t = 0; t < late.size(); ++t) {
    CAPTURE(t);
    REQUIRE(early[t].serial == late[t].serial);
    CHECK(early[t].config_type == late[t].config_type);
    for (std::size_t i = 0; i < late[t].origin.size(); ++i) {
      CHECK(early[t].origin[i].frame == late[t].origin[i].frame);
      CHECK(early[t].origin[i].atom == late[t].origin[i].atom);
      CHECK(early[t].origin[i].ordinal == late[t].origin[i].ordinal);
    }
    if (late[t].serial.empty()) continue;
    REQUIRE(early[t].x.cols() == late[t].x.cols());
    CHECK((early[t].x - late[t].x).cwiseAbs().maxCoeff() <= 1e-12);
    CHECK((early[t].covariance_cutoff - late[t].covariance_cutoff).cwiseAbs().maxCoeff() <= 1e-12);
    compared += late[t].serial.size();
  }
  CHECK(compared > 100);
}

}  // namespace

TEST_CASE("a fit visits every frame twice: scan with candidates, kernel rows") {
  const FitConfiguration options = options_for_passes();
  CHECK(visits(mixed_frames(12, carbon_and_silicon), options) == 2);
  std::vector<Structure> isolated_first = mixed_frames(12, carbon_and_silicon);
  isolated_first.insert(isolated_first.begin(), {lone_atom(6), lone_atom(14)});
  CHECK(visits(isolated_first, options) == 2);
  // An element that comes late takes one more pass, and is not lost.
  std::vector<Structure> late = mixed_frames(static_cast<unsigned>(EarlyCandidates::most_first_frames) + 5, {14});
  late.push_back(labelled(random_triclinic(4, 500, carbon_and_silicon)));
  CHECK(visits(late, options) == 3);
  const MemoryDataset data(late);
  const FitResult result = fit({data}, options);
  CHECK(std::any_of(result.model.terms.begin(), result.model.terms.end(),
                    [](const Term& term) { return term.label() == "two_body C-Si" && term.sparse.size() > 0; }));
}

TEST_CASE("candidates gathered during the scan equal those of a separate pass") {
  FitConfiguration options = options_for_passes();
  options.terms[0].selection = "uniform";
  check_same_candidates(mixed_frames(20, carbon_and_silicon), options);
  for (TermOptions& term : options.terms) term.max_candidates = 30;  // the pools drop most environments
  check_same_candidates(mixed_frames(60, carbon_and_silicon), options);
  options.terms[1].species = {"Si"};
  std::vector<Structure> isolated_first = mixed_frames(130, carbon_and_silicon);  // more than are kept first
  isolated_first.insert(isolated_first.begin(), {lone_atom(6), lone_atom(14)});
  check_same_candidates(isolated_first, options);
}

TEST_CASE("rounds of a calibration visit their frames twice, and the held-out ones for their errors") {
  FitConfiguration options = options_for_passes();
  const std::vector<Structure> frames = mixed_frames(20, carbon_and_silicon);
  options.calibration.source = CalibrationOptions::Source::holdout;
  options.calibration.fewest_structures = 1;
  options.calibration.holdout = 0.2;
  options.calibration.rounds = 3;
  // Scan 1; rows 0.8; two more rounds 2 · 0.8 each; errors of three rounds 0.2 each; two passes of the addition 0.2 each.
  CHECK(visits(frames, options) <= 1 + 0.8 + 3.2 + 0.6 + 0.4 + 1e-9);
}

TEST_CASE("append visits the new frames twice, with findings too") {
  const FitConfiguration options = options_for_passes();
  const MemoryDataset first(mixed_frames(12, carbon_and_silicon)), more(mixed_frames(12, carbon_and_silicon, 100));
  for (const bool with_findings : {false, true}) {
    CAPTURE(with_findings);
    FitResult result = fit({first}, options);
    FittedModel fitted{std::move(result.model), std::move(*result.statistics)};
    const CountedDataset counted(more);
    std::vector<CheckFinding> findings;
    CHECK(append(fitted, counted, {}, with_findings ? &findings : nullptr) == 12);
    CHECK(counted.frames() == 24);
  }
}

TEST_CASE("append judges the labels of a sample of the new frames, as a pass of its own would") {
  const FitConfiguration options = options_for_passes();
  FitResult result = fit({MemoryDataset(mixed_frames(60, carbon_and_silicon))}, options);
  FittedModel fitted{std::move(result.model), std::move(*result.statistics)};
  std::vector<Structure> wrong = mixed_frames(40, carbon_and_silicon, 100);
  for (Structure& s : wrong) *s.forces *= -1;
  const MemoryDataset data(wrong);
  std::vector<CheckFinding> findings;
  append(fitted, data, {}, &findings);
  FrameSample sample(choose_sample(data.summary(), fitted.model.seed));
  FitReport report;
  data.visit([&](const Structure& frame, const FramePlace& place) { sample.add(frame, place.number); }, {.targets = &report.plan.targets});
  check_conventions(fitted.model, fitted.stored, sample.frames(), report, {});
  REQUIRE(!report.findings.empty());
  REQUIRE(findings.size() == report.findings.size());
  for (std::size_t i = 0; i < findings.size(); ++i) CHECK(findings[i].message == report.findings[i].message);
}
