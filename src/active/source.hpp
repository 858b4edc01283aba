#pragma once

#include <gapkit/active/choose.hpp>
#include <gapkit/active/threshold.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>
#include <set>

#include "active/event_log.hpp"

namespace gapkit {

/// What sources need to know of the round.
struct RoundContext {
  int round = 0;
  std::filesystem::path folder;           ///< of the round; a source may keep its own files there
  std::filesystem::path previous_folder;  ///< of the round before; empty in round 0
  Predictor& predictor;
  const LoopOptions& options;
  Threshold threshold;
  /// Frames of each source that were labelled, or could not be.
  const std::map<std::string, std::set<std::int64_t>>& used;
  EventLog& log;
  const ProgressCallback& progress;
  int turn = 1;  ///< how many times the sources have been asked in this round; after a restart counted again from 1

  double error_bar_of(const Structure& structure) const;
  std::uint64_t seed_of(const std::string& what) const;  ///< of the random choices of this round
};

/// Where structures come from. What a source proposes depends on the configuration, the models and the labels so far only, so that a loop
/// that was killed goes on as if nothing had happened.
class Source {
 public:
  virtual ~Source() = default;
  /// Appends structures above the threshold, with fields active_source, active_frame (a number that tells them apart within the source),
  /// active_why. Called again (the next turn) as long as no source proposes anything and one is not quiet.
  virtual void propose(const RoundContext& context, std::vector<Candidate>& proposals) = 0;
  /// Nothing above the threshold is left here, with this model.
  virtual bool is_quiet() const = 0;
  /// Whether used frames must not be proposed again.
  virtual bool has_frames() const { return false; }
  /// For the summary of the round: a JSON object.
  virtual std::string summary() const { return "{}"; }
};

std::unique_ptr<Source> make_source(const SourceOptions& source, const LoopOptions& loop);
std::unique_ptr<Source> make_pool_source(const SourceOptions& source);
std::unique_ptr<Source> make_rattle_source(const SourceOptions& source, const LoopOptions& loop);
std::unique_ptr<Source> make_md_source(const SourceOptions& source, const LoopOptions& loop);

/// Names the fields that describe a proposal.
void describe_proposal(Structure& structure, const SourceOptions& source, const TargetKeys& keys, std::int64_t frame, double std,
                       const std::string& why);

}  // namespace gapkit
