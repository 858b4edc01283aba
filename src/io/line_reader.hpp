#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit::extxyz {

/// Lines of a text file through one growing buffer; accepts \n and \r\n, a missing final newline and a UTF-8 byte-order mark.
///
/// The path "-" is the standard input. The constructor throws InputError with path and the system's reason; next() throws InputError
/// without a place if the file cannot be read on or a line has more than 256 MiB (no text file).
class LineReader {
 public:
  /// `opened`: the file that stands for `path`, which messages name.
  LineReader(const std::filesystem::path& path, const std::filesystem::path& opened);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its end, valid until the next call; false at the end of the file.
  bool next(std::string_view& line);
  /// Number of the last line returned, from 1.
  long line_number() const { return line_number_; }
  /// Bytes before the line that next() returns next.
  std::int64_t offset() const { return buffer_offset_ + static_cast<std::int64_t>(begin_); }
  /// Goes to a line that begins at this offset; `line_number`: that of the line before. Throws InputError without a place if the file
  /// has no positions (a pipe).
  void go_to(std::int64_t offset, long line_number);
  /// For messages.
  const std::string& path() const { return path_; }
  /// What is known of the file before its first line is asked for: some of its first bytes, none of an empty file.
  std::string_view beginning();

 private:
  void fill();

  std::string path_;
  int descriptor_ = -1;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // unread part of the buffer
  std::int64_t buffer_offset_ = 0;   // of the first byte of the buffer in the file
  bool at_end_of_file_ = false;
  long line_number_ = 0;
};

}  // namespace gapkit::extxyz
