#include "fit/row_workers.hpp"

#include <gapkit/math/parallel_tasks.hpp>

namespace gapkit {
namespace {

constexpr int large_structure = 400;  // atoms

}  // namespace

RowWorkers::RowWorkers(std::span<const Term> terms) : cutoff_(largest_cutoff(terms)) {
  kernel_rows_.reserve(static_cast<std::size_t>(thread_count()));
  kernel_rows_.emplace_back(terms);
  for (int thread = 1; thread < thread_count(); ++thread) kernel_rows_.push_back(kernel_rows_[0]);
}

void RowWorkers::add(Structure structure, const Observables& wanted, MatrixSlice rows, double progress) {
  work_.push_back({std::move(structure), wanted, rows, progress});
}

void RowWorkers::fill(const Work& work, KernelRows& kernel_rows) const {
  const StructureEnvironments environments(work.structure, cutoff_);
  if (work.wanted.has_local())
    kernel_rows.compute_property(environments.view(), work.wanted, local_weights(work.wanted, work.structure.positions), work.rows,
                                 work.structure.local.response);
  else
    kernel_rows.compute(environments.view(), work.structure.size(), work.wanted, work.rows);
}

void RowWorkers::finish(const std::function<void(double)>& show) {
  PhaseClock watch;
  std::vector<const Work*> small;
  for (const Work& work : work_) {
    if (work.structure.size() < large_structure) {
      small.push_back(&work);
      continue;
    }
    fill(work, kernel_rows_[0]);
    show(work.progress);
  }
  parallel_tasks(small.size(), thread_count(), [&](std::size_t i, std::size_t thread) {
    fill(*small[i], kernel_rows_[thread]);
    if (thread == 0) show(small[i]->progress);
  });
  if (!work_.empty()) show(work_.back().progress);
  work_.clear();
  time_ += watch.lap();
}

}  // namespace gapkit
