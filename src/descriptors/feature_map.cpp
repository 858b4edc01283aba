#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/packed_matrix.hpp>

namespace gapkit {
namespace {

using Row = Eigen::Map<Eigen::RowVectorXd>;
using ConstRow = Eigen::Map<const Eigen::RowVectorXd>;

// Columns of a matrix, in the order of `columns`.
Matrix gathered(const Matrix& all, const std::vector<int>& columns) {
  Matrix result(all.rows(), static_cast<Eigen::Index>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c) result.col(static_cast<Eigen::Index>(c)) = all.col(columns[c]);
  return result;
}

class MappedDescriptor final : public Descriptor {
 public:
  MappedDescriptor(const std::shared_ptr<const Descriptor>& base, FeatureMap map) : base_(base), inner_(base), map_(std::move(map)) {
    check();
    across_ = map_.directions.transpose();
    offset_ = across_ * map_.mean;
    if (const auto [descriptor, points] = base->short_form(); descriptor) {
      inner_ = descriptor;
      across_ = points(across_);
    }
    forward_ = PackedMatrix(across_.transpose());
    backward_ = PackedMatrix(across_);
    pack_blocks();
  }

  int size() const override { return static_cast<int>(across_.rows()); }
  double cutoff() const override { return base_->cutoff(); }
  const Parameters& parameters() const override { return base_->parameters(); }
  const std::vector<int>& species() const override { return base_->species(); }
  EnvironmentCount count(const Environments& environments, int c) const override { return base_->count(environments, c); }
  bool has_nonnegative_products() const override { return false; }
  double usual_square() const override { return map_.kind == "learned" ? 1 : base_->usual_square(); }
  int multiplicity() const override { return base_->multiplicity(); }
  const FeatureMap* feature_map() const override { return &map_; }
  const ContractedChannels* contracted_channels() const override { return base_->contracted_channels(); }
  const ChosenFunctions* chosen_functions() const override { return base_->chosen_functions(); }
  std::string without_derivatives() const override { return base_->without_derivatives(); }

  void pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override {
    if (!features.inner || features.size() == 0) return;
    Matrix dE_dx(gradient.dE_dx.rows(), across_.cols());
    backward_.multiply(gradient.dE_dx, dE_dx);
    inner_->pullback(environments, begin, end, *features.inner, {dE_dx, gradient.dE_df}, dE_dr);
  }

 private:
  // An environment without neighbours shows the features of each block.
  void pack_blocks() {
    const std::vector<int> centre = {0}, number = {species().at(0)};
    const std::vector<std::size_t> begin = {0, 0};
    Features features;
    inner_->compute({centre, number, begin, {}, {}, {}, cutoff()}, 0, 1, Derivatives::jacobian, features);
    for (const JacobianBlock& block : features.blocks)
      of_blocks_.emplace_back((block.has_all_features() ? across_ : gathered(across_, block.feature)).transpose());
  }

  void check() const {
    const auto fail = [&](const std::string& what) { throw InputError("the map of the features of a term: " + what); };
    if (map_.directions.rows() != base_->size() || map_.directions.cols() < 1 || map_.mean.size() != base_->size())
      fail(fmt::format("directions are {} x {} and the mean has {} numbers, expected {} rows, at least one column and as many numbers",
                       map_.directions.rows(), map_.directions.cols(), map_.mean.size(), base_->size()));
    if (!map_.directions.allFinite() || !map_.mean.allFinite()) fail("it holds NaN or infinity");
  }

  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override {
    if (!out.inner) out.inner = std::make_unique<Features>();
    Features& in = *out.inner;
    in.single_precision = out.single_precision;
    inner_->compute(environments, begin, end, derivatives, in);
    out.centre = in.centre;
    out.partner = in.partner;
    out.covariance_cutoff = in.covariance_cutoff;
    out.x.resize(in.size(), across_.rows());
    if (in.size() > 0) {
      forward_.multiply(in.x.view(), out.x.view());
      out.x.view().rowwise() -= offset_.transpose();
    }
    out.make_blocks(in.blocks.size());
    for (std::size_t b = 0; b < in.blocks.size(); ++b) map_block(in.blocks[b], of_blocks_[b], out.x, out.blocks[b]);
  }

  // dy = Uᵀ dx: all three parts of the Jacobian become rows of `values`. Takes the lists of pairs out of `in`.
  void map_block(JacobianBlock& in, const PackedMatrix& map, const ReusableMatrix& y, JacobianBlock& out) const {
    const Eigen::Index pairs = in.pair_count(), size = across_.rows(), along = in.radial.cols();
    out.projection.assign(in.projection.size(), 0.0);
    out.values.resize(3 * pairs, size);
    ReusableMatrix directions;  // Uᵀ of the directions of each environment
    if (pairs > 0) {
      map.multiply(in.values.view(), out.values.view());
      if (along > 0) {
        directions.resize(in.direction.rows(), size);
        multiply_nt(in.direction.view(), gathered(across_, in.radial_feature), directions.view());
      }
    }
    Eigen::RowVectorXd distance(size);
    for (Eigen::Index q = 0; q < pairs; ++q) {
      const auto position = static_cast<std::size_t>(q);
      const int e = in.environment[position];
      distance.setZero();
      for (Eigen::Index n = 0; n < along; ++n) distance += in.radial(q, n) * ConstRow(directions.row(e * along + n), size);
      const Vector3 unit = in.unit(position);
      for (Eigen::Index a = 0; a < 3; ++a) {
        Row row(out.values.row(3 * q + a), size);
        if (along > 0) row += unit[a] * distance;
        const double projection = in.projection[static_cast<std::size_t>(3 * q + a)];
        if (projection != 0) row -= projection * (ConstRow(y.row(e), size) + offset_.transpose());
      }
    }
    out.environment.swap(in.environment);
    out.neighbor.swap(in.neighbor);
    out.vector.swap(in.vector);
    out.cutoff_gradient.swap(in.cutoff_gradient);
    out.pair.swap(in.pair);
  }

  std::shared_ptr<const Descriptor> base_, inner_;  // inner: the short form, if there is one
  FeatureMap map_;
  Matrix across_;                        // Uᵀ in the features of inner_: [r, C]
  Vector offset_;                        // Uᵀ x̄
  PackedMatrix forward_, backward_;      // x → Uᵀ x, dE/dy → U dE/dy
  std::vector<PackedMatrix> of_blocks_;  // of each block of the Jacobian
};

}  // namespace

std::shared_ptr<const Descriptor> mapped_descriptor(const std::shared_ptr<const Descriptor>& base, FeatureMap map) {
  return std::make_shared<const MappedDescriptor>(base, std::move(map));
}

}  // namespace gapkit
