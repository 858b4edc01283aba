#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <unordered_map>

namespace gapkit {
namespace {

constexpr std::string_view white_space = " \t\r\f\v";

/// Calls take(word, line number) for every word of the file.
template <class Take>
void for_each_word(const std::string& path, Take take) {
  std::ifstream file(path);
  if (!file) throw InputError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  std::string line;
  for (std::int64_t number = 1; std::getline(file, line); ++number) {
    const std::string_view text = line;
    for (std::size_t begin = text.find_first_not_of(white_space); begin != std::string_view::npos;) {
      const std::size_t end = std::min(text.find_first_of(white_space, begin), text.size());
      take(text.substr(begin, end - begin), number);
      begin = text.find_first_not_of(white_space, end);
    }
  }
  if (file.bad()) throw InputError(fmt::format("{}: reading failed: {}", path, std::strerror(errno)));
}

/// Converts Fortran's notation of a number to C's: 1.0D-03, and 0.1-102, where a three-digit exponent replaces the letter.
std::string without_fortran_exponent(std::string_view word) {
  std::string text(word.substr(word.starts_with('+') ? 1 : 0));
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 'd' || text[i] == 'D') text[i] = 'e';
    const bool follows_digit = i > 0 && (text[i - 1] == '.' || (text[i - 1] >= '0' && text[i - 1] <= '9'));
    if ((text[i] == '+' || text[i] == '-') && follows_digit) {
      text.insert(i, 1, 'e');
      ++i;
    }
  }
  return text;
}

/// False unless the whole text is one number; std::from_chars ignores the locale.
template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Matrix read_sparse_points(const std::string& path, int size, Vector* covariance_cutoff) {
  if (size < 1) throw InputError(fmt::format("{}: sparse points of {} components asked for, expected at least 1", path, size));
  std::vector<double> numbers;
  std::vector<std::int64_t> line_of;
  for_each_word(path, [&](std::string_view word, std::int64_t line) {
    double number = 0;
    const std::string text = without_fortran_exponent(word);
    const bool is_number = parse(text, number);
    if (!is_number || !std::isfinite(number)) throw InputError(fmt::format("{}:{}: '{}' is not a finite number", path, line, word));
    numbers.push_back(number);
    line_of.push_back(line);
  });
  const std::size_t first = covariance_cutoff ? 1 : 0;  // of the point's components
  const std::size_t plain = first + static_cast<std::size_t>(size), extended = plain + 1, total = numbers.size();
  if (total == 0) throw InputError(fmt::format("{}: no numbers, expected sparse points of {} components", path, size));
  if (total % plain != 0 && total % extended != 0)
    throw InputError(
        fmt::format("{}: {} numbers, expected a multiple of {} ({}the components of this term's feature vectors), or of {} in files of "
                    "GAP's SOAP; was the file made with other descriptor parameters?",
                    path, total, plain, covariance_cutoff ? "the covariance cutoff and " : "", extended));
  std::size_t stride = plain;
  if (total % extended == 0) {
    std::size_t nonzero = plain;
    while (nonzero < total && numbers[nonzero] == 0) nonzero += extended;
    if (nonzero >= total)
      stride = extended;
    else if (total % plain != 0)
      throw InputError(fmt::format("{}:{}: component {} of sparse point {} is {}, expected 0: a nonzero covariance_sigma0 is not supported",
                                   path, line_of[nonzero], size + 1, nonzero / extended + 1, numbers[nonzero]));
  }
  const auto points = static_cast<Eigen::Index>(total / stride);
  const Eigen::OuterStride<> step(static_cast<Eigen::Index>(stride));
  if (covariance_cutoff) {
    covariance_cutoff->resize(points);
    for (Eigen::Index i = 0; i < points; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * stride;
      if (!(numbers[at] > 0 && numbers[at] <= 1))
        throw InputError(
            fmt::format("{}:{}: sparse point {} begins with the covariance cutoff {}, expected a number above 0, at most 1; "
                        "does the file hold covariance cutoffs (sparse_file_cutoffs)?",
                        path, line_of[at], i + 1, numbers[at]));
      (*covariance_cutoff)[i] = numbers[at];
    }
  }
  using Strided = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
  return Strided(numbers.data() + first, points, size, step);
}

std::vector<std::int64_t> read_sparse_indices(const std::string& path) {
  std::vector<std::int64_t> indices;
  std::unordered_map<std::int64_t, std::int64_t> first_line;
  for_each_word(path, [&](std::string_view word, std::int64_t line) {
    std::int64_t index = 0;
    if (!parse(word, index) || index < 1)
      throw InputError(fmt::format("{}:{}: '{}' is not the number of an environment, expected an integer of at least 1", path, line, word));
    const auto [earlier, is_new] = first_line.emplace(index, line);
    if (!is_new) throw InputError(fmt::format("{}:{}: environment {} occurs again, first in line {}", path, line, index, earlier->second));
    indices.push_back(index);
  });
  if (indices.empty()) throw InputError(fmt::format("{}: no numbers, expected numbers of environments", path));
  return indices;
}

}  // namespace gapkit
