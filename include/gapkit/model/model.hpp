#pragma once

#include <filesystem>
#include <gapkit/io/targets.hpp>
#include <gapkit/model/calibration.hpp>
#include <gapkit/model/posterior.hpp>
#include <gapkit/potentials/potential.hpp>
#include <map>

namespace gapkit {

/// 1: every model has a posterior; 2: it may be absent; 4: the model sits on another one. Each is written with the lowest that it needs.
inline constexpr int model_format_version = 4;

/// Å, by the atomic numbers of a pair of elements, smaller first; without pairs that never were within the cutoff of the terms.
using ShortestDistances = std::map<std::pair<int, int>, double>;

/// A fitted potential: reference energies, terms, and the posterior of their weights. Immutable after the fit.
///
/// A model imported from another program may have weights only: then factor and posterior are empty, and there are no error bars but the
/// variance that the other program would give (notes["origin"] says where it came from).
struct Model {
  std::map<int, double> reference_energies;  ///< eV per atom, by atomic number; its keys are the elements the model knows
  std::vector<PotentialPointer> baselines;
  BaseKeys base;  ///< another model that this one sits on: predictions need its values (Structure::base), or are the difference
  std::vector<Term> terms;
  SparseFactor factor;
  Posterior posterior;
  Vector weights;  ///< c, one per sparse point, terms one after the other

  std::optional<Calibration> calibration;               ///< of the error bars; absent: uncalibrated
  std::optional<ShortestDistances> shortest_distances;  ///< in the training data; absent: unknown

  // For the record
  std::string gapkit_version;  ///< that wrote the file it was loaded from; empty if it was not loaded
  std::string configuration;   ///< resolved, TOML
  std::uint64_t seed = 0;
  std::string data_fingerprint;              ///< of the training frames
  bool scale_with_atoms = true;              ///< σ_E and σ_V were multiplied by √N
  std::map<std::string, std::string> notes;  ///< "training_errors" (JSON), "validation_errors", …

  /// False for members of an ensemble and for models of other programs: they have weights, but no error bars from data.
  bool has_posterior() const { return posterior.factor.rows() > 0; }
  bool knows(int atomic_number) const { return reference_energies.count(atomic_number) > 0; }
  double cutoff() const { return std::max(largest_cutoff(terms), largest_cutoff(baselines)); }
};

/// One HDF5 file (docs/file-formats.md), written to a temporary file and renamed.
void save_model(const Model& model, const std::filesystem::path& path);
/// Throws InputError with what is wrong: not a model, a later version, damaged, shapes that do not fit together.
Model load_model(const std::filesystem::path& path);

}  // namespace gapkit
