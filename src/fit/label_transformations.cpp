#include "fit/label_transformations.hpp"

#include <cmath>
#include <string_view>

#include "fit/known_factors.hpp"

namespace gapkit {
namespace {

constexpr const char* per_atom = "the energies seem to be energies per atom, expected the energy of the whole frame";

// Labels that are to be divided by each known factor, with and without a change of sign.
void add_factors(std::vector<LabelTransformation>& all, std::span<const KnownFactor> known, bool is_divided, const char* sign,
                 std::string_view without = {}) {
  for (const double f : {1.0, -1.0})
    for (const KnownFactor& k : known) {
      if (!without.empty() && std::string_view(k.meaning).find(without) != std::string_view::npos) continue;
      all.push_back({f * (is_divided ? 1 / k.factor : k.factor), 0, 0, k.meaning + (f < 0 ? std::string("; moreover, ") + sign : "")});
    }
}

// A stress that was taken for a virial, in three units and with both signs.
void add_stresses_named_virial(std::vector<LabelTransformation>& all) {
  struct Unit {
    double size;  // in eV/Å³
    const char* name;
  };
  const std::array<Unit, 3> units = {
      {{1, "eV/Å³"}, {1 / gpa_per_ev_per_cubic_angstrom, "GPa"}, {0.1 / gpa_per_ev_per_cubic_angstrom, "kBar"}}};
  for (const Unit& unit : units)
    for (const double sign : {-1.0, 1.0})
      all.push_back({sign * unit.size, 0, 1,
                     std::string("the virials look like stresses in ") + unit.name +
                         (sign < 0 ? ", positive under tension" : ", positive under compression (the other sign is expected of a stress)") +
                         ": the factor " + (sign < 0 ? "−volume" : "volume") +
                         " explains them; name them stress in the data, or use [data] stress_key or --stress-key" +
                         (unit.size == 1 ? "" : ", and convert them to eV/Å³")});
}

}  // namespace

double LabelTransformation::value(double atom_count, double cell_volume) const {
  return factor * std::pow(atom_count, atoms) * std::pow(cell_volume, volume);
}

std::vector<LabelTransformation> energy_transformations() {
  const char* sign = "the sign of the forces is reversed, expected −dE/dr";
  std::vector<LabelTransformation> all = {
      {1, 0, 0, ""}, {1, 1, 0, per_atom}, {-1, 0, 0, sign}, {-1, 1, 0, std::string(per_atom) + "; moreover, " + sign}};
  for (const KnownFactor& k : known_energy_factors())
    all.push_back({k.factor, 1, 0, std::string(per_atom) + "; moreover, they seem to be in " + k.meaning});
  add_factors(all, known_force_factors(), true, sign);
  return all;
}

std::vector<LabelTransformation> virial_transformations(const TargetReport& targets) {
  std::vector<LabelTransformation> all = {{1, 0, 0, ""}};
  const bool has_stress = !targets.keys_of("stress").empty(), has_virial = !targets.keys_of("virial").empty() || !has_stress;
  const char* sign = has_stress ? "the sign of the stress is reversed, expected positive under tension"
                                : "the sign of the virial is reversed, expected −dE/dstrain";
  all.push_back({-1, 0, 0, sign});
  if (has_virial) add_stresses_named_virial(all);
  if (has_stress)
    for (const double f : {-1.0, 1.0})
      all.push_back({f, 0, -1,
                     std::string("the stresses look like virials in eV") + (f > 0 ? " of the opposite sign" : "") + ": the factor " +
                         (f > 0 ? "1/volume" : "−1/volume") +
                         " explains them; name them virial in the data, or use [data] virial_key or --virial-key" +
                         (f > 0 ? ", with the sign of −dE/dstrain" : "")});
  all.push_back({1, 1, 0, "the virials seem to be divided by the number of atoms"});
  all.push_back({1, -1, 0, per_atom});
  add_factors(all, known_virial_factors(), false, sign, has_stress ? std::string_view() : "the stress");
  return all;
}

const std::array<ShearOrder, 5>& wrong_shear_orders() {
  // E.g. of xx yy zz xy yz zx: right yz stands at the place of xz.
  static const std::array<ShearOrder, 5> orders = {{{{1, 2, 0}, "xx yy zz xy yz zx (VASP's)"},
                                                    {{2, 1, 0}, "xx yy zz xy xz yz (LAMMPS's)"},
                                                    {{2, 0, 1}, "xx yy zz xz xy yz"},
                                                    {{0, 2, 1}, "xx yy zz yz xy xz"},
                                                    {{1, 0, 2}, "xx yy zz xz yz xy"}}};
  return orders;
}

}  // namespace gapkit
