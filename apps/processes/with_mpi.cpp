#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <gapkit/core/errors.hpp>
#include <thread>

#include "common/launcher.hpp"
#include "processes.hpp"

namespace gapkit::apps {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 26;  // of one call: counts are int, and a sum needs a buffer of this size
constexpr auto shortest_nap = std::chrono::microseconds(20), longest_nap = std::chrono::microseconds(2000);

// MPI's own handler of errors ends all processes with a message.
class MpiProcesses : public Processes {
 public:
  MpiProcesses() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void send(int to, const std::string& bytes) override {
    const std::size_t size = bytes.size();
    MPI_Send(&size, sizeof size, MPI_BYTE, to, 0, MPI_COMM_WORLD);
    for (std::size_t first = 0; first < size; first += most_bytes)
      MPI_Send(bytes.data() + first, static_cast<int>(std::min(most_bytes, size - first)), MPI_BYTE, to, 0, MPI_COMM_WORLD);
  }
  bool has_message(int from) override {
    int found = 0;
    MPI_Iprobe(from, 0, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
    return found != 0;
  }
  std::string receive(int from) override {
    for (std::chrono::microseconds nap = shortest_nap; !has_message(from); nap = std::min<std::chrono::microseconds>(2 * nap, longest_nap))
      std::this_thread::sleep_for(nap);  // MPI_Recv would keep a core busy
    std::size_t size = 0;
    MPI_Recv(&size, sizeof size, MPI_BYTE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    std::string bytes(size, '\0');
    for (std::size_t first = 0; first < size; first += most_bytes)
      MPI_Recv(bytes.data() + first, static_cast<int>(std::min(most_bytes, size - first)), MPI_BYTE, from, 0, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
    return bytes;
  }

  void broadcast(std::span<std::byte> bytes) override {
    for (std::size_t first = 0; first < bytes.size(); first += most_bytes)
      MPI_Bcast(bytes.data() + first, static_cast<int>(std::min(most_bytes, bytes.size() - first)), MPI_BYTE, 0, MPI_COMM_WORLD);
  }
  void sum(std::span<double> numbers) override {
    constexpr std::size_t most = most_bytes / sizeof(double);
    for (std::size_t first = 0; first < numbers.size(); first += most) {
      double* part = numbers.data() + first;
      const int count = static_cast<int>(std::min(most, numbers.size() - first));
      MPI_Reduce(rank_ == 0 ? MPI_IN_PLACE : part, part, count, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    }
  }

  void finalize() override { MPI_Finalize(); }
  void end_all(int code) override { MPI_Abort(MPI_COMM_WORLD, code); }

 private:
  int rank_ = 0, size_ = 1;
};

}  // namespace

std::unique_ptr<Processes> join_processes() {
  if (!has_launcher_variables()) return nullptr;  // MPI takes half a second to start, and ends a process that it cannot start
  int level = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
  auto joined = std::make_unique<MpiProcesses>();
  if (level < MPI_THREAD_FUNNELED) throw InputError("this MPI does not allow threads (MPI_THREAD_FUNNELED); use another one");
  if (joined->size() > 1) return joined;
  MPI_Finalize();
  const std::optional<Rank> rank = rank_of_launcher();
  if (rank && rank->size.value_or(1) > 1)
    throw InputError(fmt::format(
        "the launcher started {} processes, but each of them is alone for MPI: mpirun or srun belongs to another MPI than the one "
        "that this program was built with",
        *rank->size));
  return nullptr;
}

}  // namespace gapkit::apps
