#pragma once

#include <filesystem>
#include <gapkit/active/labeller.hpp>
#include <map>
#include <set>

namespace gapkit {

/// A job of a batch system that labels one structure.
struct BatchJob {
  std::string id;         ///< digits
  std::string structure;  ///< structure_key()
  std::filesystem::path folder;
  double submitted = 0;       ///< s since 1970
  int attempts = 1;           ///< at this structure, with this one
  bool is_collected = false;  ///< its label has been read; the folder stays until the label is known to be used
};

/// Equal for structures with the same atoms, positions and cell, to the last bit.
std::string structure_key(const Structure& structure);

/// Jobs, in a file that outlives the process: a loop that continues finds its jobs again.
class BatchJobFile {
 public:
  explicit BatchJobFile(const std::filesystem::path& path) : path_(path) {}

  /// Empty without the file. Throws InputError if it is damaged.
  std::vector<BatchJob> read() const;
  void write(const std::vector<BatchJob>& jobs) const;

 private:
  std::filesystem::path path_;
};

/// The number of a job in what a submission prints: "4711", "4711;cluster", "Submitted batch job 4711", "4711.server", "Job <4711> is …".
/// Empty without a number.
std::string job_id_in(const std::string& text);

/// Numbers of the jobs in a listing with one job in each line, the number first.
std::set<std::string> job_ids_of_lines(const std::string& text);

}  // namespace gapkit
