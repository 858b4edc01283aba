#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/row_loops.hpp>
#include <gapkit/model/term_kernel.hpp>

#include "model/kernel_rows_scratch.hpp"

namespace gapkit {
namespace {

// Columns in one task of a thread. A product packs its operands again for every tile, so wide tiles are faster; but each thread needs one.
// Columns are independent: the width changes results by rounding at most.
Eigen::Index tile_width(Eigen::Index columns, bool is_single) {
  const Eigen::Index granule = is_single ? PackedMatrixOf<float>::granule : 64;
  const Eigen::Index widest = (511 / granule + 1) * granule, widest_alone = (1023 / granule + 1) * granule;
  if (in_parallel_region() || thread_count() == 1) return std::min(columns, widest_alone);
  const Eigen::Index share = (columns + thread_count() - 1) / thread_count();
  return std::clamp((share + granule - 1) / granule * granule, granule, widest);
}

// Memory for the Jacobian of a chunk of centres and its product with a tile: enough rows for GEMM to run at full speed.
constexpr std::size_t chunk_bytes = 8'000'000, single_chunk_bytes = 2'500'000;
constexpr std::size_t kept_bytes = 64'000'000;   // of KeptFeatures
constexpr int most_kept_environments = 512;      // environments
constexpr std::size_t few_feature_chunk = 4096;  // environments in a chunk of a term with few features

// J · Λx of every row of the Jacobian, for the part of a kernel's gradient along x.
void fill_own_contraction(const JacobianBlock& block, const Features& features, const Vector& metric, std::vector<double>& result) {
  const Eigen::Index size = features.x.cols();
  Vector x(size), along(block.radial.cols());
  int environment = -1;
  for (std::size_t row = 0; row < result.size(); ++row) {
    const std::size_t q = row / 3;
    if (block.environment[q] != environment) {
      environment = block.environment[q];
      x = Eigen::Map<const Vector>(features.x.row(environment), size);
      if (metric.size() > 0) x = x.cwiseProduct(metric);
      for (Eigen::Index n = 0; n < along.size(); ++n) {
        const double* direction = block.direction.row(environment * along.size() + n);
        along[n] = 0;
        for (std::size_t c = 0; c < block.radial_feature.size(); ++c) along[n] += direction[c] * x[block.radial_feature[c]];
      }
    }
    const double* j = block.values.row(static_cast<Eigen::Index>(row));
    double sum = 0;
    for (Eigen::Index c = 0; c < block.values.cols(); ++c)
      sum += j[c] * x[block.has_all_features() ? c : block.feature[static_cast<std::size_t>(c)]];
    if (along.size() > 0)
      sum += block.unit(q)[static_cast<Eigen::Index>(row % 3)] *
             Eigen::Map<const Vector>(block.radial.row(static_cast<Eigen::Index>(q)), along.size()).dot(along);
    if (block.projection[row] != 0) sum -= block.projection[row] * Eigen::Map<const Vector>(features.x.row(environment), size).dot(x);
    result[row] = sum;
  }
}

}  // namespace

KernelRows::KernelRows(std::span<const Term> terms) : offsets_(sparse_offsets(terms)), scratch_(std::make_unique<Scratch>()) {
  auto short_terms = std::make_shared<std::vector<Term>>();
  for (const Term& term : terms) short_terms->push_back(shortened(term));
  shared_terms_ = std::move(short_terms);
  terms_ = *shared_terms_;
  auto gradient_points = std::make_shared<std::vector<std::vector<GradientPoints>>>();
  for (const Term& term : terms_) {
    // An environment without neighbours shows the features of each block.
    const std::vector<int> centre = {0}, number = {term.species[0]};
    const std::vector<std::size_t> begin = {0, 0};
    const Environments probe{centre, number, begin, {}, {}, {}, term.descriptor->cutoff()};
    Features features;
    term.descriptor->compute(probe, 0, 1, Derivatives::jacobian, features);
    const Vector metric = term.kernel->metric(term.descriptor->size());
    Matrix scaled;
    if (metric.size() > 0) scaled = term.sparse.x * metric.asDiagonal();
    const Matrix& points = metric.size() > 0 ? scaled : term.sparse.x;
    const auto gathered = [&](const std::vector<int>& features_of_block) {
      Matrix result(points.rows(), static_cast<Eigen::Index>(features_of_block.size()));
      for (std::size_t c = 0; c < features_of_block.size(); ++c)
        result.col(static_cast<Eigen::Index>(c)) = points.col(features_of_block[c]);
      return result;
    };
    std::vector<GradientPoints> blocks;
    for (const JacobianBlock& block : features.blocks)
      blocks.push_back(block.has_all_features() ? GradientPoints{scaled, Matrix()}
                                                : GradientPoints{gathered(block.feature), gathered(block.radial_feature)});
    gradient_points->push_back(std::move(blocks));
  }
  gradient_points_ = std::move(gradient_points);
}

KernelRows::KernelRows(const KernelRows& other)
    : shared_terms_(other.shared_terms_),
      terms_(other.terms_),
      offsets_(other.offsets_),
      gradient_points_(other.gradient_points_),
      scratch_(std::make_unique<Scratch>()) {}

KernelRows::~KernelRows() = default;

const Matrix& KernelRows::gradient_points(std::size_t t, std::size_t block) const {
  const GradientPoints& own = (*gradient_points_)[t][block];
  return own.all.size() > 0 || own.radial.size() > 0 ? own.all : terms_[t].sparse.x;
}

void KernelRows::compute(const Environments& environments, int atoms, const Observables& wanted, MatrixSlice rows, KeptFeatures* kept) {
  if (rows.rows() != wanted.rows(atoms) || rows.cols() != columns()) throw Error("KernelRows: the result has the wrong shape");
  if (wanted.forces || wanted.virial) require_derivatives(terms_);
  rows.setZero();
  if (kept != nullptr) {
    kept->of_term.resize(terms_.size());
    kept->is_kept.assign(terms_.size(), false);
  }
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    if (terms_[t].sparse.size() == 0) continue;
    add_term(t, environments, {atoms, wanted, rows.data(), rows.outerStride()}, kept);
    // δ² f_m of the sparse points
    const Vector scale = terms_[t].weight() * terms_[t].sparse.covariance_cutoff;
    rows.middleCols(offsets_[t], scale.size()).array().rowwise() *= scale.transpose().array();
  }
}

void KernelRows::add_term(std::size_t t, const Environments& environments, const StructureRows& out, KeptFeatures* kept) {
  const Term& term = terms_[t];
  const Eigen::Index count = term.sparse.size(), size = term.descriptor->size();
  const bool derivatives = out.has_derivatives();
  Scratch& s = *scratch_;
  s.in_double.resize(static_cast<std::size_t>(thread_count()));
  s.in_single.resize(s.in_double.size());
  const bool is_single = s.is_single && takes_single(t, out.wanted);
  if (is_single) fill_single_points(t);
  const Eigen::Index width = tile_width(count, is_single), tiles = (count + width - 1) / width;
  const std::size_t pairs_in_chunk =
      size <= most_row_features
          ? few_feature_chunk
          : (is_single ? single_chunk_bytes : chunk_bytes) / (3 * sizeof(double) * static_cast<std::size_t>(size + std::min(width, count)));
  const bool keeps = kept != nullptr && derivatives && size > most_row_features && environments.size() <= most_kept_environments &&
                     3 * sizeof(double) * static_cast<std::size_t>(size) * environments.neighbor.size() <= kept_bytes;
  if (keeps) kept->is_kept[t] = true;
  Features& features = keeps ? kept->of_term[t] : s.features;
  for (int begin = 0, end = 0; begin < environments.size(); begin = end) {
    end = keeps ? environments.size() : chunk_end(environments, *term.descriptor, begin, pairs_in_chunk);
    term.descriptor->compute(environments, begin, end, derivatives ? Derivatives::jacobian : Derivatives::none, features);
    if (features.size() == 0) continue;
    if (has_few_features(t)) {
      add_few_features(t, environments, begin, end, out);
      continue;
    }
    compute_kernel(t, features, derivatives);
    // Each thread has its own columns, so sums have a fixed order and need no locks.
#pragma omp parallel for schedule(dynamic, 1) if (tiles > 1)
    for (Eigen::Index i = 0; i < tiles; ++i) add_tile({t, features, i * width, std::min(width, count - i * width), pairs_in_chunk}, out);
  }
}

// A stationary kernel has differences of products, which cancel. Energies and virials need double precision.
bool KernelRows::takes_single(std::size_t t, const Observables& wanted) const {
  return wanted.forces && !wanted.energy && !wanted.virial && terms_[t].descriptor->size() > most_row_features &&
         !terms_[t].kernel->is_stationary();
}

void KernelRows::use_single_precision(bool is_wanted) {
  scratch_->is_single = is_wanted;
}

// Kernel values of all environments in `features` with all sparse points, and the arrays for their derivatives.
void KernelRows::compute_kernel(std::size_t t, const Features& features, bool derivatives) {
  const Term& term = terms_[t];
  const Eigen::Index n = features.size(), count = term.sparse.size();
  Scratch& s = *scratch_;
  s.value.resize(n, count);
  s.is_projected = std::any_of(features.blocks.begin(), features.blocks.end(), [](const JacobianBlock& b) {
    return std::any_of(b.projection.begin(), b.projection.end(), [](double p) { return p != 0; });
  });
  s.has_own_slope = derivatives && term.kernel->has_own_slope();
  if (derivatives) s.slope.resize(n, count);
  if (s.has_own_slope) s.own_slope.resize(n, count);
  if (derivatives && s.is_projected) s.inner.resize(n, count);
  MatrixSlice slope = s.slope.view(), own_slope = s.own_slope.view(), inner = s.inner.view();
  term.kernel->compute(features.x.view(), term.sparse.x,
                       {.value = s.value.view(),
                        .slope = derivatives ? &slope : nullptr,
                        .inner = derivatives && s.is_projected ? &inner : nullptr,
                        .own_slope = s.has_own_slope ? &own_slope : nullptr});
  const Vector metric = term.kernel->metric(term.descriptor->size());
  s.own_contraction.resize(features.blocks.size());
  for (std::size_t b = 0; b < features.blocks.size(); ++b) {
    s.own_contraction[b].assign(features.blocks[b].projection.size(), 0.0);
    if (term.kernel->is_stationary() || s.has_own_slope) fill_own_contraction(features.blocks[b], features, metric, s.own_contraction[b]);
  }
}

void KernelRows::add_tile(const Tile& tile, const StructureRows& out) const {
  if (out.wanted.energy) {
    double* target = out.data + offsets_[tile.term] + tile.first;
    for (Eigen::Index e = 0; e < tile.features.size(); ++e) {
      const double f = tile.features.covariance_cutoff[static_cast<std::size_t>(e)];
      const double* value = scratch_->value.row(e) + tile.first;
      for (Eigen::Index m = 0; m < tile.width; ++m) target[m] += f * value[m];
    }
  }
  if (!out.has_derivatives()) return;
  if (scratch_->is_single && takes_single(tile.term, out.wanted))
    add_pair_rows<float>(tile, out);
  else
    add_pair_rows<double>(tile, out);
}

void KernelRows::compute_local(const Environments& environments, int begin, int end, MatrixSlice rows, Matrix* prior) {
  if (rows.rows() != end - begin || rows.cols() != columns()) throw Error("KernelRows: the result has the wrong shape");
  rows.setZero();
  if (prior != nullptr) prior->setZero(end - begin, static_cast<Eigen::Index>(terms_.size()));
  Scratch& s = *scratch_;
  for (std::size_t t = 0; t < terms_.size(); ++t) {
    const Descriptor& descriptor = *terms_[t].descriptor;
    const Eigen::Index count = terms_[t].sparse.size();
    if (count == 0 && prior == nullptr) continue;
    const std::size_t in_chunk = chunk_bytes / (sizeof(double) * static_cast<std::size_t>(descriptor.size() + count));
    for (int first = begin; first < end;) {
      const int last = feature_chunk_end(environments, descriptor, first, end, in_chunk);
      descriptor.compute(environments, first, last, Derivatives::none, s.features);
      add_local(t, environments, {first, last, s.features, nullptr}, rows.middleRows(first - begin, last - first), prior, first - begin);
      first = last;
    }
  }
}

void KernelRows::add_local(std::size_t t, const Environments& environments, const CentreFeatures& part, MatrixSlice rows, Matrix* prior,
                           Eigen::Index prior_row) {
  const Features& features = part.features;
  const Term& term = terms_[t];
  const Eigen::Index count = term.sparse.size();
  const MatrixView x = features.x.view();
  Scratch& s = *scratch_;
  if (part.values == nullptr && features.size() > 0) {
    s.value.resize(features.size(), count);
    if (count > 0) term.kernel->compute(x, term.sparse.x, s.value.view());
  }
  const MatrixView value = part.values != nullptr ? *part.values : MatrixView(s.value.view());
  const Vector scale = term.weight() * term.sparse.covariance_cutoff;
  const double prior_scale = std::pow(term.weight() / term.delta, 2);
  Matrix k;
  for_each_centre(environments, part.first, part.last, features, [&](int c, int from, int to) {
    const Eigen::Map<const Vector> f(&features.covariance_cutoff[static_cast<std::size_t>(from)], to - from);
    auto row = rows.row(c - part.first).segment(offsets_[t], count);
    for (int e = from; e < to; ++e) row += f[e - from] * value.row(e).cwiseProduct(scale.transpose());
    if (prior == nullptr) return;
    k.resize(to - from, to - from);
    term.kernel->compute(x.middleRows(from, to - from), x.middleRows(from, to - from), k);
    (*prior)(prior_row + c - part.first, static_cast<Eigen::Index>(t)) = prior_scale * f.dot(k * f);
  });
}

void KernelRows::compute_local(const Environments& environments, int atoms, MatrixSlice rows) {
  if (rows.rows() != atoms || rows.cols() != columns()) throw Error("KernelRows: the result has the wrong shape");
  Matrix of_centres(environments.size(), columns());
  compute_local(environments, 0, environments.size(), of_centres);
  rows.setZero();
  for (Eigen::Index c = 0; c < of_centres.rows(); ++c) rows.row(environments.centre[static_cast<std::size_t>(c)]) = of_centres.row(c);
}

void KernelRows::compute_property(const Environments& environments, const Observables& wanted, const Matrix& weights, MatrixSlice rows,
                                  const Matrix& response) {
  const Eigen::Index atoms = weights.cols(), sums = weights.rows();
  if (wanted.energy || wanted.forces || wanted.virial || rows.rows() != wanted.rows(static_cast<int>(atoms)) || rows.cols() != columns())
    throw Error("KernelRows: the rows of a property have the wrong shape");
  Matrix apart;  // values that are no rows themselves
  if (!wanted.value) apart.resize(atoms, columns());
  MatrixSlice values = wanted.value ? rows.topRows(atoms) : MatrixSlice(apart);
  if (response.size() > 0) {
    Matrix of_field(atoms, columns());
    compute_local(environments, static_cast<int>(atoms), of_field);
    multiply_nn(response, of_field, values);
  } else {
    compute_local(environments, static_cast<int>(atoms), values);
  }
  if (sums > 0) rows.bottomRows(sums).noalias() = weights * values;
}

Matrix local_weights(const Observables& wanted, const Positions& positions) {
  const Eigen::Index atoms = positions.rows();
  Matrix weights((wanted.total ? 1 : 0) + (wanted.dipole ? 3 : 0), atoms);
  if (wanted.total) weights.row(0).setOnes();
  if (wanted.dipole) weights.bottomRows(3) = (positions.rowwise() - positions.colwise().mean()).transpose();
  return weights;
}

}  // namespace gapkit
