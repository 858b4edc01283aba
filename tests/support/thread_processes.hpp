#pragma once

#include <condition_variable>
#include <gapkit/core/communicator.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace gapkit::test {

/// Threads in the place of processes: while it lives, passes over data are divided between this thread (rank 0) and others, which serve.
class ThreadProcesses {
 public:
  explicit ThreadProcesses(int size);
  ~ThreadProcesses();
  ThreadProcesses(const ThreadProcesses&) = delete;
  ThreadProcesses& operator=(const ThreadProcesses&) = delete;

  /// Bytes that the other ranks have sent and received.
  std::size_t bytes() const;

 private:
  struct Exchange;
  class Member;

  std::shared_ptr<Exchange> exchange_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::thread> threads_;
};

}  // namespace gapkit::test
