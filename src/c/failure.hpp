#pragma once

#include <gapkit/core/errors.hpp>

namespace gapkit::c {

/// Failure of a call of the C interface: one of the error codes of gapkit.h and one sentence.
class Failure : public Error {
 public:
  Failure(int code, const std::string& message) : Error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

}  // namespace gapkit::c
