#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gapkit_kim {

/// An error for the user, one sentence.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The parameter file of a portable model, which gap-convert --kim writes: what it is, and which file has the model.
struct ModelFiles {
  std::string name;                                     ///< of the portable model
  std::string file;                                     ///< name of the model's file, which lies beside the library of the portable model
  std::uintmax_t bytes = 0;                             ///< its size
  std::vector<std::pair<std::string, int>> elements{};  ///< symbol and atomic number
};

/// Reads a parameter file. Throws Failure.
ModelFiles read_model_files(const std::string& path);

/// Path of the model's file. Throws Failure if it is missing or is another one.
std::string path_of_model(const ModelFiles& files);

}  // namespace gapkit_kim
