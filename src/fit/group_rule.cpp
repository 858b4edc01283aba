// The groups of structures that a cautious calibration leaves out.

#include <algorithm>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/model/term.hpp>
#include <limits>

#include "fit/left_out_groups.hpp"

namespace gapkit {
namespace {

constexpr int most_clusters = 8, fewest_clusters = 3;
constexpr std::size_t structures_of_cluster = 15;
constexpr int mean_steps = 20;  // of k-means

/// The whitened energy row per atom; empty without an energy.
Vector signature_of(const KeptRows& structure) {
  for (std::size_t i = 0; i < structure.rows.size(); ++i) {
    if (structure.rows[i].property != Property::energy) continue;
    return structure.row(i).transpose() * structure.rows[i].noise_scale / static_cast<double>(structure.geometry.atomic_numbers.size());
  }
  return {};
}

std::size_t nearest_centre(const std::vector<Vector>& centres, const Vector& point) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < centres.size(); ++c) {
    const double distance = (centres[c] - point).squaredNorm();
    if (distance < least) {
      least = distance;
      best = c;
    }
  }
  return best;
}

/// k-means; the first centres by distance from those before (farthest first), so that kinds of few structures get one.
std::vector<Vector> centres_of(const std::vector<Vector>& points, std::size_t count, std::uint64_t seed) {
  RandomStream random{.seed = seed, .stream = 0x9E3779B97F4A7C15u};
  std::vector<Vector> centres = {points[random.below(points.size())]};
  while (centres.size() < count) {
    const auto far = std::max_element(points.begin(), points.end(), [&](const Vector& a, const Vector& b) {
      return (centres[nearest_centre(centres, a)] - a).squaredNorm() < (centres[nearest_centre(centres, b)] - b).squaredNorm();
    });
    centres.push_back(*far);
  }
  for (int step = 0; step < mean_steps; ++step) {
    std::vector<Vector> sums(count, Vector::Zero(points[0].size()));
    std::vector<double> members(count, 0);
    for (const Vector& point : points) {
      const std::size_t c = nearest_centre(centres, point);
      sums[c] += point;
      ++members[c];
    }
    for (std::size_t c = 0; c < count; ++c)
      if (members[c] > 0) centres[c] = sums[c] / members[c];
  }
  return centres;
}

}  // namespace

GroupRule group_rule(const DatasetSummary& summary, const std::vector<KeptRows>& known, std::uint64_t seed) {
  std::map<std::string, std::int64_t> types;
  for (const DatasetSummary::Frame& frame : summary.frames)
    if (frame.atoms > 1) ++types[summary.config_types[static_cast<std::size_t>(frame.config_type)]];
  if (types.size() > 1) {
    std::vector<std::pair<std::int64_t, std::string>> sorted;
    for (const auto& [name, count] : types) sorted.emplace_back(-count, name);
    std::sort(sorted.begin(), sorted.end());
    std::map<std::string, int> group;
    const int count = std::min(most_left_out_groups, static_cast<int>(sorted.size()));
    for (std::size_t i = 0; i < sorted.size(); ++i) group[sorted[i].second] = std::min(static_cast<int>(i), count - 1);
    return {count, [group, count](const KeptRows& s) {
              const auto found = group.find(s.config_type);  // a type of single atoms
              return found == group.end() ? count - 1 : found->second;
            }};
  }
  std::vector<Vector> points;
  for (const KeptRows& structure : known)
    if (Vector signature = signature_of(structure); signature.size() > 0) points.push_back(std::move(signature));
  const std::size_t clusters = std::clamp<std::size_t>(points.size() / structures_of_cluster, fewest_clusters, most_clusters);
  if (points.size() < fewest_clusters * structures_of_cluster) {  // parts of the file
    std::int64_t last = 0;
    for (const DatasetSummary::Frame& frame : summary.frames) last = std::max(last, frame.number);
    return {most_clusters, [last](const KeptRows& s) { return static_cast<int>(s.number * most_clusters / (last + 1)); }};
  }
  const std::vector<Vector> centres = centres_of(points, clusters, seed);
  return {static_cast<int>(clusters), [centres](const KeptRows& s) {
            const Vector signature = signature_of(s);
            return signature.size() > 0 ? static_cast<int>(nearest_centre(centres, signature)) : 0;
          }};
}

}  // namespace gapkit
