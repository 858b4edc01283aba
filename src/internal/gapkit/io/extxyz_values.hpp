#pragma once

#include <gapkit/core/structure.hpp>
#include <string>
#include <string_view>

/// Words, values and the key=value line of extended XYZ: text to value and back. No files here.
namespace gapkit::extxyz {

/// What separates words.
inline bool is_space(char c) {
  return c == ' ' || c == '\t';
}

enum class NumberStatus { good, malformed, out_of_range };

/// Decimal numbers with an optional sign and an e, E, d or D exponent; nan, inf and infinity (any case). Values too small become 0.
NumberStatus parse_real(std::string_view word, double& value);
NumberStatus parse_integer(std::string_view word, std::int64_t& value);
/// T, true, True, TRUE and the same for false.
std::optional<bool> parse_logical(std::string_view word);

/// The next word separated by spaces or tabs, removed from `rest`; empty at the end.
std::string_view next_word(std::string_view& rest);

/// The value behind '=' with its delimiters: bare, "…", '…', {…} or […].
///
/// One word is an integer, a real, a logical or a string, whichever fits first; several make a vector of the first type that fits all
/// (strings only in {…} and […]). […] of […] of numbers is a matrix. What fits none of these (three-dimensional or ragged arrays,
/// matrices of strings) stays a string with the text as it stands, so that it survives.
FieldValue parse_value(std::string_view text);

/// The numbers of a value, whatever its delimiters and however they are nested, read as reals (−0 keeps its sign).
/// Empty if the text holds anything but numbers.
std::vector<double> parse_numbers(std::string_view text);

/// Splits a comment line into its fields in order; a bare key means true and has an empty text.
/// Throws InputError without a place (unterminated quote or bracket, duplicate key).
std::vector<Field> parse_comment(std::string_view line);

/// Shortest text that reads back to the same bits.
void append_real(std::string& out, double value);
void append_integer(std::string& out, std::int64_t value);
/// A string as key or value, quoted if it has to be.
void append_string(std::string& out, std::string_view value);
/// A value in canonical form: reals always look like reals, vectors and 3 × 3 matrices in quotes, other matrices in […].
void append_value(std::string& out, const FieldValue& value);

/// A piece of a file for a message: at most 60 characters, unprintable ones replaced.
std::string excerpt(std::string_view text);

}  // namespace gapkit::extxyz
