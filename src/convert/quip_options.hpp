#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The option strings of QUIP and gap_fit: key=value, values in {…} (nested), "…" or '…'.
namespace gapkit {

struct QuipOption {
  std::string key;
  std::optional<std::string> value;  ///< without its outermost braces and quotes; absent: a word without '='
};

/// Splits an option string at white space (line ends, and backslashes before them, count as such); blanks around an '=' do not separate.
/// `where` begins messages.
/// Throws InputError for braces or quotes that do not close, and for a key that occurs twice with different values.
std::vector<QuipOption> parse_quip_options(std::string_view text, const std::string& where);

/// "{{14 6}}", "{14 6}", "14 6" and "\"14 6\"" mean the same: the last but one.
std::string without_quip_delimiters(std::string_view value);

/// Splits at `separator` where it stands outside braces and quotes; parts are trimmed.
std::vector<std::string> split_outside_braces(std::string_view text, char separator);

/// Words of a list such as "14 6 " or "{14 6}".
std::vector<std::string> quip_list(const std::string& value);

/// Numbers as Fortran writes and reads them (1.0d-3, .5); nothing if the text is anything else, or not finite.
std::optional<double> quip_number(std::string_view text);
std::optional<int> quip_integer(std::string_view text);
/// T, F, true, false, .true., .false. in any case; a bare key (no value) means true.
std::optional<bool> quip_logical(const std::optional<std::string>& text);

std::string lower_case(std::string text);
std::string trimmed(std::string_view text);

}  // namespace gapkit
