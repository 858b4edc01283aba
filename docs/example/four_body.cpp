// A descriptor of four atoms in one file: a centre i and three of its neighbours. With their vectors a, b, c from the centre,
//     x = (|a| + |b| + |c|,  |a + b + c|²,  (a · b × c)²),     f = f_c(|a|) f_c(|b|) f_c(|c|),
// which do not depend on the order of the neighbours. In the project it would be src/descriptors/four_body.cpp, and four_body_kind() one
// line in the table of src/descriptors/descriptor_kinds.cpp; another program calls add_descriptor_kind(four_body_kind()).

#include <Eigen/Geometry>
#include <gapkit/core/errors.hpp>

#include "additions.hpp"

namespace gapkit::example {
namespace {

class FourBody final : public Descriptor {
 public:
  FourBody(const Parameters& parameters, const std::vector<int>& species)
      : parameters_(parameters), species_(species), cutoff_(parameters.real("range")), width_(parameters.real("range_width")) {
    if (width_ > cutoff_) throw InputError("four_body: range_width is larger than range");
  }

  int size() const override { return 3; }
  double cutoff() const override { return cutoff_; }
  const Parameters& parameters() const override { return parameters_; }
  const std::vector<int>& species() const override { return species_; }  // the centre, then the neighbours in ascending order
  bool has_nonnegative_products() const override { return true; }

  EnvironmentCount count(const Environments& environments, int c) const override {
    EnvironmentCount result;
    for_each_triple(environments, neighbors(environments, c), [&](const Triple&) { ++result.environments; });
    result.pairs = 3 * result.environments;
    return result;
  }

  void pullback(const Environments& environments, int /*begin*/, int /*end*/, const Features& features, const FeatureGradient& gradient,
                std::span<Vector3> dE_dr) const override {
    for (std::size_t e = 0; e < features.centre.size(); ++e) {
      const Environment environment(*this, environments, &features.pair[3 * e]);
      for (std::size_t k = 0; k < 3; ++k)
        dE_dr[features.pair[3 * e + k]] += environment.dx[k].transpose() * gradient.dE_dx.row(static_cast<Eigen::Index>(e)).transpose() +
                                           gradient.dE_df[e] * environment.df[k];
    }
  }

 private:
  using Triple = std::array<std::size_t, 3>;  // indices of pairs

  /// One environment with its derivatives by the three vectors.
  struct Environment {
    Vector3 x;
    double f = 1;
    std::array<Matrix3, 3> dx;  // row: feature
    std::array<Vector3, 3> df;

    Environment(const FourBody& descriptor, const Environments& environments, const std::size_t* pair) {
      std::array<Vector3, 3> r, unit;
      std::array<double, 3> cutoff, slope;
      Vector3 sum = Vector3::Zero();
      x.setZero();
      for (std::size_t k = 0; k < 3; ++k) {
        const double distance = environments.distance[pair[k]];
        r[k] = environments.vector[pair[k]];
        unit[k] = distance > 0 ? Vector3(r[k] / distance) : Vector3(Vector3::Zero());
        cutoff[k] = cutoff_value(distance, descriptor.cutoff_, descriptor.width_);
        slope[k] = cutoff_derivative(distance, descriptor.cutoff_, descriptor.width_);
        x[0] += distance;
        sum += r[k];
        f *= cutoff[k];
      }
      const double volume = r[0].dot(r[1].cross(r[2]));
      x[1] = sum.squaredNorm();
      x[2] = volume * volume;
      for (std::size_t k = 0; k < 3; ++k) {
        const std::size_t next = (k + 1) % 3, last = (k + 2) % 3;
        dx[k].row(0) = unit[k].transpose();
        dx[k].row(1) = 2 * sum.transpose();
        dx[k].row(2) = 2 * volume * r[next].cross(r[last]).transpose();
        df[k] = slope[k] * cutoff[next] * cutoff[last] * unit[k];
      }
    }
  };

  // `out` is empty at the start.
  void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const override {
    for (int c = begin; c < end; ++c)
      for_each_triple(environments, neighbors(environments, c), [&](const Triple& triple) {
        out.centre.push_back(environments.centre[static_cast<std::size_t>(c)]);
        out.pair.insert(out.pair.end(), triple.begin(), triple.end());
      });
    const std::size_t count = out.centre.size();
    out.x.resize(static_cast<Eigen::Index>(count), 3);
    out.covariance_cutoff.resize(count);
    out.partner.assign(count, -1);  // the energy belongs to the centre
    if (derivatives == Derivatives::jacobian) out.make_blocks(1);
    for (JacobianBlock& block : out.blocks) {
      block.environment.resize(3 * count);
      block.neighbor.resize(3 * count);
      block.vector.resize(3 * count);
      block.pair = out.pair;
      block.values.resize(static_cast<Eigen::Index>(9 * count), 3);
      block.projection.assign(9 * count, 0.0);
      block.cutoff_gradient.resize(9 * count);
    }
    for (std::size_t e = 0; e < count; ++e) {
      const Environment environment(*this, environments, &out.pair[3 * e]);
      for (Eigen::Index d = 0; d < 3; ++d) out.x(static_cast<Eigen::Index>(e), d) = environment.x[d];
      out.covariance_cutoff[e] = environment.f;
      for (JacobianBlock& block : out.blocks)
        for (std::size_t k = 0; k < 3; ++k) {
          const std::size_t q = 3 * e + k, p = out.pair[q];
          block.environment[q] = static_cast<int>(e);
          block.neighbor[q] = environments.neighbor[p];
          block.vector[q] = environments.vector[p];
          for (Eigen::Index a = 0; a < 3; ++a) {
            for (Eigen::Index d = 0; d < 3; ++d) block.values(static_cast<Eigen::Index>(3 * q) + a, d) = environment.dx[k](d, a);
            block.cutoff_gradient[3 * q + static_cast<std::size_t>(a)] = environment.df[k][a];
          }
        }
    }
  }

  // Pairs of a centre inside the cutoff with a neighbour element of this combination.
  std::vector<std::size_t> neighbors(const Environments& environments, int c) const {
    const auto position = static_cast<std::size_t>(c);
    std::vector<std::size_t> near;
    if (element(environments, environments.centre[position]) != species_[0]) return near;
    for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p)
      if (environments.distance[p] < cutoff_ &&
          std::find(species_.begin() + 1, species_.end(), element(environments, environments.neighbor[p])) != species_.end())
        near.push_back(p);
    return near;
  }

  // visit() for every three pairs with the elements of this combination.
  template <class Visit>
  void for_each_triple(const Environments& environments, const std::vector<std::size_t>& near, Visit&& visit) const {
    for (std::size_t a = 0; a < near.size(); ++a)
      for (std::size_t b = a + 1; b < near.size(); ++b)
        for (std::size_t c = b + 1; c < near.size(); ++c) {
          std::array<int, 3> elements;
          const Triple triple = {near[a], near[b], near[c]};
          for (std::size_t k = 0; k < 3; ++k) elements[k] = element(environments, environments.neighbor[triple[k]]);
          std::sort(elements.begin(), elements.end());
          if (std::equal(elements.begin(), elements.end(), species_.begin() + 1)) visit(triple);
        }
  }

  static int element(const Environments& environments, int atom) { return environments.atomic_number[static_cast<std::size_t>(atom)]; }

  Parameters parameters_;
  std::vector<int> species_;
  double cutoff_, width_;
};

}  // namespace

DescriptorKind four_body_kind() {
  DescriptorKind kind;
  kind.name = "four_body";
  kind.description = "a centre and three neighbours";
  for (const char* name : {"range", "range_width"}) {
    ParameterInfo info{.name = name, .unit = "Å", .description = "distance of the neighbours, and width of its smooth end"};
    info.smallest = 0;
    info.excludes_smallest = true;
    kind.parameters.push_back(info);
  }
  // Each element as centre with each unordered triple of neighbours.
  kind.combinations = [](std::span<const int> elements) {
    std::vector<std::vector<int>> result;
    for (const int centre : elements)
      for (std::size_t a = 0; a < elements.size(); ++a)
        for (std::size_t b = a; b < elements.size(); ++b)
          for (std::size_t c = b; c < elements.size(); ++c) result.push_back({centre, elements[a], elements[b], elements[c]});
    return result;
  };
  kind.make = [](const Parameters& parameters, const std::vector<int>& species, const std::vector<int>& /*elements*/) {
    return std::make_shared<FourBody>(parameters, species);
  };
  return kind;
}

}  // namespace gapkit::example
