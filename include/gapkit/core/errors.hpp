#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gapkit {

/// Base class of the exceptions of the library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An error in the user's files, options or values: one sentence with place, expected, found and remedy. Exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A result is not finite, or a factorisation failed. Exit code 3.
class NumericalError : public Error {
 public:
  using Error::Error;
};

/// The user stopped a long computation (thrown by a ProgressCallback); its checkpoint, if any, keeps the work done.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// The entry of `known` with the smallest edit distance to `name`; empty if none is close (more than a third of the name differs, at
/// least 2).
std::string nearest_name(std::string_view name, std::span<const std::string> known);

/// "; did you mean 'x'?" for the nearest entry of `known`, or "; valid: a, b, c" if none is close.
std::string suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace gapkit
