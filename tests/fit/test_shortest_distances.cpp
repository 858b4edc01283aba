// The model keeps the shortest distance of each pair of elements in its training data; estimates count the candidates that exist.

#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<Structure> odd_and_even_frames(unsigned first, unsigned count, const std::vector<int>& elements) {
  std::vector<Structure> frames;
  for (unsigned seed = first; seed < first + count; ++seed) frames.push_back(labelled(random_triclinic(4, seed, elements)));
  return frames;
}

/// By neighbour lists, apart from the library's way.
ShortestDistances shortest_in(const std::vector<Structure>& frames, double cutoff) {
  ShortestDistances result;
  for (const Structure& s : frames) {
    const NeighborList list(s, cutoff);
    for (std::size_t i = 0; i < s.atomic_numbers.size(); ++i)
      for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) {
        const std::pair<int, int> elements =
            std::minmax({s.atomic_numbers[i], s.atomic_numbers[static_cast<std::size_t>(list.index()[p])]});
        double& shortest = result.try_emplace(elements, list.distance()[p]).first->second;
        shortest = std::min(shortest, list.distance()[p]);
      }
  }
  return result;
}

void check_same(const std::optional<ShortestDistances>& actual, const ShortestDistances& expected) {
  REQUIRE(actual.has_value());
  REQUIRE(actual->size() == expected.size());
  for (const auto& [elements, distance] : expected) {
    REQUIRE(actual->count(elements) == 1);
    check_close(actual->at(elements), distance, 1e-6);  // positions went through a file
  }
}

std::vector<Structure> joined(std::vector<Structure> a, const std::vector<Structure>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("a fit keeps the shortest distance of each pair of elements; append and merge keep them up to date") {
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  const std::vector<Structure> first = odd_and_even_frames(1, 5, {6, 14}), second = odd_and_even_frames(20, 5, {6, 14});
  FitConfiguration options = small_options(write_frames(path("first.xyz"), first), {small_two_body(0.6, 8)});
  write_frames(path("second.xyz"), second);
  options.keep_statistics = true;
  options.sparse_output = path("sparse");
  const double cutoff = 4.2;
  const FitResult result = fit(options);
  check_same(result.model.shortest_distances, shortest_in(first, cutoff));
  const ShortestDistances all = shortest_in(joined(first, second), cutoff);
  CHECK(all != shortest_in(first, cutoff));

  FittedModel appended{result.model, *result.statistics};
  append(appended, FileDataset({path("second.xyz")}));
  check_same(appended.model.shortest_distances, all);

  FitConfiguration with_same_points = options;
  with_same_points.sparse_output.clear();
  with_same_points.terms[0].selection = "file";
  for (const char* pair : {"C-C", "C-Si", "Si-Si"})
    with_same_points.terms[0].sparse_file[pair] = path("sparse") + ".two_body-" + pair + ".points";
  FitResult a = fit(with_same_points);
  with_same_points.train = {path("second.xyz")};
  FitResult b = fit(with_same_points);
  const FittedModel other{b.model, *b.statistics};
  FittedModel merged{a.model, *a.statistics};
  merge(merged, other);
  check_same(merged.model.shortest_distances, all);

  // A model without distances stays without them: the distances of the new frames alone would be wrong.
  FittedModel old{result.model, *result.statistics};
  old.model.shortest_distances.reset();
  append(old, FileDataset({path("second.xyz")}));
  CHECK(!old.model.shortest_distances);
  FittedModel with_old{a.model, *a.statistics};
  FittedModel early = other;
  early.model.shortest_distances.reset();
  merge(with_old, early);
  CHECK(!with_old.model.shortest_distances);
}

TEST_CASE("frames without rows do not count for the shortest distances; held-out frames do") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = odd_and_even_frames(1, 24, {14});
  FitConfiguration options = small_options(write_frames((folder.path() / "all.xyz").string(), frames), {small_two_body(0.6, 8)});
  options.calibration.source = CalibrationOptions::Source::holdout;
  options.calibration.holdout = 0.3;
  check_same(fit(options).model.shortest_distances, shortest_in(frames, 4.2));

  Structure unlabelled;
  unlabelled.atomic_numbers = {14, 14};
  unlabelled.positions = Positions::Zero(2, 3);
  unlabelled.positions(1, 0) = 1.2;
  frames.push_back(unlabelled);
  options = small_options(write_frames((folder.path() / "more.xyz").string(), frames), {small_two_body(0.6, 8)});
  frames.pop_back();
  check_same(fit(options).model.shortest_distances, shortest_in(frames, 4.2));
}

TEST_CASE("sparse points beyond the environments that exist count neither in memory nor in time") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), odd_and_even_frames(1, 6, {14}));  // 24 environments
  FitConfiguration options = small_options(train, {small_soap(2, 2, 2, 24)});
  const FitPlan exact = plan_fit(options);
  options.terms[0].n_sparse = 100'000;
  const FitPlan plan = plan_fit(options);
  CHECK(plan.terms.at(0).asked == 100'000);
  CHECK(plan.terms.at(0).candidates == 24);
  CHECK(plan.sparse_points() == 24);
  check_close(plan.memory_bytes, exact.memory_bytes, 0);
  check_close(plan.flop, exact.flop, 0);
  CHECK(fit(options).report.terms.at(0).chosen <= 24);
}
