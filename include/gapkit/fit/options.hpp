#pragma once

#include <gapkit/core/parameters.hpp>
#include <gapkit/io/targets.hpp>
#include <map>

namespace gapkit {

/// One [[term]] of the configuration, before it is expanded over species.
struct TermOptions {
  std::string name;  ///< unique; the descriptor's name (with a number) if not given
  std::string descriptor;
  Parameters descriptor_parameters;  ///< complete
  std::string kernel;
  Parameters kernel_parameters;                 ///< complete
  std::optional<double> length_scale_fraction;  ///< squared_exponential: θ = fraction × range of the candidates per dimension
  std::vector<std::string> species;             ///< empty: all; else elements ("Si") or combinations, named as in combination_name ("O-Si")
  double delta = 1.0;                           ///< eV
  std::map<std::string, double> species_delta;  ///< by combination ("Si", "O-Si"), replaces delta
  int n_sparse = 0;                             ///< per combination
  std::map<std::string, int> species_n_sparse;  ///< by combination, replaces n_sparse
  std::map<std::string, int> config_type_n_sparse;  ///< so many of these config types; n_sparse counts for all others then
  std::string selection = "cur";
  int max_candidates = 100000;                     ///< per combination
  std::map<std::string, std::string> sparse_file;  ///< by combination; key "" for all
  std::map<std::string, std::string> sparse_indices;
};

/// σ of a class of rows. Energy and virial are multiplied by √N unless scale_with_atoms is false.
struct SigmaOptions {
  double energy = 0.001;  ///< eV
  double force = 0.05;    ///< eV/Å
  double virial = 0.05;   ///< eV
};

struct RegularizationOptions {
  SigmaOptions standard;
  std::map<std::string, SigmaOptions> config_type;
  bool scale_with_atoms = true;
};

struct ReferenceEnergyOptions {
  enum class Mode { isolated, least_squares, explicit_values };
  Mode mode = Mode::isolated;
  std::map<std::string, double> values;  ///< eV per atom, by element, for explicit_values
};

/// All that a fit needs to know; config/ makes it from TOML, programs may fill it themselves.
struct FitOptions {
  std::vector<std::string> train;  ///< files
  std::vector<std::string> validation;
  bool use_energy = true, use_forces = true, use_virial = true;
  TargetKeys keys;
  ReferenceEnergyOptions reference_energies;
  std::vector<TermOptions> terms;
  RegularizationOptions regularization;
  double jitter = 1e-8;                   ///< relative to δ² of each term
  std::optional<double> jitter_absolute;  ///< eV², replaces jitter
  std::string model_path = "model.h5";
  std::string sparse_output;  ///< prefix of files with the chosen environments; empty: none
  std::uint64_t seed = 0;
  double memory = 4.0;              ///< GB; a fit that needs more is refused
  std::string checkpoint_path;      ///< file that an interrupted fit continues from; empty: none is kept
  double checkpoint_interval = 60;  ///< s between checkpoints
  std::string resolved;             ///< the resolved configuration as TOML text, stored in the model
};

}  // namespace gapkit
