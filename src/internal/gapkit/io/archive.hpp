#pragma once

#include <filesystem>
#include <gapkit/core/types.hpp>
#include <memory>

namespace gapkit {

/// Named arrays, numbers and strings in one HDF5 file; names may contain '/' ("terms/0/sparse_points").
///
/// Writes to a temporary file beside `path`, which `commit()` flushes to disk and renames; without a commit nothing appears under
/// `path`. A checksum, stored at commit, protects names, shapes and contents.
/// Throws InputError if the file cannot be written (with the system's reason), Error if a name is used twice.
class ArchiveWriter {
 public:
  /// `format`: the kind of file ("gapkit-model"); `format_version` counts incompatible changes.
  ArchiveWriter(const std::filesystem::path& path, std::string_view format, int format_version);
  ~ArchiveWriter();

  /// The same file with `group` before all names: "properties/0/".
  ArchiveWriter within(std::string_view group) const;

  void put(std::string_view name, const MatrixView& value);
  void put(std::string_view name, std::span<const double> value);
  void put(std::string_view name, std::span<const std::int64_t> value);
  void put(std::string_view name, std::string_view value);
  void put(std::string_view name, const char* value) { put(name, std::string_view(value)); }
  void put(std::string_view name, double value);
  void put(std::string_view name, std::int64_t value);
  void put(std::string_view name, std::span<const std::string> value);
  void commit();

 private:
  struct State;
  ArchiveWriter(std::shared_ptr<State> state, std::string group);
  std::string full(std::string_view name) const { return group_ + std::string(name); }

  std::shared_ptr<State> state_;
  std::string group_;
};

/// Reads files of ArchiveWriter. Every getter throws InputError, naming file, entry, expected and found, if the entry is
/// missing, has another type or shape, or the file is damaged (checksum), truncated, not HDF5, of another format or of a later
/// format version. Sizes are compared with the file before memory is allocated.
class ArchiveReader {
 public:
  ArchiveReader(const std::filesystem::path& path, std::string_view format, int newest_version);
  ~ArchiveReader();

  /// The same file with `group` before all names.
  ArchiveReader within(std::string_view group) const;
  int format_version() const;
  bool has(std::string_view name) const;
  /// Expected shape; −1 accepts any extent.
  Matrix matrix(std::string_view name, Eigen::Index rows = -1, Eigen::Index cols = -1) const;
  std::vector<double> doubles(std::string_view name, Eigen::Index size = -1) const;
  Vector vector(std::string_view name, Eigen::Index size = -1) const;
  std::vector<std::int64_t> integers(std::string_view name, Eigen::Index size = -1) const;
  std::string string(std::string_view name) const;
  std::vector<std::string> strings(std::string_view name) const;
  double number(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;

 private:
  struct State;
  ArchiveReader(std::shared_ptr<State> state, std::string group);
  std::string full(std::string_view name) const { return group_ + std::string(name); }

  std::shared_ptr<State> state_;
  std::string group_;
};

}  // namespace gapkit
