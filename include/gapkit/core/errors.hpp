#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gapkit {

/// Root of everything the library throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user's files, options or values are at fault: one sentence with place, expected, found and remedy. Exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A computation left the numbers that it can represent (NaN, infinity, a factorisation that broke down). Exit code 3.
class NumericalError : public Error {
 public:
  using Error::Error;
};

/// The user asked a long computation to stop (thrown by a ProgressCallback); what it had done is in its checkpoint, if it keeps one.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// The entry of `known` with the smallest edit distance to `name`; empty if none is close (more than a third of the name differs, at least
/// 2).
std::string nearest_name(std::string_view name, std::span<const std::string> known);

/// "; did you mean 'x'?" for the nearest entry of `known`, or "; valid: a, b, c" if none is close.
std::string suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace gapkit
