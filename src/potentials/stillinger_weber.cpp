#include <cmath>
#include <gapkit/core/elements.hpp>

#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

/// E = Σ_pairs ε A (B (σ/r)^p − (σ/r)^q) e^{σ/(r−aσ)} + Σ_i Σ_{j<k} ε λ (cos θ_jik + 1/3)² e^{γσ/(r_ij−aσ)} e^{γσ/(r_ik−aσ)}
///
/// All parts and their derivatives go to zero at r = aσ.
/// Source: Stillinger & Weber, Phys. Rev. B 31, 5262 (1985).
class StillingerWeber final : public Potential {
 public:
  explicit StillingerWeber(const Parameters& parameters)
      : parameters_(parameters),
        element_(atomic_number(parameters.text("element"))),
        epsilon_(parameters.real("epsilon")),
        sigma_(parameters.real("sigma")),
        cutoff_(parameters.real("a") * sigma_),
        lambda_(parameters.real("lambda")),
        gamma_(parameters.real("gamma")),
        A_(parameters.real("A")),
        B_(parameters.real("B")),
        p_(parameters.real("p")),
        q_(parameters.real("q")) {}

  std::string name() const override { return "stillinger_weber"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return cutoff_; }

  void check_elements(std::span<const int> atomic_numbers) const override {
    for (const int z : atomic_numbers)
      if (z != element_)
        throw InputError("stillinger_weber: the parameters are for " + element_symbol(element_) + ", found " + element_symbol(z));
  }

  void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const override {
    check_elements(environments.atomic_number);
    std::vector<Bond> bonds;
    for (std::size_t c = 0; c < environments.centre.size(); ++c) {
      find_bonds(environments, c, bonds);
      local_energy[static_cast<std::size_t>(environments.centre[c])] += add_pairs(bonds) + add_angles(bonds);
      if (dE_dr.empty()) continue;
      for (const Bond& bond : bonds) dE_dr[bond.pair] += bond.slope;
    }
  }

 private:
  /// A neighbour of the current atom.
  struct Bond {
    std::size_t pair;         ///< index in the environments
    double distance;          ///< Å
    Vector3 direction;        ///< r_ij/|r_ij|
    double screen;            ///< e^{γσ/(r−aσ)}
    double screen_log_slope;  ///< of its logarithm, 1/Å
    Vector3 slope;            ///< d(energy of this atom)/dr_ij, eV/Å
  };

  void find_bonds(const Environments& environments, std::size_t c, std::vector<Bond>& bonds) const {
    bonds.clear();
    for (std::size_t p = environments.begin[c]; p < environments.begin[c + 1]; ++p) {
      const double r = environments.distance[p];
      if (!(r < cutoff_)) continue;
      const double to_cutoff = 1 / (r - cutoff_);
      bonds.push_back({p, r, environments.vector[p] / r, std::exp(gamma_ * sigma_ * to_cutoff), -gamma_ * sigma_ * to_cutoff * to_cutoff,
                       Vector3::Zero()});
    }
  }

  /// This atom's half of its bonds.
  double add_pairs(std::vector<Bond>& bonds) const {
    double energy = 0;
    for (Bond& bond : bonds) {
      const double s = sigma_ / bond.distance, to_cutoff = 1 / (bond.distance - cutoff_);
      const double repulsion = B_ * std::pow(s, p_), attraction = q_ == 0 ? 1 : std::pow(s, q_);
      const double tail = epsilon_ * A_ * std::exp(sigma_ * to_cutoff);
      const double value = tail * (repulsion - attraction);
      const double slope = -tail * (p_ * repulsion - q_ * attraction) / bond.distance - value * sigma_ * to_cutoff * to_cutoff;
      energy += 0.5 * value;
      bond.slope += 0.5 * slope * bond.direction;
    }
    return energy;
  }

  double add_angles(std::vector<Bond>& bonds) const {
    double energy = 0;
    for (std::size_t j = 1; j < bonds.size(); ++j)
      for (std::size_t k = 0; k < j; ++k) {
        Bond &a = bonds[j], &b = bonds[k];
        const double cosine = a.direction.dot(b.direction), bend = cosine + 1.0 / 3.0;
        const double strength = epsilon_ * lambda_ * a.screen * b.screen;
        const double value = strength * bend * bend, d_cosine = 2 * strength * bend;
        energy += value;
        a.slope += d_cosine / a.distance * (b.direction - cosine * a.direction) + value * a.screen_log_slope * a.direction;
        b.slope += d_cosine / b.distance * (a.direction - cosine * b.direction) + value * b.screen_log_slope * b.direction;
      }
    return energy;
  }

  Parameters parameters_;
  int element_;
  double epsilon_, sigma_, cutoff_, lambda_, gamma_, A_, B_, p_, q_;
};

ParameterInfo not_negative(const std::string& name, const std::string& description, double value) {
  ParameterInfo info = positive_parameter(name, "", description, value);
  info.excludes_smallest = false;
  return info;
}

}  // namespace

PotentialKind stillinger_weber_kind() {
  return {"stillinger_weber",
          "two- and three-body potential of Stillinger and Weber, by default for silicon",
          {{.name = "element",
            .type = ParameterInfo::Type::text,
            .description = "the only element that may occur",
            .default_value = std::string("Si")},
           positive_parameter("epsilon", "eV", "scale of energies", 2.1683),
           positive_parameter("sigma", "Å", "scale of distances", 2.0951),
           positive_parameter("a", "", "cutoff in units of sigma", 1.8),
           not_negative("lambda", "strength of the three-body part", 21.0),
           positive_parameter("gamma", "", "range of the three-body part", 1.2),
           positive_parameter("A", "", "strength of the two-body part", 7.049556277),
           not_negative("B", "strength of the repulsion", 0.6022245584),
           not_negative("p", "exponent of the repulsion", 4.0),
           not_negative("q", "exponent of the attraction", 0.0)},
          [](const Parameters& parameters) { return std::make_shared<StillingerWeber>(parameters); }};
}

}  // namespace gapkit
