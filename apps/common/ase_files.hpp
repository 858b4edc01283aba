#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "progress_display.hpp"

namespace gapkit::apps {

/// While it lives, all readers of this process read files that are no extended XYZ through ASE: a Python (GAPKIT_PYTHON of the environment,
/// else /usr/bin/python3) that runs the script gapkit_ase_read.py writes the frames to a file without a name, in the folder for temporary
/// files, so that nothing is left whatever ends the program. Each file is converted once, and the display says so.
class AseFiles {
 public:
  explicit AseFiles(ProgressDisplay& display);
  ~AseFiles();
  AseFiles(const AseFiles&) = delete;
  AseFiles& operator=(const AseFiles&) = delete;

 private:
  /// Throws InputError with the end of a sentence that begins with "reading it through ASE".
  std::filesystem::path converted(const std::filesystem::path& file, const std::string& format);
  /// The descriptor of a file with the frames.
  int convert(const std::filesystem::path& file, const std::string& format);

  ProgressDisplay& display_;
  // By path, size and time of change.
  std::map<std::string, int> descriptors_;
  std::map<std::string, std::string> failures_;
};

}  // namespace gapkit::apps
