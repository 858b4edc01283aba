// A descriptor in one file: the smooth coordination number x_i = Σ_j f_c(r_ij) of each atom of one element. In the project it would be
// src/descriptors/coordination.cpp, and coordination_kind() one line in the table of src/descriptors/descriptor_kinds.cpp.

#include "additions.hpp"

namespace gapkit::example {
namespace {

class Coordination final : public Descriptor {
 public:
  Coordination(const Parameters& parameters, const std::vector<int>& species)
      : parameters_(parameters), species_(species), cutoff_(parameters.real("cutoff")), width_(parameters.real("cutoff_width")) {}

  int size() const override { return 1; }
  double cutoff() const override { return cutoff_; }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }
  bool has_nonnegative_products() const override { return true; }
  EnvironmentCount count(const Environments& environments, int c) const override {
    const auto position = static_cast<std::size_t>(c);
    if (environments.atomic_number[static_cast<std::size_t>(environments.centre[position])] != species_[0]) return {};
    return {1, static_cast<std::int64_t>(environments.begin[position + 1] - environments.begin[position])};
  }

  void pullback(const Environments& environments, int /*begin*/, int /*end*/, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override {
    for (std::size_t q = 0; q < features.pair.size(); ++q) {
      const auto environment = static_cast<Eigen::Index>(features.workspace(static_cast<Eigen::Index>(q), 0));
      dE_dr[features.pair[q]] += gradient.dE_dx(environment, 0) * pair_gradient(environments, features.pair[q]);
    }
  }

 private:
  // `out` is empty at the start.
  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override {
    std::vector<double> values;
    std::vector<int> environment_of_pair;
    for (int c = begin; c < end; ++c) {
      const auto position = static_cast<std::size_t>(c);
      const int atom = environments.centre[position];
      if (environments.atomic_number[static_cast<std::size_t>(atom)] != species_[0]) continue;
      double sum = 0;
      for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p) {
        if (!(environments.distance[p] < cutoff_)) continue;
        sum += cutoff_value(environments.distance[p], cutoff_, width_);
        out.pair.push_back(p);
        environment_of_pair.push_back(static_cast<int>(values.size()));
      }
      out.centre.push_back(atom);
      values.push_back(sum);
    }
    out.x.resize(static_cast<Eigen::Index>(values.size()), 1);
    for (std::size_t e = 0; e < values.size(); ++e) out.x(static_cast<Eigen::Index>(e), 0) = values[e];
    out.covariance_cutoff.assign(values.size(), 1.0);  // no covariance cutoff: x itself is smooth
    out.partner.assign(values.size(), -1);             // the energy belongs to the centre
    // For pullback(): the environment of each pair
    out.workspace.resize(static_cast<Eigen::Index>(out.pair.size()), 1);
    for (std::size_t q = 0; q < out.pair.size(); ++q) out.workspace(static_cast<Eigen::Index>(q), 0) = environment_of_pair[q];

    if (derivatives != Derivatives::jacobian) return;
    out.make_blocks(1);
    JacobianBlock& block = out.blocks[0];  // without `feature`: all features, in order
    block.environment = environment_of_pair;
    block.projection.assign(3 * out.pair.size(), 0.0);
    block.values.resize(static_cast<Eigen::Index>(3 * out.pair.size()), 1);
    for (std::size_t q = 0; q < out.pair.size(); ++q) {
      block.neighbor.push_back(environments.neighbor[out.pair[q]]);
      block.vector.push_back(environments.vector[out.pair[q]]);
      const Vector3 gradient = pair_gradient(environments, out.pair[q]);
      for (int a = 0; a < 3; ++a) block.values(static_cast<Eigen::Index>(3 * q) + a, 0) = gradient[a];
    }
  }

  Vector3 pair_gradient(const Environments& environments, std::size_t p) const {
    const double r = environments.distance[p];
    return r > 0 ? Vector3(cutoff_derivative(r, cutoff_, width_) / r * environments.vector[p]) : Vector3(Vector3::Zero());
  }

  Parameters parameters_;
  std::vector<int> species_;
  double cutoff_, width_;
};

}  // namespace

DescriptorKind coordination_kind() {
  DescriptorKind kind;
  kind.name = "coordination";
  kind.description = "smooth number of neighbours";
  for (const char* name : {"cutoff", "cutoff_width"}) {
    ParameterInfo info{.name = name, .unit = "Å", .description = "range of the count, and of its smooth end"};
    info.smallest = 0;
    info.excludes_smallest = true;
    kind.parameters.push_back(info);
  }
  kind.combinations = [](std::span<const int> elements) {
    std::vector<std::vector<int>> result;
    for (const int z : elements) result.push_back({z});
    return result;
  };
  kind.make = [](const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& /*elements*/) {
    return std::make_shared<Coordination>(parameters, species);
  };
  return kind;
}

}  // namespace gapkit::example
