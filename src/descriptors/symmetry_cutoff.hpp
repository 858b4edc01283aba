#pragma once

#include <string>
#include <vector>

namespace gapkit {

/// A cutoff function f_c(r) of symmetry functions: 1 at r = 0 (but for `tanhu`), 0 from the cutoff on (methods.md, section 2).
class SymmetryCutoff {
 public:
  /// α: share of the cutoff up to which f_c is 1. Throws InputError if the name is unknown or α does not go with it.
  SymmetryCutoff(const std::string& name, double alpha);

  struct Value {
    double value, slope;  ///< f_c, df_c/dr in 1/Å
  };
  Value at(double distance, double cutoff) const;  // Å, Å
  bool is_continuous() const { return kind_ != Kind::hard; }

  static std::vector<std::string> names();

 private:
  enum class Kind { hard, cos, tanhu, tanh, exp, poly1, poly2, poly3, poly4 };

  Kind kind_;
  double alpha_;
};

}  // namespace gapkit
