// The metric of features from gradients of a first fit (methods.md, section 2).

#include <algorithm>
#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>

#include "fit/choose_points.hpp"
#include "fit/compression.hpp"

namespace gapkit {
namespace {

constexpr Eigen::Index block_rows = 4096;

/// One draft on its way: principal directions, in which the first fit works, and the gradients there.
struct Draft {
  std::size_t number;
  FeatureMap principal;
  Matrix gradients = {};  // ⟨g gᵀ⟩ [k, k]
};

Candidates in_half(const Candidates& all, const std::vector<std::int64_t>& half) {
  std::vector<int> places;
  for (std::size_t i = 0; i < all.origin.size(); ++i)
    if (std::binary_search(half.begin(), half.end(), all.origin[i].frame)) places.push_back(static_cast<int>(i));
  return candidates_at(all, places);
}

class MetricLearner {
 public:
  MetricLearner(const CompressionInput& input, const std::vector<std::size_t>& drafts)
      : input_(input), half_(frames_of_metric(input.training.summary(), input.options.seed)) {
    for (const std::size_t t : drafts) {
      const TermOptions& term = *input.scan.drafts[t].options;
      const int rank = FirstFit::rank(term, input.scan.plan.elements.size());
      FeatureMap principal;
      principal.directions = principal_directions(input.candidates[t].x, rank).directions;
      principal.mean = Vector::Zero(principal.directions.rows());
      drafts_.push_back({t, std::move(principal)});
    }
  }

  std::vector<FeatureMap> learn() {
    set_options();
    set_scan();
    const Model model = input_.fit(DatasetView(input_.training, half_), first_, scan_);
    std::vector<FeatureMap> maps;
    Eigen::Index offset = 0;
    for (std::size_t t = 0; t < model.terms.size(); ++t) {
      const Term& term = model.terms[t];
      for (Draft& draft : drafts_)
        if (draft.number == t) sum_gradients(draft, term, model.weights.segment(offset, term.sparse.size()));
      offset += term.sparse.size();
    }
    for (const Draft& draft : drafts_) maps.push_back(map_of(draft));
    return maps;
  }

 private:
  void set_options() {
    first_ = input_.options;
    first_.calibration = {.source = CalibrationOptions::Source::none};
    first_.optimize.folds = 0;
    if (first_.optimize.objective != OptimizeOptions::Objective::none) {
      first_.optimize.objective = OptimizeOptions::Objective::evidence;
      first_.optimize.max_evaluations = std::min(first_.optimize.max_evaluations, FirstFit::steps);
    }
    for (TermOptions& term : first_.terms) {
      const bool learns = is_learned(term);
      term.compression = {};  // the drafts have their features already
      if (term.selection == "indices" || (learns && term.selection == "all")) term.selection = "variance";
      if (!learns) continue;
      const double zeta = term.kernel_parameters.has("zeta") ? term.kernel_parameters.real("zeta") : 4;
      term.kernel = "dot_product";
      term.kernel_parameters = {{"zeta", zeta}};
      term.length_scale_fraction.reset();
      term.length_scale_root.reset();
      term.input_scale_over_size.reset();
      term.config_type_n_sparse.clear();
      term.species_n_sparse.clear();
      for (const Draft& draft : drafts_) {
        const TermDraft& given = input_.scan.drafts[draft.number];
        if (given.options->name == term.name)
          term.species_n_sparse[given.combination()] =
              std::min(FirstFit::most_points, given.sparse_points(input_.candidates[draft.number].x.rows()));
      }
    }
  }

  // The drafts and candidates of the half.
  void set_scan() {
    scan_ = {};
    scan_.plan = input_.scan.plan;
    scan_.data_fingerprint = input_.scan.data_fingerprint;
    scan_.candidates.emplace();
    for (std::size_t t = 0; t < input_.scan.drafts.size(); ++t) {
      TermDraft draft = input_.scan.drafts[t];
      const TermOptions& given = *draft.options;
      draft.options = &first_.terms[static_cast<std::size_t>(&given - input_.options.terms.data())];
      Candidates half = in_half(input_.candidates[t], half_);
      if (draft.options->selection != "file" && half.x.rows() == 0) draft.is_empty = true;
      for (const Draft& learned : drafts_)
        if (learned.number == t) {
          half.x = mapped_rows(half.x, learned.principal.directions, learned.principal.mean);
          draft.descriptor = mapped_descriptor(draft.descriptor, learned.principal);
        }
      scan_.drafts.push_back(std::move(draft));
      scan_.candidates->push_back(std::move(half));
    }
  }

  // ⟨g gᵀ⟩ of the environments of the half, g the gradient of the local energy on the sphere of normalised spectra.
  void sum_gradients(Draft& draft, const Term& term, const Vector& weights) const {
    const Eigen::Index size = draft.principal.directions.cols();
    draft.gradients = Matrix::Zero(size, size);
    if (term.sparse.size() == 0) return;
    const auto energy = term.kernel->compile(weights.cwiseProduct(term.weight() * term.sparse.covariance_cutoff), term.sparse.x);
    const Matrix x = mapped_rows(in_half(input_.candidates[draft.number], half_).x, draft.principal.directions, draft.principal.mean);
    Matrix g;
    std::vector<double> values;
    for (Eigen::Index begin = 0; begin < x.rows(); begin += block_rows) {
      const Eigen::Index rows = std::min(block_rows, x.rows() - begin);
      g.resize(rows, size);
      values.resize(static_cast<std::size_t>(rows));
      MatrixSlice slice = g;
      energy->compute(x.middleRows(begin, rows), values, &slice);
      const Vector along = g.cwiseProduct(x.middleRows(begin, rows)).rowwise().sum();
      g -= along.asDiagonal() * x.middleRows(begin, rows);
      multiply_tn(g, g, draft.gradients, 1 / static_cast<double>(x.rows()), 1);
    }
  }

  FeatureMap map_of(const Draft& draft) const {
    const TermOptions& term = *input_.scan.drafts[draft.number].options;
    const Matrix& all = input_.candidates[draft.number].x;
    const Matrix& principal = draft.principal.directions;
    const SymmetricEigen eigen = symmetric_eigen(draft.gradients);
    const Eigen::Index size = eigen.values.size();
    const double largest = eigen.values[size - 1];
    Matrix across(principal.rows(), size);  // directions times their weights, largest first
    for (Eigen::Index k = 0; k < size; ++k) {
      const double value = std::max(0.0, eigen.values[size - 1 - k]);
      const double weight = std::pow((largest > 0 ? value / largest : 1) + term.compression.floor, 0.25);
      across.col(k) = weight * (principal * eigen.vectors.row(size - 1 - k).transpose());
    }
    FeatureMap map;
    map.kind = "learned";
    map.mean = all.colwise().mean();
    map.frames = half_;
    const Matrix y = mapped_rows(all, across, map.mean);
    const double per_row = 1 / static_cast<double>(y.rows());
    const Vector variance = y.colwise().squaredNorm().transpose() * per_row;
    const double total = variance.sum();
    const bool is_share = term.compression.rank > 0 && term.compression.rank < 1;
    const Eigen::Index kept = rank_of(is_share ? term.compression.rank : input_.rank(term), variance, total);
    const double kept_variance = variance.head(kept).sum();
    map.directions = across.leftCols(kept) * (kept_variance > 0 ? 1 / std::sqrt(kept_variance) : 1.0);
    map.kept_variance = total > 0 ? std::min(1.0, kept_variance / total) : 1.0;
    return map;
  }

  const CompressionInput& input_;
  std::vector<std::int64_t> half_;
  std::vector<Draft> drafts_;
  FitOptions first_;
  DataScan scan_;
};

}  // namespace

std::vector<std::int64_t> frames_of_metric(const DatasetSummary& summary, std::uint64_t seed) {
  std::map<std::string, std::vector<std::int64_t>> frames_of;
  for (const DatasetSummary::Frame& frame : summary.frames)
    frames_of[summary.config_types[static_cast<std::size_t>(frame.config_type)]].push_back(frame.number);
  RandomStream random{.seed = seed, .stream = 0xA24BAED4963EE407u};
  std::vector<std::int64_t> half;
  bool takes_more = true;  // of an odd number: in turn, so that many types of one frame do not leave an empty half
  for (auto& [name, numbers] : frames_of) {
    shuffle(numbers, random);
    std::size_t count = numbers.size() / 2;
    if (numbers.size() % 2 == 1) {
      count += takes_more;
      takes_more = !takes_more;
    }
    half.insert(half.end(), numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::sort(half.begin(), half.end());
  return half;
}

CompressionKind learned_kind() {
  return {"learned",
          [](const CompressionInput& input, const std::vector<std::size_t>& drafts) { return MetricLearner(input, drafts).learn(); }};
}

}  // namespace gapkit
