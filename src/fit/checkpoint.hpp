#pragma once

#include <gapkit/core/phase_clock.hpp>

#include "fit/data_scan.hpp"

namespace gapkit {

/// State of a fit between two batches.
struct Checkpoint {
  std::vector<Term> terms;  ///< with their sparse points
  std::vector<TermReport> reports;
  std::int64_t frames = 0;  ///< folded into the statistics
  SufficientStatistics statistics;
};

/// Saves a fit's state from time to time (docs/file-formats.md). Does nothing without a checkpoint path.
class CheckpointKeeper {
 public:
  /// `key`: must be equal in checkpoint and fit (checkpoint_key()). All but `key` must outlive the object.
  CheckpointKeeper(const FitRun& run, const FitOptions& options, const DataScan& scan, std::string key)
      : run_(run), options_(options), scan_(scan), key_(std::move(key)) {}

  /// The saved state of an interrupted fit of the same data with the same options, if there is one.
  std::optional<Checkpoint> load() const;

  /// Saves if the last time is long enough ago, or if `now`. A file that cannot be written does not stop the fit: `progress` gets
  /// one warning, and there are no further attempts.
  void save(const std::vector<Term>& terms, const std::vector<TermReport>& reports, const SufficientStatistics& statistics,
            std::int64_t frames, bool now);
  /// Whether save() would save new frames without `now`.
  bool is_due() const;

 private:
  void write(const std::vector<Term>& terms, const std::vector<TermReport>& reports, const SufficientStatistics& statistics,
             std::int64_t frames) const;

  const FitRun& run_;
  const FitOptions& options_;
  const DataScan& scan_;
  std::string key_;
  Stopwatch since_saved_;
  std::int64_t saved_ = -1;  // frames in the file
  bool failed_ = false;      // no further attempts
};

}  // namespace gapkit
