#include <cmath>
#include <gapkit/core/neighbor_list.hpp>

#include "active/potential_kinds.hpp"

namespace gapkit {
namespace {

/// A bond's energy and its first two derivatives.
struct BondEnergy {
  double value = 0;      ///< eV
  double slope = 0;      ///< eV/Å
  double curvature = 0;  ///< eV/Å²
};

/// E = Σ_pairs v(r) − v(r_c) − v'(r_c)(r − r_c) − v''(r_c)(r − r_c)²/2, v = 4ε((σ/r)¹² − (σ/r)⁶): at the cutoff r_c the energy, the force
/// and its slope are zero. All elements are alike.
class LennardJones final : public Potential {
 public:
  explicit LennardJones(const Parameters& parameters)
      : parameters_(parameters),
        epsilon_(parameters.real("epsilon")),
        sigma_(parameters.real("sigma")),
        cutoff_(parameters.real("cutoff")),
        at_cutoff_(bare(cutoff_)) {}

  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return cutoff_; }

  Evaluation compute(const Structure& structure) const override {
    const NeighborList list(structure, cutoff_);
    Evaluation result;
    result.forces = Positions::Zero(structure.size(), 3);
    for (int i = 0; i < structure.size(); ++i)
      for (std::size_t k = list.begin()[static_cast<std::size_t>(i)]; k < list.begin()[static_cast<std::size_t>(i) + 1]; ++k) {
        const double r = list.distance()[k], beyond = r - cutoff_;
        const BondEnergy bond = bare(r);
        result.energy += 0.5 * (bond.value - at_cutoff_.value - beyond * (at_cutoff_.slope + 0.5 * beyond * at_cutoff_.curvature));
        const Vector3 slope = 0.5 * (bond.slope - at_cutoff_.slope - beyond * at_cutoff_.curvature) / r * list.vector()[k];
        result.forces.row(i) += slope.transpose();
        result.forces.row(list.index()[k]) -= slope.transpose();
        result.virial -= slope * list.vector()[k].transpose();
      }
    result.virial = 0.5 * (result.virial + result.virial.transpose()).eval();
    check_evaluation(result, "lennard_jones", structure);
    return result;
  }

 private:
  BondEnergy bare(double r) const {
    const double s = sigma_ / r, s6 = s * s * s * s * s * s, s12 = s6 * s6;
    return {4 * epsilon_ * (s12 - s6), -24 * epsilon_ * (2 * s12 - s6) / r, 24 * epsilon_ * (26 * s12 - 7 * s6) / (r * r)};
  }

  Parameters parameters_;
  double epsilon_, sigma_, cutoff_;
  BondEnergy at_cutoff_;
};

ParameterInfo positive(const std::string& name, const std::string& unit, const std::string& description, double value) {
  ParameterInfo info{.name = name, .unit = unit, .description = description, .default_value = value};
  info.smallest = 0;
  info.excludes_smallest = true;
  return info;
}

}  // namespace

PotentialKind lennard_jones_kind() {
  return {
      "lennard_jones",
      "pair potential of Lennard-Jones, shifted smoothly, the same for all elements; by default for argon",
      {positive("epsilon", "eV", "depth of the well", 0.0103), positive("sigma", "Å", "distance at which the energy changes sign", 3.405),
       positive("cutoff", "Å", "energy, force and its slope are zero from here on", 8.5)},
      [](const Parameters& parameters) { return std::make_shared<LennardJones>(parameters); }};
}

}  // namespace gapkit
