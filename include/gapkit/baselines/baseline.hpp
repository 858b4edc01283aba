#pragma once

#include <functional>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/parameters.hpp>
#include <map>
#include <memory>

namespace gapkit {

/// A fixed potential below the learned one: subtracted from the data before the fit, added in prediction, without an error bar.
/// Immutable, re-entrant.
class Baseline {
 public:
  virtual ~Baseline() = default;

  virtual const Parameters& parameters() const = 0;
  /// Å; nothing beyond it matters. Depends on nothing but the parameters.
  virtual double cutoff() const = 0;

  /// Adds each centre's share of the energy (eV) to local_energy[atom] and, unless dE_dr is empty, the derivative of the shares' sum to
  /// dE_dr[pair] (eV/Å), for the pairs of `environments`, which must reach as far as cutoff(). A pair's energy is shared half and half.
  virtual void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const = 0;
};

/// One line of the table of baselines.
struct BaselineKind {
  std::string name;
  std::string description;
  std::vector<ParameterInfo> parameters;
  /// Parameters must be complete.
  std::function<std::shared_ptr<const Baseline>(const Parameters&)> make;
};

/// The table: zbl, pair_spline. A new baseline is one .cpp file and one line here.
const std::vector<BaselineKind>& baseline_kinds();
/// Throws InputError with the nearest name if unknown.
const BaselineKind& baseline_kind(std::string_view name);

/// A baseline with the name of its kind, as a configuration asks for it and a model keeps it.
struct NamedBaseline {
  std::string kind;
  std::shared_ptr<const Baseline> baseline;
};
double largest_cutoff(std::span<const NamedBaseline> baselines);

/// Takes the baselines' energy, forces and virial off the targets that the structure has.
void subtract_baselines(std::span<const NamedBaseline> baselines, Structure& structure);

/// Text of a file of tabulated pair energies, for the parameter `table` of pair_spline. Throws InputError with file and line.
///
/// Lines "pair Si C" begin the table of two elements; then one line "distance energy" (Å, eV of the bond) for each point, distances
/// ascending, at least four points, the last energy 0. "#" begins a comment.
std::string read_pair_tables(const std::string& path);

}  // namespace gapkit
