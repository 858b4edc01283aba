#include "fit/statistics_builder.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <numeric>

namespace gapkit {
namespace {

constexpr Eigen::Index batch_numbers = 16'000'000;  // 128 MB

}  // namespace

Eigen::Index StatisticsBuilder::batch_rows(Eigen::Index sparse_points) {
  return std::clamp<Eigen::Index>(batch_numbers / std::max<Eigen::Index>(sparse_points, 1), 2048, 8192);
}

StatisticsBuilder::StatisticsBuilder(const SparseFactor& factor, const std::vector<RowGroup>& groups, std::string fingerprint, RowSink sink)
    : factor_(factor), sink_(std::move(sink)), capacity_(batch_rows(factor.size())) {
  statistics_.fingerprint = std::move(fingerprint);
  for (const RowGroup& group : groups) {
    GroupStatistics g;
    g.group = group;
    g.moment = Vector::Zero(factor.size());
    statistics_.groups.push_back(std::move(g));  // the Gram matrix takes memory only once rows arrive
  }
  rows_.resize(capacity_, factor.size());
  whitened_.resize(capacity_, factor.size());
}

MatrixSlice StatisticsBuilder::reserve(Eigen::Index rows) {
  if (!has_room(rows)) flush();
  if (rows > capacity_) {  // one structure larger than a batch
    capacity_ = rows;
    rows_.resize(capacity_, factor_.size());
    whitened_.resize(capacity_, factor_.size());
  }
  return rows_.middleRows(used_, rows);
}

void StatisticsBuilder::add(const RowTargets& targets, const Matrix* prior, std::optional<KeptRows> kept) {
  for (std::size_t i = 0; prior && i < targets.value.size(); ++i) prior_.push_back(prior->row(static_cast<Eigen::Index>(i)).transpose());
  value_.insert(value_.end(), targets.value.begin(), targets.value.end());
  noise_scale_.insert(noise_scale_.end(), targets.noise_scale.begin(), targets.noise_scale.end());
  group_.insert(group_.end(), targets.group.begin(), targets.group.end());
  used_ = static_cast<Eigen::Index>(value_.size());
  if (kept) kept_.emplace_back(used_, std::move(*kept));
  ++added_frames_;
}

void StatisticsBuilder::resume(SufficientStatistics statistics, std::int64_t frames) {
  if (statistics.fingerprint != statistics_.fingerprint) throw InputError("the checkpoint's statistics belong to other sparse points");
  for (GroupStatistics& g : statistics.groups)
    for (GroupStatistics& mine : statistics_.groups)
      if (mine.group.same_rows(g.group)) {
        g.group.sigma = mine.group.sigma;  // the sums do not depend on it
        mine = std::move(g);
        break;
      }
  folded_frames_ = added_frames_ = frames;
}

void StatisticsBuilder::flush() {
  std::vector<int> order(value_.size());
  std::iota(order.begin(), order.end(), 0);
  order.erase(
      std::remove_if(order.begin(), order.end(), [&](int i) { return group_[static_cast<std::size_t>(i)] == RowTargets::excluded; }),
      order.end());
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return group_[static_cast<std::size_t>(a)] < group_[static_cast<std::size_t>(b)]; });
  const auto count = static_cast<Eigen::Index>(order.size());
  PhaseClock watch;
#pragma omp parallel for schedule(static)
  for (Eigen::Index i = 0; i < count; ++i) {
    const int from = order[static_cast<std::size_t>(i)];
    whitened_.row(i) = rows_.row(from) / noise_scale_[static_cast<std::size_t>(from)];
  }
  factor_.whiten(whitened_.topRows(count));
  whiten_time_ += watch.lap();
  pass_on(order);
  watch.lap();
  if (!sink_.is_only) add_to_sums(order);
  gram_time_ += watch.lap();
  value_.clear();
  noise_scale_.clear();
  group_.clear();
  prior_.clear();
  used_ = 0;
  folded_frames_ = added_frames_;
}

// `order`: the row of the batch that each whitened row belongs to.
void StatisticsBuilder::pass_on(const std::vector<int>& order) {
  if (kept_.empty()) return;
  std::vector<Eigen::Index> whitened(value_.size(), -1);  // place of each row of the batch
  for (std::size_t i = 0; i < order.size(); ++i) whitened[static_cast<std::size_t>(order[i])] = static_cast<Eigen::Index>(i);
  std::vector<KeptRows> structures;
  for (auto& [end, kept] : kept_) {
    kept.resize(factor_.size());
    auto place = static_cast<std::size_t>(end);
    for (std::size_t row = kept.rows.size(); row-- > 0;) {  // excluded rows of the batch are skipped
      do --place;
      while (whitened[place] < 0);
      kept.set_row(row, whitened_.row(whitened[place]));
    }
    structures.push_back(std::move(kept));
  }
  kept_.clear();
  sink_.take(std::move(structures));
}

void StatisticsBuilder::add_to_sums(const std::vector<int>& order) {
  const auto count = static_cast<Eigen::Index>(order.size());
  for (Eigen::Index first = 0; first < count;) {
    const int group = group_[static_cast<std::size_t>(order[static_cast<std::size_t>(first)])];
    Eigen::Index last = first;
    GroupStatistics& g = statistics_.groups[static_cast<std::size_t>(group)];
    if (g.gram.size() == 0) g.gram = SymmetricAccumulator(factor_.size());
    Vector y(count - first);
    for (; last < count; ++last) {
      const auto row = static_cast<std::size_t>(order[static_cast<std::size_t>(last)]);
      if (group_[row] != group) break;
      y[last - first] = value_[row] / noise_scale_[row];
      g.log_weight -= 2 * std::log(noise_scale_[row]);
      if (prior_.empty()) continue;
      g.prior.resize(static_cast<std::size_t>(prior_[row].size()), 0.0);
      for (std::size_t t = 0; t < g.prior.size(); ++t)
        g.prior[t] += prior_[row][static_cast<Eigen::Index>(t)] / (noise_scale_[row] * noise_scale_[row]);
    }
    const auto phi = whitened_.middleRows(first, last - first);
    y.conservativeResize(last - first);
    if (!y.allFinite()) throw NumericalError("a target of the training data is not finite");
    g.gram.add_rows(phi);
    g.moment += phi.transpose() * y;
    g.target_square += y.squaredNorm();
    g.count += last - first;
    first = last;
  }
}

SufficientStatistics StatisticsBuilder::finish() {
  flush();
  // Groups without rows are removed.
  auto& groups = statistics_.groups;
  groups.erase(std::remove_if(groups.begin(), groups.end(), [](const GroupStatistics& g) { return g.count == 0; }), groups.end());
  for (const GroupStatistics& g : groups)
    if (!g.moment.allFinite() || !std::isfinite(g.target_square))
      throw NumericalError(std::string("the kernel rows of property '") + property_name(g.group.property) + "' hold NaN or infinity");
  return std::move(statistics_);
}

}  // namespace gapkit
