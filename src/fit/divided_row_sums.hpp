#pragma once

#include <gapkit/core/communicator.hpp>

#include "fit/row_messages.hpp"

namespace gapkit {

/// Rank 0 of a pass that is divided among processes: each frame goes to the rank with the least work in the current block, in which each
/// rank gets at most one batch of rows. The ranks keep their sums until a checkpoint or the end.
class DividedRowSums {
 public:
  /// All that the rules refer to must outlive the object. `frames`: that are in resumed statistics.
  DividedRowSums(Communicator& communicator, RowSumRules rules, AccumulationCheckpoints& checkpoints, std::int64_t frames);

  StatisticsBuilder& builder() { return own_.builder(); }
  PhaseTime rows_time() const { return own_.rows_time(); }

  /// `show`: gets the atoms that are done, may throw Interrupted. Throws the error of any rank.
  void add(FrameRows frame, const ShowAtoms& show);
  /// Afterwards the builder of this process has the sums of all.
  void finish(const ShowAtoms& show);
  /// After Interrupted: completes the current block and saves the state.
  void save_interrupted();

 private:
  struct Share {
    ByteWriter frames;           // of another rank
    std::vector<FrameRows> own;  // of this one
    Eigen::Index rows = 0;
    double cost = 0;
    bool is_awaited = false;  // a reply
  };

  RowSumRules own_rules(RowSumRules rules);
  ByteWriter command(RowCommand command) const;
  void begin();
  std::size_t next_share() const;
  void send_block(const ShowAtoms& show);
  void sum_own_frames(const ShowAtoms& show);
  void poll();
  void take_reply(int rank);
  void await_replies(const ShowAtoms& show);
  void await_consent();
  void move_all_sums();
  void save();

  Communicator& communicator_;
  AccumulationCheckpoints& checkpoints_;
  RowSumRules rules_;
  OwnRowSums own_;
  Eigen::Index rows_of_share_;
  std::int64_t pass_;
  std::vector<Share> shares_;   // by rank
  std::vector<KeptRows> kept_;  // of the current block
  std::vector<bool> has_rows_;  // by group
  std::size_t own_done_ = 0;    // frames of shares_[0].own in own_
  bool is_own_sent_ = false;    // shares_[0].own belong to the block that all ranks work on
  std::int64_t frames_added_, frames_sent_;
  double progress_ = 0;
};

}  // namespace gapkit
