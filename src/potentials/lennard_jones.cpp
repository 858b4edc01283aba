#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

/// A bond's energy and its first two derivatives.
struct BondEnergy {
  double value = 0;      ///< eV
  double slope = 0;      ///< eV/Å
  double curvature = 0;  ///< eV/Å²
};

/// E = Σ_pairs v(r) − v(r_c) − v'(r_c)(r − r_c) − v''(r_c)(r − r_c)²/2, v = 4ε((σ/r)¹² − (σ/r)⁶): at the cutoff r_c the energy, the force
/// and its slope are zero. All elements have the same parameters.
class LennardJones final : public Potential {
 public:
  explicit LennardJones(const Parameters& parameters)
      : parameters_(parameters),
        epsilon_(parameters.real("epsilon")),
        sigma_(parameters.real("sigma")),
        cutoff_(parameters.real("cutoff")),
        at_cutoff_(bare(cutoff_)) {}

  std::string name() const override { return "lennard_jones"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return cutoff_; }

  void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const override {
    add_pairs(environments, cutoff_, local_energy, dE_dr, [this](int, int, double r) {
      const double beyond = r - cutoff_;
      const BondEnergy bond = bare(r);
      return PairEnergy{bond.value - at_cutoff_.value - beyond * (at_cutoff_.slope + 0.5 * beyond * at_cutoff_.curvature),
                        bond.slope - at_cutoff_.slope - beyond * at_cutoff_.curvature};
    });
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

}  // namespace

PotentialKind lennard_jones_kind() {
  return {"lennard_jones",
          "pair potential of Lennard-Jones, shifted smoothly, the same for all elements; by default for argon",
          {positive_parameter("epsilon", "eV", "depth of the well", 0.0103),
           positive_parameter("sigma", "Å", "distance at which the energy changes sign", 3.405),
           positive_parameter("cutoff", "Å", "energy, force and its slope are zero from here on", 8.5)},
          [](const Parameters& parameters) { return std::make_shared<LennardJones>(parameters); }};
}

}  // namespace gapkit
