#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Predictions beside reference values, collected frame by frame for the figures of a report.
///
/// Memory: 28 bytes for each force component (20 without error bars), about 250 bytes per frame.
class PredictionRecord {
 public:
  /// One entry per number that was compared.
  struct Values {
    std::vector<double> reference, predicted;
    std::vector<double> std;  ///< error bars, of all entries or of none
    std::vector<int> frame;   ///< index in frames()

    std::size_t size() const { return reference.size(); }
    bool has_std() const { return !std.empty(); }
    double error(std::size_t i) const { return predicted[i] - reference[i]; }
  };
  struct Frame {
    std::int64_t number = 0;  ///< over all files, from 1
    std::string source;       ///< as messages name it, without folders
    int config_type = 0;      ///< index in config_types()
    int atoms = 0;
    double energy = 0;                        ///< predicted, eV per atom, relative to isolated atoms
    std::optional<double> energy_error;       ///< eV per atom
    std::optional<double> force_rmse;         ///< eV/Å, over components
    double largest_force_error = 0;           ///< |Δf| of the worst atom, eV/Å
    int worst_atom = 0;                       ///< from 1
    std::optional<double> stress_rmse;        ///< GPa
    std::optional<double> energy_std;         ///< eV per atom
    std::optional<double> largest_force_std;  ///< √Σ std² of the least certain atom, eV/Å
  };

  /// Reference energies (eV per atom, by element) are taken off energies, so that they compare between compositions.
  /// Without `keep_values` only frames() and config_types() are kept.
  explicit PredictionRecord(std::map<int, double> reference_energies = {}, bool keep_values = true)
      : reference_energies_(std::move(reference_energies)), keep_values_(keep_values) {}

  /// Numbers that are not finite are left out and counted. Masked forces are left out.
  void add(const Structure& frame, const Prediction& prediction);

  const std::vector<Frame>& frames() const { return frames_; }
  const std::vector<std::string>& config_types() const { return config_types_; }  ///< by first occurrence
  const Values& energy() const { return energy_; }                                ///< eV per atom, relative to isolated atoms
  const Values& forces() const { return forces_; }                                ///< eV/Å
  const Values& stress() const { return stress_; }                                ///< GPa
  std::int64_t atoms() const { return atoms_; }
  std::int64_t not_finite() const { return not_finite_; }
  /// Atoms of the frames of each config type.
  std::map<std::string, std::int64_t> atoms_of_config_types() const;
  bool has_reference() const { return energy_.size() + forces_.size() + stress_.size() > 0; }

 private:
  bool put(Values& values, double reference, double predicted, const double* std);
  void add_forces(const Structure& frame, const Prediction& prediction, Frame& entry);
  void add_stress(const Structure& frame, const Prediction& prediction, Frame& entry);

  std::map<int, double> reference_energies_;
  bool keep_values_;
  std::vector<Frame> frames_;
  std::vector<std::string> config_types_;
  std::map<std::string, int> index_of_config_type_;
  Values energy_, forces_, stress_;
  std::int64_t atoms_ = 0, not_finite_ = 0;
};

}  // namespace gapkit
