#pragma once

#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/fit/compression.hpp>
#include <list>

#include "fit/data_scan.hpp"

namespace gapkit {

/// What the maps of features are made from: the training frames of one fit, without those that are set aside for any purpose.
struct CompressionInput {
  const Dataset& training;
  const FitOptions& options;
  const DataScan& scan;                       ///< its drafts with the features of their descriptors
  const std::vector<Candidates>& candidates;  ///< of each draft
  /// A fit to a part of the frames, with sparse points among the candidates of its scan.
  std::function<Model(const Dataset& training, const FitOptions& options, DataScan& scan)> fit;

  /// Features after the compression that the term asks for; a default if it names no number.
  int rank(const TermOptions& term) const;
};

/// Settings of the first fit of `learned`.
struct FirstFit {
  static constexpr int most_points = 500;  ///< sparse points of a compressed term
  static constexpr int steps = 12;         ///< of the search for σ and δ
  static constexpr double part_of_structures = 0.5;
  /// Principal directions in which it works: twice the rank, at least 128; 256 where the rank is a share of the variance.
  static int rank(const TermOptions& term, std::size_t elements);
};

/// Numbers of the frames that a learned metric learns from: a random half of each config type (of an odd number the smaller one),
/// ascending.
std::vector<std::int64_t> frames_of_metric(const DatasetSummary& summary, std::uint64_t seed);

/// Features of a term after its compression for data of so many elements, at most; `features` without a compression.
int most_features(const TermOptions& term, std::size_t elements, int features);

/// One line of the table of compressions.
struct CompressionKind {
  std::string name;
  /// Maps of the drafts with these numbers, which have candidates.
  std::function<std::vector<FeatureMap>(const CompressionInput&, const std::vector<std::size_t>& drafts)> make;
};

/// The table: pca, learned. A new kind is one .cpp file and one line here.
const std::list<CompressionKind>& compression_kinds();
CompressionKind pca_kind();
CompressionKind learned_kind();

/// Gives the drafts of terms with a compression mapped descriptors, and the scan the candidates in their features; the candidates of a
/// scan that has none are gathered. Messages with the ranks go to `progress`.
/// Throws InputError if a term has sparse points from a file, which are features that no map has made.
void compress_features(const FitData& data, const FitOptions& options, DataScan& scan, const ProgressCallback& progress,
                       decltype(CompressionInput::fit) fit);

/// (x − meanᵀ) · directions, row by row.
Matrix mapped_rows(const MatrixView& x, const Matrix& directions, const Vector& mean);

/// Directions of feature space, most important first.
struct PrincipalDirections {
  Matrix directions;  ///< [D, k], orthonormal columns
  Vector values;      ///< [k] mean squares along them, descending
};

/// The leading eigenvectors of ⟨x xᵀ⟩ over the rows of x, at most `most`; without those whose mean square is rounding (1e-13 of the
/// largest). Uses every nth row if there are many. Cost: N D² + 10 min(N, D)³ flop.
PrincipalDirections principal_directions(const MatrixView& x, Eigen::Index most);

/// Number of leading directions: `rank` if it is at least 1, else the smallest that keeps this share of `variance` (by direction);
/// at least 1, at most all.
Eigen::Index rank_of(double rank, const Vector& variance, double total);

}  // namespace gapkit
