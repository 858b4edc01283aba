#include "fit/compression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/kind_table.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "fit/candidate_gatherer.hpp"

namespace gapkit {
namespace {

constexpr Eigen::Index most_rows = 20'000, most_columns = 4096;  // of a matrix of second moments
constexpr double least_square = 1e-13;                           // of a direction, relative to the largest
constexpr int rank_of_one_element = 64, rank_of_several = 96;
constexpr int least_first_rank = 128, first_rank_of_share = 256;

bool is_share(const TermOptions& term) {
  return term.compression.rank > 0 && term.compression.rank < 1;
}

int asked_rank(const TermOptions& term, std::size_t elements) {
  if (term.compression.rank >= 1) return static_cast<int>(term.compression.rank);
  return elements == 1 ? rank_of_one_element : rank_of_several;
}

// Every nth row, at most `most` of them.
Matrix thinned(const MatrixView& x, Eigen::Index most) {
  if (x.rows() <= most) return x;
  Matrix result(most, x.cols());
  for (Eigen::Index i = 0; i < most; ++i) result.row(i) = x.row(i * x.rows() / most);
  return result;
}

void check_terms(const FitOptions& options, const DataScan& scan) {
  for (const TermOptions& term : options.terms) {
    if (term.compression.kind == "none") continue;
    if (term.selection == "file")
      throw InputError(
          fmt::format("term '{}': selection = \"file\" names feature vectors, but the features of a term with a compression come "
                      "from the training data; use selection = \"indices\", or compression = \"none\"",
                      term.name));
  }
  for (const TermDraft& draft : scan.drafts)
    if (draft.options->compression.kind != "none" && draft.descriptor->size() < fewest_compressed_features)
      throw InputError(fmt::format("term '{}': its descriptor has {} features, a compression needs at least {}; use compression = \"none\"",
                                   draft.options->name, draft.descriptor->size(), fewest_compressed_features));
}

}  // namespace

const std::list<CompressionKind>& compression_kinds() {
  static const std::list<CompressionKind> kinds = {pca_kind(), learned_kind()};
  return kinds;
}

std::vector<std::string> compression_names() {
  std::vector<std::string> names = {"none"};
  for (const CompressionKind& kind : compression_kinds()) names.push_back(kind.name);
  return names;
}

int CompressionInput::rank(const TermOptions& term) const {
  return asked_rank(term, scan.plan.elements.size());
}

int FirstFit::rank(const TermOptions& term, std::size_t elements) {
  return is_share(term) ? first_rank_of_share : std::max(least_first_rank, 2 * asked_rank(term, elements));
}

int most_features(const TermOptions& term, std::size_t elements, int features) {
  if (term.compression.kind == "none") return features;
  if (!is_share(term)) return std::min(features, asked_rank(term, elements));
  return term.compression.kind == "learned" ? std::min(features, FirstFit::rank(term, elements)) : features;
}

Matrix mapped_rows(const MatrixView& x, const Matrix& directions, const Vector& mean) {
  Matrix result(x.rows(), directions.cols());
  multiply_nn(x, directions, result);
  const Vector offset = directions.transpose() * mean;
  result.rowwise() -= offset.transpose();
  return result;
}

PrincipalDirections principal_directions(const MatrixView& given, Eigen::Index most) {
  const bool is_wide = given.cols() > most_columns;
  const Matrix x = thinned(given, is_wide ? most_columns : most_rows);
  const bool by_rows = x.rows() < x.cols();  // X Xᵀ has the same eigenvalues as Xᵀ X
  Matrix moments(by_rows ? x.rows() : x.cols(), by_rows ? x.rows() : x.cols());
  const double per_row = 1 / static_cast<double>(std::max<Eigen::Index>(1, x.rows()));
  if (by_rows)
    multiply_nt(x, x, moments, per_row);
  else
    multiply_tn(x, x, moments, per_row);
  const SymmetricEigen eigen = symmetric_eigen(std::move(moments));
  const Eigen::Index size = eigen.values.size();
  Eigen::Index count = 0;
  while (count < std::min(most, size) && (count == 0 || eigen.values[size - 1 - count] > least_square * eigen.values[size - 1])) ++count;
  PrincipalDirections result{Matrix(x.cols(), count), Vector(count)};
  for (Eigen::Index k = 0; k < count; ++k) {
    const auto vector = eigen.vectors.row(size - 1 - k);
    result.values[k] = eigen.values[size - 1 - k];
    auto direction = result.directions.col(k);
    if (by_rows)
      direction = (x.transpose() * vector.transpose()).normalized();
    else
      direction = vector.transpose();
    for (int pass = 0; by_rows && pass < 2; ++pass)  // of small eigenvalues they are orthogonal up to rounding only
      for (Eigen::Index earlier = 0; earlier < k; ++earlier)
        direction -= result.directions.col(earlier).dot(direction) * result.directions.col(earlier);
    if (by_rows) direction.normalize();
    Eigen::Index largest = 0;  // the sign is arbitrary
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction[largest] < 0) direction = -direction;
  }
  return result;
}

Eigen::Index rank_of(double rank, const Vector& variance, double total) {
  if (rank >= 1) return std::min(static_cast<Eigen::Index>(rank), variance.size());
  double sum = 0;
  Eigen::Index count = 0;
  while (count < variance.size() && (count == 0 || sum < rank * total)) sum += variance[count++];
  return count;
}

void compress_features(const FitData& data, const FitOptions& options, DataScan& scan, const ProgressCallback& progress,
                       decltype(CompressionInput::fit) fit) {
  if (std::all_of(options.terms.begin(), options.terms.end(), [](const TermOptions& t) { return t.compression.kind == "none"; })) return;
  check_terms(options, scan);
  if (!scan.candidates) scan.candidates = gather_candidates(data.train, options, scan, progress);
  std::vector<Candidates>& candidates = *scan.candidates;
  // One kind after the other, so that the first fit of `learned` has the other terms as they will be.
  for (const CompressionKind& kind : compression_kinds()) {
    std::vector<std::size_t> drafts;
    for (std::size_t t = 0; t < scan.drafts.size(); ++t)
      if (scan.drafts[t].options->compression.kind == kind.name && candidates[t].x.rows() > 0) drafts.push_back(t);
    if (drafts.empty()) continue;
    std::vector<FeatureMap> maps = kind.make({data.train, options, scan, candidates, fit}, drafts);
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      TermDraft& draft = scan.drafts[drafts[i]];
      FeatureMap& map = maps[i];
      Matrix& x = candidates[drafts[i]].x;
      x = mapped_rows(x, map.directions, map.mean);
      if (progress)
        progress({.phase = "compress",
                  .message =
                      fmt::format("term '{} {}': {} features of {} ({}), {:.4g} % of the variance", draft.options->name,
                                  draft.combination(), map.directions.cols(), map.directions.rows(), kind.name, 100 * map.kept_variance)});
      draft.descriptor = mapped_descriptor(draft.descriptor, std::move(map));
    }
  }
}

}  // namespace gapkit
