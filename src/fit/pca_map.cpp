#include "fit/compression.hpp"

namespace gapkit {
namespace {

// Directions of ⟨x xᵀ⟩, not of the variance: the kernel of normalised spectra depends on the mean too, whose direction comes first.
FeatureMap pca_map(const MatrixView& x, const CompressionOptions& compression, int rank) {
  const bool is_share = compression.rank > 0 && compression.rank < 1;
  PrincipalDirections found = principal_directions(x, is_share ? x.cols() : rank);
  const Vector mean = x.colwise().mean();
  const Vector along = found.directions.transpose() * mean;
  const Vector variance = (found.values - along.cwiseAbs2()).cwiseMax(0);
  const double total = (x.rowwise() - mean.transpose()).squaredNorm() / static_cast<double>(x.rows());
  const Eigen::Index kept = rank_of(is_share ? compression.rank : rank, variance, total);
  FeatureMap map;
  map.kind = "pca";
  map.directions = found.directions.leftCols(kept);
  map.mean = Vector::Zero(x.cols());
  map.kept_variance = total > 0 ? std::min(1.0, variance.head(kept).sum() / total) : 1.0;
  return map;
}

}  // namespace

CompressionKind pca_kind() {
  return {"pca", [](const CompressionInput& input, const std::vector<std::size_t>& drafts) {
            std::vector<FeatureMap> maps;
            for (const std::size_t t : drafts) {
              const TermOptions& term = *input.scan.drafts[t].options;
              maps.push_back(pca_map(input.candidates[t].x, term.compression, input.rank(term)));
            }
            return maps;
          }};
}

}  // namespace gapkit
