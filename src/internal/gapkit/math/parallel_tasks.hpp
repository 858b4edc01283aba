#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <gapkit/math/linear_algebra.hpp>

namespace gapkit {

/// Calls run(task, lane) for task = 0 … tasks − 1, on at most `lanes` threads; lane counts the threads, each has its own. Begins no task
/// after one has thrown, and throws the exception of the earliest task that failed.
template <class Run>
void parallel_tasks(std::size_t tasks, int lanes, const Run& run) {
  std::exception_ptr failure;
  std::size_t failed = tasks;
  std::atomic<bool> stop = false;
  const auto count = static_cast<std::ptrdiff_t>(tasks);
#pragma omp parallel for schedule(dynamic, 1) num_threads(lanes) if (count > 1 && lanes > 1)
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    if (stop) continue;
    const auto task = static_cast<std::size_t>(i);
    try {
      run(task, static_cast<std::size_t>(current_thread()));
    } catch (...) {  // must not leave the parallel region
#pragma omp critical(gapkit_parallel_tasks_failure)
      if (task < failed) {
        failed = task;
        failure = std::current_exception();
      }
      stop = true;
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gapkit
