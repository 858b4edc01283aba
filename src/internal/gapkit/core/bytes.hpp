#pragma once

#include <cstring>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/types.hpp>
#include <type_traits>
#include <utility>

namespace gapkit {

/// Values as bytes, for messages between processes of one program on machines of one kind.
class ByteWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(const std::string& text) { put_list(text.data(), text.size()); }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const std::vector<T>& list) { put_list(list.data(), list.size()); }
  template <class Scalar, int Rows, int Cols, int Options>
  void put(const Eigen::Matrix<Scalar, Rows, Cols, Options>& matrix) {
    put(matrix.rows());
    put(matrix.cols());
    put_list(matrix.data(), static_cast<std::size_t>(matrix.size()));
  }

  bool is_empty() const { return bytes_.empty(); }
  /// All that was put; the writer is empty afterwards.
  std::string take() { return std::exchange(bytes_, {}); }

 private:
  template <class T>
  void put_list(const T* values, std::size_t count) {
    put(count);
    if (count > 0) bytes_.append(reinterpret_cast<const char*>(values), count * sizeof(T));
  }

  std::string bytes_;
};

/// Reads the values of a ByteWriter in their order, from bytes that outlive it. Throws Error at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool is_at_end() const { return place_ == bytes_.size(); }

  template <class T>
  requires std::is_trivially_copyable_v<T> T get() {
    T value;
    copy(&value, 1);
    return value;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void get(T& value) { value = get<T>(); }
  void get(std::string& text) {
    text.resize(get<std::size_t>());
    copy(text.data(), text.size());
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void get(std::vector<T>& list) {
    list.resize(get<std::size_t>());
    copy(list.data(), list.size());
  }
  template <class Scalar, int Rows, int Cols, int Options>
  void get(Eigen::Matrix<Scalar, Rows, Cols, Options>& matrix) {
    const auto rows = get<Eigen::Index>(), cols = get<Eigen::Index>();
    matrix.resize(rows, cols);
    get<std::size_t>();
    copy(matrix.data(), static_cast<std::size_t>(matrix.size()));
  }

 private:
  template <class T>
  void copy(T* values, std::size_t count) {
    if (count > (bytes_.size() - place_) / sizeof(T)) throw Error("a message between processes is too short");
    if (count > 0) std::memcpy(values, bytes_.data() + place_, count * sizeof(T));
    place_ += count * sizeof(T);
  }

  std::string_view bytes_;
  std::size_t place_ = 0;
};

}  // namespace gapkit
