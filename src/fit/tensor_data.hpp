#pragma once

#include <gapkit/fit/fit.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/model/tensor_model.hpp>

namespace gapkit {

/// Facts on the labels of a tensor, from one pass over the frames.
struct TensorFacts {
  std::vector<std::int64_t> frames;        ///< with a label, ascending
  std::int64_t all_frames = 0, atoms = 0;  ///< atoms: of frames with a label
  std::map<int, std::int64_t> atoms_of;    ///< of frames with a label
  std::map<int, double> means;             ///< λ = 0: least squares on the composition
  std::map<int, double> mean_square;       ///< by λ: of components over h, without the baseline
  std::int64_t periodic = 0, jumps = 0;    ///< periodic frames; pairs of them whose dipoles seem to be on different branches
  std::string first_jump;
};

/// Throws InputError if no frame has a label, or for labels that cannot be fitted.
TensorFacts tensor_facts(const Dataset& data, const TensorOptions& options);

/// Components of one λ from Cartesian ones, [R, 2λ+1].
Matrix spherical_components(const Matrix& cartesian, const TensorKeys& keys, int lambda);

}  // namespace gapkit
