#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace gapkit {

/// Processes that share a computation: rank 0 leads it, the others serve (fit/serve_rows.hpp). One thread of each process calls.
class Communicator {
 public:
  Communicator() = default;
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// May wait until the other side receives.
  virtual void send(int to, const std::string& bytes) = 0;
  /// Whether receive() would not wait.
  virtual bool has_message(int from) = 0;
  /// Messages of one rank arrive in their order. Waits without load on the processor.
  virtual std::string receive(int from) = 0;

  // Collective calls: every rank makes them, with equal sizes, in the same order.
  /// The bytes of rank 0 go to all.
  virtual void broadcast(std::span<std::byte> bytes) = 0;
  /// Rank 0 gets the sums over all ranks, added in an order that depends on their number only; the numbers of other ranks become undefined.
  virtual void sum(std::span<double> numbers) = 0;
};

/// The processes of this program: one, unless set_processes() says otherwise.
Communicator& processes();
/// `communicator` must outlive its use; null: one process.
void set_processes(Communicator* communicator);

}  // namespace gapkit
