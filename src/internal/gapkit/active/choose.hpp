#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// A structure that may be labelled, with the model's own error bar.
struct Candidate {
  Structure structure;
  double std = 0;  ///< of the threshold's quantity
};

/// One of a batch, and why.
struct Choice {
  int candidate = 0;  ///< index
  double std = 0;     ///< its own error bar, as given
  double score = 0;   ///< what it was chosen for, given those chosen before (docs/active-learning.md); 0 for `random`
};

/// A batch of up to `count` candidates, in the order of their choice. Labels are not looked at: the covariance does not depend on them.
///
/// `variance`: of the options.candidates with the largest error bars, greedily the one whose label tells most, given the data and those
/// chosen before (methods.md, section 5): the joint posterior covariance of total energies, or of all local energies or forces, plus noise.
/// `top`: the largest error bars. `random`: any. Ties go to the first. Cost: kernel rows of those candidates, and for `forces` about 12 r
/// K² flop each per choice (r rows, K sparse points of model and candidates).
std::vector<Choice> choose_batch(const Model& model, std::span<const Candidate> candidates, const ChooseOptions& options, int count,
                                 std::uint64_t seed);

}  // namespace gapkit
