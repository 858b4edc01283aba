#pragma once

#include <gapkit/active/labeller.hpp>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/active/perturb.hpp>
#include <gapkit/config/config.hpp>

namespace gapkit {

/// A source of proposed structures: one [[source]].
struct SourceOptions {
  std::string kind;                ///< a name in source_kinds()
  std::string name;                ///< unique; the kind (with a number) if not given
  std::vector<std::string> files;  ///< extended XYZ: the pool, or initial structures of trajectories and distortions
  std::string config_type;         ///< of proposals; empty: the config type of the initial frame

  // rattle
  int count = 10;          ///< structures in each round, for each frame
  PerturbOptions perturb;  ///< the seed is not used

  // md
  std::vector<double> temperatures = {300};  ///< K; one replica for each, and for each frame and volume factor
  std::vector<double> volume_factors = {1};  ///< of the frame's volume
  MdOptions md;                              ///< the temperature is not used
  int check_every = 10;                      ///< steps between error bars
  double time = 10;                          ///< ps that every replica must run without an error bar above the threshold
  double round_time = 2;                     ///< ps of a replica's turn
  bool forks = false;                        ///< the trajectory continues after a proposal, up to max_proposals
  int max_proposals = 5;                     ///< of one replica in one round
  bool single_precision = false;             ///< forces of the trajectory; error bars stay in double precision
};

/// The threshold of error bars for proposals.
struct ThresholdOptions {
  enum class Quantity { force, local_energy, energy, extrapolation };
  enum class Mode { none, absolute, relative, automatic };
  Quantity quantity = Quantity::force;
  Mode mode = Mode::automatic;
  double value = 1;          ///< absolute: eV/Å or eV, or a grade; relative: times the fitted σ; automatic: times the noise of the data
  double upper = 5;          ///< times the threshold: above it a trajectory goes back
  double hysteresis = 0.25;  ///< automatic: smaller relative changes of the threshold are ignored
  bool all_points = false;   ///< error bars of forces from all sparse points, where the calibration has a quicker setting
};

/// The choice among the proposals of a round.
struct ChooseOptions {
  enum class Method { variance, top, random };
  enum class Covariance { energy, local_energy, forces };
  enum class Criterion { largest, total };
  Method method = Method::variance;
  Covariance covariance = Covariance::energy;
  Criterion criterion = Criterion::largest;
  int per_round = 10;
  int candidates = 200;  ///< largest number of proposals in the joint covariance
};

/// Growth of the sparse points with the data.
struct GrowthOptions {
  int every = 1;       ///< rounds between additions, each of them a pass over all data; 0: never
  int per_label = 10;  ///< sparse points added per labelled structure, to each combination of a term
  int max = 1000;      ///< sparse points of a combination
};

/// Limits of the loop, which also ends without structures above the threshold.
struct GoalOptions {
  int rounds = 100;
  int labels = 0;        ///< total number of labelled structures; 0: no limit
  double wall_time = 0;  ///< s, restarts included; 0: no limit
};

/// Options of a learning loop; read_loop_options() reads them from TOML.
struct LoopOptions {
  std::string folder = "loop";     ///< folder of the loop's files
  FitConfiguration fit;            ///< with the initial training files
  std::vector<std::string> start;  ///< files with structures that the labeller labels first; training data too
  std::vector<SourceOptions> sources;
  LabellerOptions labeller;
  ThresholdOptions threshold;
  ChooseOptions choose;
  GrowthOptions growth;
  GoalOptions goal;
  std::string resolved;  ///< without the goal, as text; must not change when a loop continues
};

const std::vector<std::string>& source_kinds();  ///< pool, md, rattle
std::string quantity_name(ThresholdOptions::Quantity quantity);
std::string quantity_unit(ThresholdOptions::Quantity quantity);

/// Reads the configuration of a loop (docs/active-learning.md): the sections of a fit and those of the loop in one file. Errors as for
/// read_fit_options().
LoopOptions read_loop_options(const std::filesystem::path& path);
LoopOptions parse_loop_options(const std::string& toml, const std::string& name, const std::filesystem::path& folder);

}  // namespace gapkit
