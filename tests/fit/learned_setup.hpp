// Fits with features, maps and channels that are learned from small training sets.
#pragma once

#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/model/model.hpp>
#include <string>
#include <vector>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

namespace gapkit::test {

inline std::vector<Structure> frames_of(unsigned first, unsigned count, const std::vector<int>& elements = {14}) {
  std::vector<Structure> frames;
  for (unsigned seed = first; seed < first + count; ++seed)
    frames.push_back(labelled(random_triclinic(4, seed, elements), seed % 3 == 0 ? "odd" : "even"));
  return frames;
}

inline TermOptions compressed(const std::string& kind, double rank, int n_max = 3, int l_max = 2) {
  TermOptions term = small_soap(n_max, l_max, 3, 14);
  term.compression.kind = kind;
  term.compression.rank = rank;
  if (kind == "learned") {
    term.kernel = "polynomial";
    term.kernel_parameters = {{"zeta", std::int64_t{3}}, {"constant", 16.0}};
  }
  return term;
}

inline FitConfiguration options_of(const std::vector<TermOptions>& terms) {
  FitConfiguration options = small_options("", terms);
  options.keep_statistics = true;
  return options;
}

inline FitResult fitted(const std::vector<Structure>& frames, const FitOptions& options, const FitRun& run = {}) {
  const MemoryDataset data(frames);
  return fit(FitData{data}, options, run);
}

// Of the last term.
inline const FeatureMap& map_of(const Model& model) {
  const FeatureMap* map = model.terms.back().descriptor->feature_map();
  REQUIRE(map != nullptr);
  return *map;
}

}  // namespace gapkit::test
