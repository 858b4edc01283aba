#include "fit/move_sums.hpp"

namespace gapkit {

void make_sums(SufficientStatistics& statistics, const std::vector<bool>& has_rows, Eigen::Index points, std::size_t terms) {
  for (std::size_t i = 0; i < has_rows.size(); ++i) {
    if (!has_rows[i]) continue;
    GroupStatistics& g = statistics.groups[i];
    if (g.gram.size() == 0) g.gram = SymmetricAccumulator(points);
    g.prior.resize(terms, 0.0);
  }
}

void move_sums(Communicator& communicator, SufficientStatistics& statistics, const std::vector<bool>& has_rows) {
  for (std::size_t i = 0; i < has_rows.size(); ++i) {
    if (!has_rows[i]) continue;
    GroupStatistics& g = statistics.groups[i];
    std::vector<double> sums = {g.target_square, g.log_weight, static_cast<double>(g.count)};
    sums.insert(sums.end(), g.prior.begin(), g.prior.end());
    communicator.sum(sums);
    communicator.sum({g.moment.data(), static_cast<std::size_t>(g.moment.size())});
    communicator.sum(g.gram.packed());
    if (communicator.rank() > 0) {
      g.gram.set_zero();
      g.moment.setZero();
      sums.assign(sums.size(), 0.0);
    }
    g.target_square = sums[0];
    g.log_weight = sums[1];
    g.count = static_cast<std::int64_t>(sums[2]);
    g.prior.assign(sums.begin() + 3, sums.end());
  }
}

}  // namespace gapkit
