#pragma once

#include <gapkit/core/communicator.hpp>
#include <memory>

namespace gapkit::apps {

/// The processes of one run of a program.
class Processes : public Communicator {
 public:
  /// After a good end of all.
  virtual void finalize() = 0;
  /// Ends all processes at once; mpirun returns the code.
  virtual void end_all(int code) = 0;
};

/// Joins the processes that mpirun or srun started; null if this process is alone. Throws InputError if a launcher started several, but
/// this program cannot join them. with_mpi.cpp or without_mpi.cpp defines it, after the option GAPKIT_MPI.
std::unique_ptr<Processes> join_processes();

}  // namespace gapkit::apps
