#pragma once

// What the two halves of the archive share. Only files named archive* may include this or hdf5.h.

#define H5_USE_110_API
#include <hdf5.h>

#include <gapkit/core/types.hpp>
#include <gapkit/io/checksum.hpp>
#include <map>
#include <mutex>
#include <utility>

namespace gapkit::archive {

inline constexpr const char* format_attribute = "format";
inline constexpr const char* version_attribute = "format_version";
inline constexpr const char* checksum_attribute = "checksum";

/// Holds the lock on HDF5 (its serial build has one global state) for one scope and turns off its printing of errors.
///
/// Printing stays off: HDF5 1.10 loses track of some things when it fails to open a damaged file and would complain on stderr
/// when the program ends.
class Session {
 public:
  Session() : lock_(mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex instance;
    return instance;
  }
  std::scoped_lock<std::recursive_mutex> lock_;
};

/// An HDF5 identifier of any kind; closed at the end of the scope. Negative: the call that made it failed.
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() { close(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      close();
      id_ = std::exchange(other.id_, -1);
    }
    return *this;
  }
  hid_t get() const { return id_; }
  bool is_valid() const { return id_ >= 0; }
  /// False if HDF5 reports a failure.
  bool close() {
    const hid_t id = std::exchange(id_, -1);
    return id < 0 || H5Idec_ref(id) >= 0;
  }

 private:
  hid_t id_ = -1;
};

/// What an entry is, as stored: little-endian 64-bit reals or integers, or texts of one fixed width ended by a zero byte.
struct EntryType {
  enum class Kind : std::uint64_t { real = 1, integer = 2, text = 3 };
  Kind kind = Kind::real;
  std::vector<std::uint64_t> extents;  ///< none: a single value
  std::uint64_t width = 8;             ///< bytes of one element

  /// Number of elements; only for types whose size has been checked against the file.
  std::uint64_t count() const {
    std::uint64_t n = 1;
    for (const auto extent : extents) n *= extent;
    return n;
  }
};

/// The part of the file's checksum that describes one entry: name, type, shape, checksum of the contents.
inline void add_entry(Checksum& checksum, std::string_view name, const EntryType& type, std::uint64_t contents) {
  checksum.add(name);
  checksum.add(static_cast<std::uint64_t>(type.kind));
  checksum.add(static_cast<std::uint64_t>(type.extents.size()));
  for (const auto extent : type.extents) checksum.add(extent);
  checksum.add(type.width);
  checksum.add(contents);
}

/// The start of the file's checksum.
inline Checksum begin_checksum(std::string_view format, int version) {
  Checksum checksum;
  checksum.add(format);
  checksum.add(static_cast<std::int64_t>(version));
  return checksum;
}

}  // namespace gapkit::archive
