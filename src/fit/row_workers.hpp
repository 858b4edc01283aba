#pragma once

#include <functional>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/model/kernel_rows.hpp>

namespace gapkit {

/// Fills kernel rows of many structures with all threads: each thread takes one structure at a time; large structures get all threads. The
/// rows of a structure do not depend on the number of threads.
class RowWorkers {
 public:
  explicit RowWorkers(std::span<const Term> terms);

  double cutoff() const { return cutoff_; }
  /// Adds a structure whose rows are to be filled. `progress`: the value that finish() passes to its callback after this structure.
  void add(Structure structure, const Observables& wanted, MatrixSlice rows, double progress);
  /// Fills all rows. `show` is called by the calling thread only and may throw (Interrupted): the rows are then incomplete.
  void finish(const std::function<void(double)>& show);
  PhaseTime time() const { return time_; }

 private:
  struct Work {
    Structure structure;
    Observables wanted;
    MatrixSlice rows;
    double progress;
  };

  void fill(const Work& work, KernelRows& kernel_rows) const;

  double cutoff_;
  std::vector<KernelRows> kernel_rows_;  // one per thread
  std::vector<Work> work_;
  PhaseTime time_;
};

}  // namespace gapkit
