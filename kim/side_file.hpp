#pragma once

#include <gapkit.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace gapkit_kim {

/// What the environment asks for in error bars, which the KIM API has no way for (docs/kim.md).
struct SideFileRequest {
  std::string prefix;          ///< GAPKIT_KIM_STD; empty: no error bars
  long every = 1;              ///< GAPKIT_KIM_STD_EVERY: every n-th evaluation
  bool forces = false;         ///< GAPKIT_KIM_STD_OF has "force": error bars of forces too
  bool extrapolation = false;  ///< it has "extrapolation": grades of the atoms too
};

/// Throws Failure on values that are not legal.
SideFileRequest side_file_request();

/// Results with error bars of the atoms of this process, in Å and eV. Arrays have one value (three) for each atom, as in gapkit_results.
struct SideResults {
  std::vector<double> energies, energies_std, forces_std, forces_std_epistemic;
  std::vector<double> extrapolation;  ///< empty if it is not requested
  double distance_ratio = 0;
};

/// The file PREFIX.RANK.xyz: a frame of extended XYZ for each evaluation. A process begins the file at its first frame, and later models
/// of the same process add to it.
class SideFile {
 public:
  SideFile(SideFileRequest request, std::string model);

  /// Whether the next evaluation gets a frame; each call counts one evaluation.
  bool is_wanted_now();
  bool wants_forces() const { return request_.forces; }
  bool wants_extrapolation() const { return request_.extrapolation; }
  /// `symbols` by atomic number. Throws Failure if the frame cannot be written.
  void write(const gapkit_environments& atoms, const SideResults& results, const std::vector<std::string>& symbols);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void open();

  SideFileRequest request_;
  std::string model_, path_;
  std::unique_ptr<std::FILE, Close> file_;
  long call_ = -1;  // number of the last evaluation
};

}  // namespace gapkit_kim
