// Folds of fits whose features are learned from the training data.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/model/model.hpp>
#include <set>

#include "fit/compression.hpp"
#include "learned_setup.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("folds leave out only structures whose labels did not make the map") {
  const std::vector<Structure> frames = frames_of(1, 18, {14});
  FitConfiguration options = options_of({compressed("learned", 8)});
  options.optimize.folds = 3;
  const FitResult result = fitted(frames, options);
  REQUIRE(result.statistics.has_value());
  std::int64_t always = 0, others = 0, energies_of_map = 0;
  std::set<int> folds;
  for (const GroupStatistics& g : result.statistics->statistics.groups) {
    if (g.group.property != Property::energy) continue;
    (g.group.fold < 0 ? always : others) += g.count;
    if (g.group.fold >= 0) folds.insert(g.group.fold);
  }
  energies_of_map = static_cast<std::int64_t>(map_of(result.model).frames.size());
  CHECK(always == energies_of_map);
  CHECK(others == 18 - energies_of_map);
  CHECK(folds == std::set<int>{0, 1, 2});
  REQUIRE(result.report.optimization.has_value());
  for (const double error : result.report.optimization->after.fold_error) CHECK(error > 0);
  const auto rows_left_out = [](const FitResult& of) { return of.report.optimization.value().left_out; };
  for (std::size_t g = 0; g < result.report.optimization->groups.size(); ++g) {
    CAPTURE(g);
    const std::int64_t rows = result.report.optimization->rows[g];
    CHECK(rows_left_out(result)[g] * 18 == rows * (18 - energies_of_map));  // all structures have the same rows
  }
  // Without a map all structures are in folds, unless the errors are compared with those of a learned metric
  for (const char* kind : {"pca", "none"}) {
    CAPTURE(kind);
    FitConfiguration plain = options_of({compressed(kind, kind == std::string("pca") ? 8 : 0)});
    plain.optimize.folds = 3;
    const FitResult without = fitted(frames, plain);
    for (const GroupStatistics& g : without.statistics->statistics.groups) CHECK(g.group.fold >= 0);
    CHECK(rows_left_out(without) == without.report.optimization->rows);
    plain.optimize.leaves_out_unlearned = true;
    const FitResult comparable = fitted(frames, plain);
    CHECK(rows_left_out(comparable) == rows_left_out(result));
    const auto& groups = result.statistics->statistics.groups;
    REQUIRE(comparable.statistics->statistics.groups.size() == groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {  // the same rows in the same folds
      CHECK(comparable.statistics->statistics.groups[g].count == groups[g].count);
      check_close(comparable.statistics->statistics.groups[g].target_square, groups[g].target_square, 1e-12);
    }
  }
}

TEST_CASE("folds leave out no single atom without neighbours") {
  std::vector<Structure> frames = frames_of(1, 9, {14});
  frames.insert(frames.begin() + 2, lone_atom(14, "even"));
  FitConfiguration options = options_of({compressed("pca", 8)});
  options.optimize.folds = 3;
  const FitResult result = fitted(frames, options);
  std::int64_t always = 0, others = 0;
  for (const GroupStatistics& g : result.statistics->statistics.groups)
    if (g.group.property == Property::energy) (g.group.fold < 0 ? always : others) += g.count;
  CHECK(always == 1);
  CHECK(others == 9);
}
