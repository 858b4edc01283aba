#pragma once

#include <gapkit/fit/fit.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/model/charge_dipole.hpp>
#include <gapkit/model/tensor_model.hpp>

namespace gapkit {

/// Facts on the labels of a tensor, from one pass over the frames.
struct TensorFacts {
  std::vector<std::int64_t> frames;              ///< with a label or derivatives, ascending
  std::int64_t all_frames = 0, atoms = 0;        ///< atoms: of `frames`
  std::map<int, std::int64_t> atoms_of;          ///< of `frames`
  std::map<int, double> means;                   ///< λ = 0: least squares on the composition
  std::map<int, double> mean_square;             ///< by λ: of components over h, without the baseline; 0 without labels but derivatives
  std::int64_t labels = 0;                       ///< frames with the tensor itself
  std::int64_t derivatives = 0;                  ///< frames with its derivatives
  std::int64_t derivative_atoms = 0;             ///< of these
  int largest_derivatives = 0;                   ///< atoms of the largest of these
  std::map<int, double> derivative_mean_square;  ///< by λ: of components
  std::int64_t unbalanced = 0;                   ///< frames whose derivatives do not sum to zero
  std::string first_unbalanced;
  std::int64_t periodic = 0, jumps = 0;  ///< periodic frames; pairs of them whose dipoles seem to be on different branches
  std::string first_jump;
};

/// Labels of frames, without the part that charges explain.
struct TensorLabels {
  const TensorKeys& keys;
  std::shared_ptr<const ChargeDipole> charges = {};  ///< null: none

  struct Read {
    std::optional<Matrix> label, derivatives;  ///< Cartesian, as read_tensor() and read_tensor_derivatives() give them
  };
  Read read(const Structure& frame) const;
};

/// Throws InputError if no frame has a label or derivatives, or for labels that cannot be fitted.
TensorFacts tensor_facts(const Dataset& data, const TensorOptions& options, const TensorLabels& labels);

/// Throws InputError for a dipole of a charged frame without a named origin.
void check_charge_of_label(const Structure& frame, const TensorKeys& keys);

/// Components of one λ from Cartesian ones, [R, 2λ+1].
Matrix spherical_components(const Matrix& cartesian, const TensorKeys& keys, int lambda);

}  // namespace gapkit
