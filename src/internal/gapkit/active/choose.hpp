#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// A structure that a source proposes for labelling.
struct Proposal {
  Structure structure;
  double std = 0;           ///< the model's error bar of the threshold's quantity
  std::string source = {};  ///< name of the source
  std::int64_t frame = 0;   ///< number of the structure within the source
  std::string why = {};     ///< reason, for the reader
};

/// One of a batch, and why.
struct Choice {
  int proposal = 0;  ///< index
  double std = 0;    ///< its own error bar, as given
  double score = 0;  ///< what it was chosen for, given those chosen before (docs/active-learning.md); 0 for `random`
};

/// A batch of up to `count` candidates, in the order of their choice. Labels are not looked at: the covariance does not depend on them.
///
/// `variance`: of the options.candidates with the largest error bars, greedily the one whose label tells most, given the data and those
/// chosen before (methods.md, section 5): the joint posterior covariance of total energies, or of all local energies or forces, plus noise.
/// `top`: the largest error bars. `random`: any. Ties go to the first. Cost: kernel rows of those candidates, and for `forces` about 12 r
/// K² flop each per choice (r rows, K sparse points of model and candidates).
std::vector<Choice> choose_batch(const Model& model, std::span<const Proposal> proposals, const ChooseOptions& options, int count,
                                 std::uint64_t seed);

}  // namespace gapkit
