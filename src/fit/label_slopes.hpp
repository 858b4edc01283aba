#pragma once

#include <string>
#include <vector>

#include "fit/label_transformations.hpp"

namespace gapkit {

/// Energy differences y against the differences x that derivatives imply: y = s·x.
struct Slope {
  double xx = 0, xy = 0, yy = 0;
  std::int64_t pairs = 0;
  void add(double x, double y);
  bool is_clear() const;
  double value() const { return xy / xx; }
};

/// The same with x multiplied by powers of the number of atoms and of the volume, which some mistakes lack.
class Slopes {
 public:
  void add(double x, double y, double atoms, double volume);
  const Slope& plain() const { return of(0, 0); }
  const Slope& of(int atoms, int volume) const;

 private:
  std::array<Slope, 5> slopes_;
};

/// Mistakes that explain a slope: y = factor · N^atoms · V^volume · x.
struct SlopeCauses {
  std::string meaning;       ///< "A, or B", the best first; empty if none is known
  bool is_reversed = false;  ///< only the sign is wrong
  bool is_close = false;     ///< within a few per cent
};
SlopeCauses causes_of(const Slopes& slopes, const std::vector<LabelTransformation>& known);

/// energy_transformations and virial_transformations as factors of x.
std::vector<LabelTransformation> displacement_causes();
std::vector<LabelTransformation> strain_causes(const TargetReport& targets);

}  // namespace gapkit
