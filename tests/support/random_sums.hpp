#pragma once

#include <gapkit/model/statistics.hpp>
#include <random>

#include "support/distributions.hpp"
#include "support/support.hpp"

namespace gapkit::test {

/// Statistics of random rows, with the rows themselves.
struct RandomSums {
  SufficientStatistics statistics;
  std::vector<Eigen::Index> offsets;  ///< first column of each term
  std::vector<Matrix> rows;           ///< φ of each group
  std::vector<Vector> targets;
};

/// `counts` rows in each group; groups cycle through energy, force, virial; the first three are the default class. Targets come from
/// random weights of size `amplitude` and noise. With folds, every group exists once for each fold.
inline RandomSums random_sums(const std::vector<int>& counts, std::vector<Eigen::Index> offsets, unsigned seed,
                              std::vector<double> noise = {0.02}, double amplitude = 1, int folds = 1) {
  std::mt19937 random(seed);
  Normal normal;
  RandomSums sums;
  sums.offsets = std::move(offsets);
  const Eigen::Index size = sums.offsets.back();
  Vector weights(size);
  for (double& w : weights) w = amplitude * normal(random);
  for (int fold = 0; fold < folds; ++fold)
    for (std::size_t g = 0; g < counts.size(); ++g) {
      GroupStatistics group;
      group.group = {static_cast<Property>(g % 3), g < 3 ? "default" : "liquid", false, 1, fold};
      group.gram = SymmetricAccumulator(size);
      Matrix rows(counts[g], size);
      for (Eigen::Index i = 0; i < rows.size(); ++i) rows.data()[i] = 0.3 * normal(random) / static_cast<double>(1 + i % size);
      Vector y = rows * weights;
      for (double& value : y) value += noise[g % noise.size()] * normal(random);
      group.gram.add_rows(rows);
      group.moment = rows.transpose() * y;
      group.target_square = y.squaredNorm();
      group.count = counts[g];
      group.log_weight = 0.7 * static_cast<double>(g);
      sums.statistics.groups.push_back(std::move(group));
      sums.rows.push_back(std::move(rows));
      sums.targets.push_back(std::move(y));
    }
  return sums;
}

}  // namespace gapkit::test
