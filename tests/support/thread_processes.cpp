#include "support/thread_processes.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <deque>
#include <gapkit/fit/serve_rows.hpp>
#include <map>
#include <mutex>

namespace gapkit::test {

struct ThreadProcesses::Exchange {
  explicit Exchange(int count) : size(count), barrier(count), spans(static_cast<std::size_t>(count)) {}

  int size;
  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::pair<int, int>, std::deque<std::string>> messages;  // from, to
  std::barrier<> barrier;
  std::vector<std::span<double>> spans;
  std::span<std::byte> source;
  std::atomic<std::size_t> bytes = 0;
};

class ThreadProcesses::Member : public Communicator {
 public:
  Member(std::shared_ptr<Exchange> exchange, int rank) : exchange_(std::move(exchange)), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return exchange_->size; }
  void send(int to, const std::string& bytes) override {
    const std::lock_guard lock(exchange_->mutex);
    exchange_->bytes += bytes.size();
    exchange_->messages[{rank_, to}].push_back(bytes);
    exchange_->arrived.notify_all();
  }
  bool has_message(int from) override {
    const std::lock_guard lock(exchange_->mutex);
    return !exchange_->messages[{from, rank_}].empty();
  }
  std::string receive(int from) override {
    std::unique_lock lock(exchange_->mutex);
    auto& queue = exchange_->messages[{from, rank_}];
    exchange_->arrived.wait(lock, [&] { return !queue.empty(); });
    std::string bytes = std::move(queue.front());
    queue.pop_front();
    return bytes;
  }
  void broadcast(std::span<std::byte> bytes) override {
    if (rank_ == 0) exchange_->source = bytes;
    exchange_->barrier.arrive_and_wait();
    if (rank_ > 0 && !bytes.empty()) std::memcpy(bytes.data(), exchange_->source.data(), bytes.size());
    exchange_->barrier.arrive_and_wait();
  }
  void sum(std::span<double> numbers) override {
    exchange_->spans[static_cast<std::size_t>(rank_)] = numbers;
    exchange_->barrier.arrive_and_wait();
    for (int rank = 1; rank_ == 0 && rank < exchange_->size; ++rank)
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += exchange_->spans[static_cast<std::size_t>(rank)][i];
    exchange_->barrier.arrive_and_wait();
  }

 private:
  std::shared_ptr<Exchange> exchange_;
  int rank_;
};

ThreadProcesses::ThreadProcesses(int size) : exchange_(std::make_shared<Exchange>(size)) {
  for (int rank = 0; rank < size; ++rank) members_.push_back(std::make_unique<Member>(exchange_, rank));
  for (std::size_t rank = 1; rank < members_.size(); ++rank)
    threads_.emplace_back([member = members_[rank].get()] { serve_rows(*member); });
  set_processes(members_.front().get());
}

ThreadProcesses::~ThreadProcesses() {
  set_processes(nullptr);
  end_serving(*members_.front());
  for (std::thread& thread : threads_) thread.join();
}

std::size_t ThreadProcesses::bytes() const {
  return exchange_->bytes;
}

}  // namespace gapkit::test
