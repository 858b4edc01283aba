#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {
namespace {

/// Whether the arrays that a descriptor has filled have consistent sizes.
bool is_consistent(const Features& f, Eigen::Index size, Derivatives derivatives) {
  const std::size_t count = f.centre.size();
  if (f.x.rows() != static_cast<Eigen::Index>(count) || f.covariance_cutoff.size() != count || f.partner.size() != count) return false;
  if (count > 0 && f.x.cols() != size) return false;
  if (derivatives != Derivatives::jacobian) return f.blocks.empty();
  for (const JacobianBlock& b : f.blocks) {
    const std::size_t pairs = b.environment.size();
    const auto rows = static_cast<Eigen::Index>(pairs);
    const bool fits = b.neighbor.size() == pairs && b.vector.size() == pairs && b.projection.size() == 3 * pairs &&
                      (b.cutoff_gradient.empty() || b.cutoff_gradient.size() == 3 * pairs) && (b.pair.empty() || b.pair.size() == pairs);
    if (!fits || b.values.rows() != 3 * rows || (b.radial.cols() > 0 && b.radial.rows() != rows)) return false;
    const auto columns = static_cast<Eigen::Index>(b.feature.size()), radial = static_cast<Eigen::Index>(b.radial_feature.size());
    if (pairs > 0 && b.values.cols() != (b.has_all_features() ? size : columns)) return false;
    if (b.direction.cols() != radial || b.direction.rows() != static_cast<Eigen::Index>(count) * b.radial.cols()) return false;
  }
  return true;
}

}  // namespace

void JacobianBlock::clear() {
  feature.clear();
  environment.clear();
  neighbor.clear();
  vector.clear();
  values.resize(0, 0);
  radial_feature.clear();
  radial.resize(0, 0);
  direction.resize(0, 0);
  projection.clear();
  cutoff_gradient.clear();
  pair.clear();
}

void Features::clear() {
  x.resize(0, 0);
  covariance_cutoff.clear();
  centre.clear();
  partner.clear();
  workspace.resize(0, 0);
  pair.clear();
  if (!blocks.empty()) spare_ = std::move(blocks);
  blocks.clear();
}

void Features::make_blocks(std::size_t number) {
  blocks = std::move(spare_);
  spare_.clear();
  blocks.resize(number);
  for (JacobianBlock& block : blocks) block.clear();
}

void Descriptor::compute(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const {
  out.clear();
  fill(environments, begin, end, derivatives, out);
  if (!is_consistent(out, size(), derivatives)) throw Error("a descriptor has filled arrays of inconsistent sizes");
}

}  // namespace gapkit
