#pragma once

#include <set>

#include "fit/candidate_pool.hpp"
#include "fit/data_scan.hpp"

namespace gapkit {

/// Gathers the environments that the sparse points of each draft are chosen from. Frames come in the order of the data.
class CandidateGatherer {
 public:
  CandidateGatherer(const std::vector<TermDraft>& drafts, std::uint64_t seed);

  /// False if no draft chooses among environments.
  bool has_work() const { return cutoff_ > 0; }
  double cutoff() const { return cutoff_; }  ///< Å, the largest of the descriptors
  /// `number`: of the frame in the data.
  void add(const Structure& frame, const Environments& environments, std::int64_t number);
  double bytes() const;  ///< of the features
  /// Candidates of each draft; their config types are places in `config_types`. The gatherer is empty afterwards.
  std::vector<Candidates> take(const std::vector<std::string>& config_types);

 private:
  struct Gathered {
    std::shared_ptr<const Descriptor> descriptor;
    std::unique_ptr<CandidatePool> pool;  // null: the draft needs no candidates
  };

  std::vector<Gathered> drafts_;
  double cutoff_ = 0;
  std::map<std::string, int> config_types_;  // numbers in the pools
  Features features_;
};

/// One pass over frames that have been scanned.
std::vector<Candidates> gather_candidates(const Dataset& training, const FitOptions& options, const DataScan& scan,
                                          const ProgressCallback& progress);

/// Gathers candidates during the scan, which saves a pass. Descriptors depend on all elements of the data; these are taken to be the
/// elements of the first frames, which are kept in memory until there are enough of them. Gives up at a frame with another element, and
/// where the features need more memory than the fit may take.
class EarlyCandidates {
 public:
  static constexpr std::size_t most_first_frames = 100;
  static constexpr std::int64_t most_first_atoms = 10'000;

  /// The options must outlive the object.
  explicit EarlyCandidates(const FitOptions& options) : options_(options) {}

  void add(const Structure& frame, const Environments& environments, std::int64_t number);
  /// The same as gather_candidates(); absent if it gave up.
  std::optional<std::vector<Candidates>> take(const DataScan& scan);

 private:
  struct FirstFrame {
    Structure frame;
    std::int64_t number;
  };

  void begin();
  void give_up();
  void gather(const Structure& frame, const Environments& environments, std::int64_t number);

  const FitOptions& options_;
  std::vector<FirstFrame> first_;
  std::int64_t first_atoms_ = 0;
  std::set<int> elements_;
  std::optional<CandidateGatherer> gatherer_;
  bool gave_up_ = false;
};

}  // namespace gapkit
