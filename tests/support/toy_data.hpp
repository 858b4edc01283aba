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

/// SOAP with ζ = 1, 2, 2.5 and 4, two_body, both together, three_body, and all three, each for one and for two elements. Fitted at the
/// first call.
const std::vector<ToyModel>& toy_models();

/// The frames that the models of these elements were fitted to.
const std::vector<Structure>& toy_training_frames(const std::vector<int>& elements);

/// Structures that stress the sums: cells smaller than the cutoff, triclinic cells, a molecule, some periodic directions. In none of
/// them a distance is within `margin` of one at which a cutoff function of the models begins or ends, so that small steps see smooth
/// functions.
struct ToyStructure {
  std::string label;
  Structure structure;
};
std::vector<ToyStructure> toy_structures(const std::vector<int>& elements, double margin = 4e-3);

/// Where cutoff functions of the models begin and end, Å.
const std::vector<double>& toy_breaks();

}  // namespace gapkit::test
