#include <gapkit/core/units.hpp>
#include <gapkit/serve/extra.hpp>
#include <nlohmann/json.hpp>

namespace gapkit::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr double to_hartree = 1 / ev_per_hartree, to_hartree_per_bohr = angstrom_per_bohr / ev_per_hartree;

Json list_of(const Vector& values, double unit) {
  Json list = Json::array();
  for (const double value : values) list.push_back(value * unit);
  return list;
}

// [[x, y, z], …]
template <class Rows>
Json rows_of(const Rows& rows, double unit) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < rows.rows(); ++i) list.push_back(list_of(rows.row(i).transpose(), unit));
  return list;
}

Vector forces_of(const Prediction& p) {
  return Eigen::Map<const Vector>(p.forces->data(), p.forces->size());
}

void put_error_bars(const Prediction& p, Json& json) {
  if (p.energy_std) json["energy_std"] = *p.energy_std * to_hartree;
  if (p.energy_std_epistemic) json["energy_std_epistemic"] = *p.energy_std_epistemic * to_hartree;
  if (p.forces_std) json["forces_std"] = rows_of(*p.forces_std, to_hartree_per_bohr);
  if (p.forces_std_epistemic) json["forces_std_epistemic"] = rows_of(*p.forces_std_epistemic, to_hartree_per_bohr);
  if (p.virial_std) json["virial_std"] = list_of(*p.virial_std, to_hartree);
  if (p.virial_std_epistemic) json["virial_std_epistemic"] = list_of(*p.virial_std_epistemic, to_hartree);
  if (p.local_energy_std_epistemic) json["local_energy_std_epistemic"] = list_of(*p.local_energy_std_epistemic, to_hartree);
  if (p.local_quip_variance) json["local_variance_quip"] = list_of(*p.local_quip_variance, to_hartree * to_hartree);
  if (p.extrapolation) json["extrapolation"] = list_of(*p.extrapolation, 1);
  if (p.novelty) json["novelty"] = *p.novelty;
  if (p.closeness.ratio) json["shortest_distance_ratio"] = *p.closeness.ratio;
}

void put_spread(std::span<const Prediction> members, const ExtraContents& contents, Json& json) {
  if (contents.energy)
    json["energy_spread"] = spread_of(members, [](const Prediction& p) { return Vector::Constant(1, p.energy); })[0] * to_hartree;
  if (contents.forces) {
    const Vector spread = spread_of(members, forces_of);
    json["forces_spread"] = rows_of(Eigen::Map<const Positions>(spread.data(), spread.size() / 3, 3), to_hartree_per_bohr);
  }
  if (contents.virial)
    json["virial_spread"] = list_of(spread_of(members, [](const Prediction& p) -> Vector { return voigt_of(*p.virial); }), to_hartree);
  if (contents.local)
    json["local_energy_spread"] = list_of(spread_of(members, [](const Prediction& p) { return p.local_energy; }), to_hartree);
}

// As i-PI's committees read them.
void put_members(std::span<const Prediction> members, Json& json) {
  for (const Prediction& p : members) {
    json["committee_pot"].push_back(p.energy * to_hartree);
    json["committee_force"].push_back(rows_of(*p.forces, to_hartree_per_bohr));
    json["committee_virial"].push_back(rows_of(*p.virial, to_hartree));
  }
}

}  // namespace

std::string extra_text(std::span<const Prediction> members, const ExtraContents& contents) {
  if (!contents.any()) return "";
  Json json = Json::object();
  members.size() == 1 ? put_error_bars(members.front(), json) : put_spread(members, contents, json);
  if (contents.members) put_members(members, json);
  return json.dump();
}

}  // namespace gapkit::serve
