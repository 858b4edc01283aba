#pragma once

#include <gapkit/active/labeller.hpp>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/active/perturb.hpp>
#include <gapkit/config/config.hpp>

namespace gapkit {

/// Where proposed structures come from: one [[source]].
struct SourceOptions {
  std::string kind;                ///< a name in source_kinds()
  std::string name;                ///< unique; the kind (with a number) if not given
  std::vector<std::string> files;  ///< extended XYZ: the pool itself, or what trajectories and distortions begin from
  std::string config_type;         ///< of what is proposed; empty: that of the frame it comes from

  // rattle
  int count = 10;          ///< structures in each round, for each frame
  PerturbOptions perturb;  ///< the seed does not count

  // md
  std::vector<double> temperatures = {300};  ///< K; one replica for each, and for each frame and volume factor
  std::vector<double> volume_factors = {1};  ///< of the frame's volume
  MdOptions md;                              ///< the temperature does not count
  int check_every = 10;                      ///< steps between error bars
  double time = 10;                          ///< ps that every replica has to run without an error bar above the threshold
  double round_time = 2;                     ///< ps that a replica runs before the others have their turn
  bool forks = false;     ///< a structure above the threshold is proposed and the trajectory goes on, up to max_proposals
  int max_proposals = 5;  ///< of one replica in one round
};

/// When a structure is uncertain enough to be labelled.
struct ThresholdOptions {
  enum class Quantity { force, local_energy, energy };
  enum class Mode { none, absolute, relative, automatic };
  Quantity quantity = Quantity::force;
  Mode mode = Mode::automatic;
  double value = 1;          ///< absolute: eV/Å or eV; relative: times the fitted σ; automatic: times what the data leave as error
  double upper = 5;          ///< times the threshold: a trajectory above it has gone astray
  double hysteresis = 0.25;  ///< automatic: the threshold changes only if it would by more than this part
};

/// Which of the uncertain structures are labelled in a round.
struct ChooseOptions {
  enum class Method { variance, top, random };
  enum class Covariance { energy, local_energy, forces };
  enum class Criterion { largest, total };
  Method method = Method::variance;
  Covariance covariance = Covariance::energy;
  Criterion criterion = Criterion::largest;
  int per_round = 10;
  int candidates = 200;  ///< at most, of the largest error bars, whose joint covariance is looked at
};

/// How the sparse points grow with the data.
struct GrowthOptions {
  int every = 1;       ///< rounds between additions, each of them a pass over all data; 0: never
  int per_label = 10;  ///< sparse points added per labelled structure, to each combination of a term
  int max = 1000;      ///< sparse points of a combination
};

/// What ends the loop, besides there being no structure above the threshold any more.
struct GoalOptions {
  int rounds = 100;
  int labels = 0;        ///< structures labelled in all; 0: no limit
  double wall_time = 0;  ///< s, restarts included; 0: no limit
};

/// All that a learning loop needs to know; read_loop_options() makes it from TOML.
struct LoopOptions {
  std::string folder = "loop";     ///< everything is kept here
  FitConfiguration fit;            ///< its training files are what is labelled before the loop begins
  std::vector<std::string> start;  ///< files with structures that the labeller labels first, training data as well
  std::vector<SourceOptions> sources;
  LabellerOptions labeller;
  ThresholdOptions threshold;
  ChooseOptions choose;
  GrowthOptions growth;
  GoalOptions goal;
  std::string resolved;  ///< without the goal, as text: what a loop that is continued must have in common with the one that was begun
};

const std::vector<std::string>& source_kinds();  ///< pool, md, rattle
std::string quantity_name(ThresholdOptions::Quantity quantity);
std::string quantity_unit(ThresholdOptions::Quantity quantity);

/// Reads the configuration of a loop (docs/active-learning.md): the sections of a fit and those of the loop in one file. Errors as for
/// read_fit_options().
LoopOptions read_loop_options(const std::filesystem::path& path);
LoopOptions parse_loop_options(const std::string& toml, const std::string& name, const std::filesystem::path& folder);

}  // namespace gapkit
