#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Two atoms of a structure, or an atom and its own image (first == second), that are closer to each other than a prediction can bear.
struct CloseAtoms {
  int first = 0, second = 0;                  ///< from 0
  int first_element = 0, second_element = 0;  ///< atomic numbers
  double distance = 0;                        ///< Å
  double radii = 0;                           ///< Å: the sum of their covalent radii
  std::optional<double> trained;              ///< Å: the shortest distance of these elements in training, if the model knows one
  std::size_t images = 0;                     ///< the images of itself that an atom meets, if there are thousands

  /// "atoms 3 (Si) and 7 (Si) are 0.52 Å apart (23 % of the sum of their covalent radii; in training at least 2.21 Å)"
  std::string text() const;
};

/// Distances of a structure compared with those of the training data (docs/checks.md).
struct Closeness {
  /// Smallest ratio of a distance to the shortest one of the same two elements in training; below 1, the model extrapolates. A pair of
  /// elements that training never had within the cutoff of the terms counts with that cutoff. Absent if the model does not know the
  /// distances of its training data (imported, or of an early version), or if no atom has a neighbour within the model's cutoff.
  std::optional<double> ratio;
  /// The closest atoms, by the sum of their covalent radii, among those closer than half of that sum and than any in training (where the
  /// model knows); or those of an atom that meets a thousand images of itself, closer than any in training.
  std::optional<CloseAtoms> too_close;
};

/// One look at each distance of the list.
Closeness closeness(const Model& model, const Environments& environments);
Closeness closeness(const Model& model, const Structure& structure);

}  // namespace gapkit
