#include <array>
#include <cmath>
#include <gapkit/core/units.hpp>

#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

constexpr double bohr_radius = 0.529177210903;  // Å
constexpr double screening_scale = 0.88534;     // of the Bohr radius
constexpr double screening_exponent = 0.23;     // of the atomic numbers
constexpr std::array<double, 4> weight = {0.18175, 0.50986, 0.28022, 0.02817};
constexpr std::array<double, 4> decay = {3.19980, 0.94229, 0.40290, 0.20162};

/// Screened repulsion of two nuclei, Z₁Z₂e²/(4πε₀r) · φ(r/a), a = 0.88534 a₀/(Z₁^0.23 + Z₂^0.23), φ(x) = Σ w exp(−d x), times a switch
/// from 1 at `inner` to 0 at `outer` with two continuous derivatives.
/// Source: Ziegler, Biersack & Littmark, The Stopping and Range of Ions in Solids (1985).
class Zbl final : public Potential {
 public:
  explicit Zbl(const Parameters& parameters) : parameters_(parameters), inner_(parameters.real("inner")), outer_(parameters.real("outer")) {
    if (!(inner_ < outer_)) throw InputError("zbl: inner is not smaller than outer");
  }

  std::string name() const override { return "zbl"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return outer_; }

  void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const override {
    add_pairs(environments, outer_, local_energy, dE_dr, [this](int z1, int z2, double r) { return bond(z1, z2, r); });
  }

 private:
  PairEnergy bond(int z1, int z2, double r) const {
    const double a = screening_scale * bohr_radius / (std::pow(z1, screening_exponent) + std::pow(z2, screening_exponent));
    double phi = 0, slope = 0;
    for (std::size_t k = 0; k < weight.size(); ++k) {
      const double part = weight[k] * std::exp(-decay[k] * r / a);
      phi += part;
      slope -= decay[k] / a * part;
    }
    const double charge = coulomb_constant * z1 * z2;
    const PairEnergy bare = {charge / r * phi, charge / r * (slope - phi / r)};
    if (r <= inner_) return bare;
    const double t = (r - inner_) / (outer_ - inner_);
    const double s = 1 - t * t * t * (10 - t * (15 - 6 * t));
    const double ds = -30 * t * t * (1 - t) * (1 - t) / (outer_ - inner_);
    return {s * bare.value, s * bare.derivative + ds * bare.value};
  }

  Parameters parameters_;
  double inner_, outer_;
};

}  // namespace

PotentialKind zbl_kind() {
  ParameterInfo inner{.name = "inner", .unit = "Å", .description = "the full repulsion acts up to here", .default_value = 0.7};
  inner.smallest = 0;
  return {"zbl",
          "screened repulsion of the nuclei (Ziegler, Biersack, Littmark) with a smooth switch",
          {inner, positive_parameter("outer", "Å", "none acts from here on; below the shortest distance of the data", 1.4)},
          [](const Parameters& parameters) { return std::make_shared<Zbl>(parameters); }};
}

}  // namespace gapkit
