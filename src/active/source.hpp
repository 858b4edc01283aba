#pragma once

#include <gapkit/active/choose.hpp>
#include <gapkit/active/threshold.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>
#include <set>

#include "active/event_log.hpp"

namespace gapkit {

/// A round as sources see it.
struct RoundContext {
  int round = 0;
  std::filesystem::path folder;           ///< folder of the round; sources may keep files in it
  std::filesystem::path previous_folder;  ///< folder of the previous round; empty in round 0
  Predictor& predictor;
  const LoopOptions& options;
  Threshold threshold;
  /// Frames of each source that were chosen in earlier rounds.
  const std::map<std::string, std::set<std::int64_t>>& used;
  EventLog& log;
  const ProgressCallback& progress;
  int turn = 1;  ///< number of the call of propose() in this round; counts from 1 again after a restart

  double error_bar_of(const Structure& structure) const;
  std::uint64_t seed_of(const std::string& name) const;  ///< seed of random choices in this round
};

/// A source of structures. Its proposals depend only on the configuration, the models and the earlier labels, so that a restarted loop
/// proposes the same.
class Source {
 public:
  virtual ~Source() = default;
  /// Appends structures above the threshold. Called again (the next turn) while no source proposes a structure and one is not quiet.
  virtual void propose(const RoundContext& context, std::vector<Proposal>& proposals) = 0;
  /// True if the source has no more structures above the threshold of this model.
  virtual bool is_quiet() const = 0;
  /// Whether the source excludes used frames.
  virtual bool has_frames() const { return false; }
  /// A JSON object for the summary of the round.
  virtual std::string summary() const { return "{}"; }
};

std::unique_ptr<Source> make_source(const SourceOptions& source, const LoopOptions& loop);
std::unique_ptr<Source> make_pool_source(const SourceOptions& source);
std::unique_ptr<Source> make_rattle_source(const SourceOptions& source, const LoopOptions& loop);
std::unique_ptr<Source> make_md_source(const SourceOptions& source, const LoopOptions& loop);

/// A proposal; SourceOptions::config_type, if given, replaces the config type of the structure.
Proposal make_proposal(Structure structure, const SourceOptions& source, std::int64_t frame, double std, std::string why);
/// "force std 0.3 > 0.1 eV/Å"
std::string comparison_text(ThresholdOptions::Quantity quantity, double found, double threshold);
/// The same with the threshold of the round, or "no threshold".
std::string reason_of(const RoundContext& context, double std);

}  // namespace gapkit
