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

/// A choice of a batch.
struct Choice {
  int proposal = 0;  ///< index
  double std = 0;    ///< Proposal::std
  double score = 0;  ///< criterion of the choice, given the earlier choices (docs/active-learning.md); 0 for `random`
};

/// A batch of up to `count` proposals, in the order of their choice. Does not use labels: the covariance does not depend on them.
///
/// `variance`: among the options.candidates proposals with the largest error bars, greedily the most informative label, given the data and
/// the earlier choices (methods.md, section 5), from the joint posterior covariance of total energies, of local energies or of forces, plus
/// noise. `top`: the largest error bars. `random`: random proposals. Ties go to the first. Cost: kernel rows of the candidates, and for
/// `forces` about 12 r K² flop each per choice (r rows, K sparse points of model and candidates).
std::vector<Choice> choose_batch(const Model& model, std::span<const Proposal> proposals, const ChooseOptions& options, int count,
                                 std::uint64_t seed);

}  // namespace gapkit
