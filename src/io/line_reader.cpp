#include "line_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <gapkit/core/errors.hpp>

namespace gapkit::extxyz {

namespace {

constexpr std::size_t initial_buffer_size = std::size_t{1} << 18;
constexpr std::size_t longest_line = std::size_t{1} << 28;

}  // namespace

LineReader::LineReader(const std::filesystem::path& path, const std::filesystem::path& opened)
    : path_(path == "-" ? "standard input" : path.string()), buffer_(initial_buffer_size) {
  // Opened last: nothing would close it if the buffer could not be had. NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer)
  descriptor_ = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(opened.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw InputError(fmt::format("{}: cannot open the file: {}", path_, std::strerror(errno)));
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(descriptor_);
    throw InputError(fmt::format("{}: expected an extended-XYZ file, found a directory", path_));
  }
}

LineReader::~LineReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    buffer_offset_ += static_cast<std::int64_t>(begin_);
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    if (end_ >= longest_line)
      throw InputError(fmt::format("the next line is longer than {} MiB; is this an extended-XYZ file?", longest_line >> 20));
    buffer_.resize(2 * end_);
  }
  for (;;) {
    const ssize_t count = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw InputError(fmt::format("cannot read on behind this line: {}", std::strerror(errno)));
    if (count == 0) at_end_of_file_ = true;
    end_ += static_cast<std::size_t>(count);
    return;
  }
}

void LineReader::go_to(std::int64_t offset, long line_number) {
  line_number_ = line_number;
  if (offset >= buffer_offset_ && offset <= buffer_offset_ + static_cast<std::int64_t>(end_)) {
    begin_ = static_cast<std::size_t>(offset - buffer_offset_);
    return;
  }
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0)
    throw InputError(fmt::format("cannot go to byte {} of the file: {}", offset, std::strerror(errno)));
  buffer_offset_ = offset;
  begin_ = end_ = 0;
  at_end_of_file_ = false;
}

std::string_view LineReader::beginning() {
  if (line_number_ == 0 && begin_ == end_ && !at_end_of_file_) fill();
  return line_number_ == 0 ? std::string_view(buffer_.data() + begin_, end_ - begin_) : std::string_view();
}

bool LineReader::next(std::string_view& line) {
  std::size_t searched = 0;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    const void* newline = std::memchr(start + searched, '\n', end_ - begin_ - searched);
    if (newline == nullptr && !at_end_of_file_) {
      searched = end_ - begin_;
      fill();
      continue;
    }
    if (newline == nullptr && begin_ == end_) return false;
    const std::size_t length = newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - start) : end_ - begin_;
    line = std::string_view(start, length);
    begin_ += length + (newline ? 1 : 0);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line_number_ == 0 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    ++line_number_;
    // Within a word or a name it could not be written again.
    if (!line.empty() && std::memchr(line.data(), '\r', line.size()) != nullptr)
      throw InputError("the line holds a carriage return, expected one at its end at most; give the file Unix line ends");
    return true;
  }
}

}  // namespace gapkit::extxyz
