#pragma once

#include <gapkit/model/model.hpp>
#include <memory>

namespace gapkit::test {

/// A small model fitted to structures labelled with an analytic potential (support/pair_potential.hpp).
struct ToyModel {
  std::string label;  ///< "soap zeta 2.5, Si C"
  std::vector<int> elements;
  bool has_soap = false, has_pairs = false;
  std::shared_ptr<const Model> model;
};

/// SOAP with ζ = 1, 2, 2.5 and 4, two_body, both together, three_body, and all three, each for one and for two elements. Fitted in the
/// first call.
const std::vector<ToyModel>& toy_models();
/// Symmetry functions with the kernel of an infinitely wide network.
std::shared_ptr<const Model> network_model(const std::vector<int>& elements);

/// The training frames of the models of these elements.
const std::vector<Structure>& toy_training_frames(const std::vector<int>& elements);

/// Structures for tests of the sums: cells smaller than the cutoff, triclinic cells, a molecule, some periodic directions. No distance
/// is within `margin` of the beginning or end of a cutoff function of the models, so that functions are smooth for small steps.
struct ToyStructure {
  std::string label;
  Structure structure;
};
std::vector<ToyStructure> toy_structures(const std::vector<int>& elements, double margin = 4e-3);

/// Beginnings and ends of the models' cutoff functions, Å.
const std::vector<double>& toy_breaks();

}  // namespace gapkit::test
