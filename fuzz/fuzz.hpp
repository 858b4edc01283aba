#pragma once

// Common parts of the fuzz targets: a folder for files that the library reads, and the report of a failure.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace gapkit::fuzz {

/// Reports a failure of the library; libFuzzer keeps the input.
[[noreturn]] inline void broken(const std::string& failure) {
  std::fprintf(stderr, "broken promise: %s\n", failure.c_str());
  std::abort();
}

/// A folder of this process in TMPDIR. libFuzzer ends without destructors; scripts/fuzz removes the folder and keeps it in memory.
class ScratchFolder {
 public:
  ScratchFolder() : path_(std::filesystem::temp_directory_path() / ("gapkit_fuzz_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, std::string_view contents) const {
    const std::filesystem::path file = path_ / name;
    std::ofstream(file, std::ios::binary | std::ios::trunc).write(contents.data(), static_cast<std::streamsize>(contents.size()));
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace gapkit::fuzz
