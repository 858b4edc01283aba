#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/dispersion.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "potentials/potential_kinds.hpp"

namespace gapkit {
namespace {

/// Pairwise C6 dispersion with the free atoms of Tkatchenko and Scheffler, or with given values.
class DispersionPotential final : public Potential, public FieldDependence {
 public:
  explicit DispersionPotential(const Parameters& parameters) : parameters_(parameters), column_(parameters.text("column")) {
    const std::string damping = parameters.text("damping");
    if (damping != "fermi" && damping != "bj")
      throw InputError(fmt::format("dispersion: 'damping' is '{}', expected \"fermi\" or \"bj\"", damping));
    options_.damping = damping == "bj" ? DispersionOptions::Damping::becke_johnson : DispersionOptions::Damping::fermi;
    options_.radius_scale = parameters.real("radius_scale");
    options_.steepness = parameters.real("steepness");
    options_.cutoff = parameters.real("cutoff");
    if (!(options_.cutoff <= 60))  // 40,000 neighbours
      throw InputError(fmt::format("dispersion: 'cutoff' is {} Å, expected at most 60", options_.cutoff));
    options_.width = parameters.real("width");
    options_.tail = parameters.boolean("tail");
    if (!(options_.width < options_.cutoff)) throw InputError("dispersion: 'width' is not smaller than 'cutoff'");
    is_given_ = parameters.text("volumes") == "given";
    if (parameters.text("volumes") == "learned") {
      property_ = parameters.text("property");
      if (property_.empty())
        throw InputError("dispersion: 'property' is empty, expected the name of the [[property]] with the volumes, such as \"volume\"");
    } else {
      leave_out_property();
    }
    if (is_given_ && column_.empty()) throw InputError("dispersion: 'column' is empty, expected the name of the column with the volumes");
    if (!is_given_ && property_.empty()) volumes_ = positive_values("volumes");
    c6_ = positive_values("c6");
    polarizability_ = positive_values("polarizability");
    radius_ = positive_values("radius");
  }

  std::string name() const override { return "dispersion"; }
  const Parameters& parameters() const override { return parameters_; }
  double cutoff() const override { return 0; }  // its own neighbour list reaches farther than those of other parts should
  void add(const Environments&, std::span<double>, std::span<Vector3>) const override {}
  bool needs_structure() const override { return true; }

  void check_elements(std::span<const int> atomic_numbers) const override {
    for (const int z : atomic_numbers) atom_of(z);
  }

  void add_structure(const Structure& structure, const StructureSums& sums) const override {
    std::vector<FreeAtom> atoms;
    for (const int z : structure.atomic_numbers) atoms.push_back(atom_of(z));
    DispersionOptions options = options_;
    options.derivatives = sums.forces != nullptr;
    const AtomValues learned = learned_volumes(structure, options.derivatives);
    const DispersionSum sum = dispersion_sum(structure, atoms, volumes_of(structure, learned), options);
    for (std::size_t i = 0; i < atoms.size(); ++i) sums.local_energy[i] += sum.share[i];
    if (sums.forces == nullptr) return;
    *sums.forces += sum.forces;
    *sums.virial += sum.virial;
    if (!property_.empty())
      learned.pull_back({sum.volume_slope.data(), static_cast<std::size_t>(sum.volume_slope.size())}, *sums.forces, *sums.virial);
  }

  std::string property() const override { return property_; }
  AtomFieldPointer field() const override { return field_; }
  PotentialPointer with_field(AtomFieldPointer field) const override {
    auto changed = std::make_shared<DispersionPotential>(*this);
    changed->field_ = std::move(field);
    return changed;
  }
  Vector slopes(const Structure& structure) const override {
    std::vector<FreeAtom> atoms;
    for (const int z : structure.atomic_numbers) atoms.push_back(atom_of(z));
    DispersionOptions options = options_;
    options.derivatives = false;
    return dispersion_sum(structure, atoms, volumes_of(structure, learned_volumes(structure, false)), options).volume_slope;
  }

 private:
  std::map<int, double> positive_values(const std::string& name) {
    std::map<int, double> values = element_values_of(parameters_.text(name), "dispersion: " + name);
    for (const auto& [z, value] : values)
      if (!(value > 0)) throw InputError(fmt::format("dispersion: '{}' of {} is {}, expected more than 0", name, element_symbol(z), value));
    parameters_.set(name, element_values_text(values));
    return values;
  }

  FreeAtom atom_of(int z) const {
    const FreeAtom* known = free_atom(z);
    FreeAtom atom = known ? *known : FreeAtom{};
    const auto take = [&](const std::map<int, double>& values, double& value) {
      if (const auto found = values.find(z); found != values.end()) value = found->second;
    };
    take(c6_, atom.c6);
    take(polarizability_, atom.polarizability);
    take(radius_, atom.radius);
    if (!(atom.c6 > 0) || !(atom.polarizability > 0) || !(atom.radius > 0))
      throw InputError(
          fmt::format("dispersion: no values of {} are known; give it 'c6', 'polarizability' and 'radius'", element_symbol(z)));
    return atom;
  }

  // Files of earlier versions do not have the parameter.
  void leave_out_property() {
    Parameters used;
    for (const auto& [name, value] : parameters_.values())
      if (name != "property") used.set(name, value);
    parameters_ = used;
  }

  /// Empty if volumes are not learned.
  AtomValues learned_volumes(const Structure& structure, bool derivatives) const {
    if (property_.empty()) return {};
    if (!field_)
      throw InputError(fmt::format("{}dispersion: volumes = \"learned\" needs a model with the property '{}', which only a fit can give",
                                   structure.place(), property_));
    return field_->compute(structure, derivatives);
  }

  std::vector<double> volumes_of(const Structure& structure, const AtomValues& learned) const {
    std::vector<double> volumes(learned.values.data(), learned.values.data() + learned.values.size());
    for (std::size_t i = 0; i < volumes.size(); ++i)
      if (!(volumes[i] > 0))
        throw InputError(
            fmt::format("{}atom {}: the property '{}' gives the volume {:.3g} (of the free atom's), expected more than 0: the "
                        "structure is unlike the data of the property",
                        structure.place(), i + 1, property_, volumes[i]));
    if (is_given_) {
      volumes = column_of_frame(structure, column_, "dispersion: volumes = \"given\"");
      for (const double v : volumes)
        if (!(v > 0))
          throw InputError(fmt::format("{}dispersion: the column '{}' holds {}, expected volumes above 0", structure.place(), column_, v));
    } else if (!volumes_.empty()) {
      for (const int z : structure.atomic_numbers) volumes.push_back(volumes_.count(z) > 0 ? volumes_.at(z) : 1);
    }
    return volumes;
  }

  Parameters parameters_;
  std::string column_;
  bool is_given_ = false;
  std::string property_;  // of learned volumes; else empty
  AtomFieldPointer field_;
  DispersionOptions options_;
  std::map<int, double> volumes_, c6_, polarizability_, radius_;
};

ParameterInfo element_values(const std::string& name, const std::string& unit, const std::string& description) {
  return {.name = name, .type = ParameterInfo::Type::text, .unit = unit, .description = description, .default_value = std::string()};
}

}  // namespace

PotentialKind dispersion_kind() {
  using Type = ParameterInfo::Type;
  return {"dispersion",
          "pairwise C6 dispersion with the free atoms of Tkatchenko and Scheffler, damped at short distance",
          {{.name = "damping",
            .type = Type::text,
            .description = "fermi (Tkatchenko-Scheffler) or bj (Becke-Johnson)",
            .default_value = std::string("fermi")},
           positive_parameter("radius_scale", "", "of the sum of two radii: 0.94 for PBE, 0.96 for PBE0 with fermi", 0.94),
           positive_parameter("steepness", "", "of the Fermi function", 20),
           positive_parameter("cutoff", "Å", "energy and force are zero from here on", 20),
           positive_parameter("width", "Å", "the switch acts over the last part of the cutoff", 2),
           {.name = "tail",
            .type = Type::boolean,
            .description = "in three periodic directions, pairs beyond the cutoff as a homogeneous distribution",
            .default_value = true},
           element_values("volumes", "",
                          "of atoms in the material over free ones, by element, \"given\": a column, or \"learned\"; 1 if not given"),
           {.name = "property",
            .type = Type::text,
            .description = "name of the [[property]] with the volumes, with volumes = \"learned\"",
            .default_value = std::string("volume")},
           {.name = "column",
            .type = Type::text,
            .description = "of the volumes, with volumes = \"given\"",
            .default_value = std::string("hirshfeld_rel_volume")},
           element_values("c6", "eV Å⁶", "of free atoms, by element, instead of the table"),
           element_values("polarizability", "Å³", "of free atoms, by element, instead of the table"),
           element_values("radius", "Å", "of free atoms, by element, instead of the table")},
          [](const Parameters& parameters) { return std::make_shared<DispersionPotential>(parameters); }};
}

}  // namespace gapkit
