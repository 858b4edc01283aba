#pragma once

#include "fit/extrapolation.hpp"
#include "left_out_setup.hpp"

namespace gapkit::test {

/// Pairs and SOAP: several terms for each element. Points of the pairs by "variance" belong to structures too.
struct TwoTermSetup : LeftOutSetup {
  TwoTermSetup() {
    TermOptions pair = small_two_body(0.6, 8);
    pair.selection = "variance";
    options.terms.insert(options.terms.begin(), pair);
  }
};

inline std::vector<LeftOutAtom> many_atoms(int count, int element, double relative, double variance) {
  std::vector<LeftOutAtom> atoms;
  for (int i = 1; i <= count; ++i) atoms.push_back({element, relative * i / count, variance * i / count});
  return atoms;
}

inline Model two_elements(const LeftOutSetup& setup) {
  FitConfiguration options = setup.options;
  options.calibration.source = CalibrationOptions::Source::none;
  return fit(options).model;
}

}  // namespace gapkit::test
