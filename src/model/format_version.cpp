#include "model/format_version.hpp"

#include <algorithm>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <gapkit/potentials/atom_field.hpp>

#include "model/calibration_file.hpp"
#include "model/extrapolation_file.hpp"

namespace gapkit {
namespace {

bool is_of_network(const Term& term) {
  return term.kernel_name == "ntk" || term.kernel_name == "nngp";
}

int version_of_terms(const Term& term) {
  return is_of_network(term)                                 ? 13
         : term.descriptor->chosen_functions() != nullptr    ? 12
         : term.descriptor->contracted_channels() != nullptr ? 7
         : term.descriptor->feature_map() != nullptr         ? 5
                                                             : 1;
}

int version_of_baseline(const Potential& baseline) {
  if (field_dependence(baseline) == nullptr) return baseline.needs_structure() ? 9 : 1;
  return baseline.name() == "dispersion" ? 11 : 10;
}

int version_of_tensor(const FittedTensor& tensor) {
  const auto is_old = [](const TensorPart& part) { return part.sigma() > 0 && part.noise_scale == part.scale; };
  const bool is_plain = tensor.keys.charges.empty() && std::all_of(tensor.parts.begin(), tensor.parts.end(), is_old);
  return is_plain ? 14 : 15;
}

int version_of_property(const FittedProperty& property) {
  return std::max(property.equilibration ? 11 : 1, format_version_of(*property.field));
}

}  // namespace

int format_version_of(const Model& model) {
  int version = model.base.is_used() ? 4 : model.has_posterior() ? 1 : 2;
  for (const Term& term : model.terms) version = std::max(version, version_of_terms(term));
  for (const PotentialPointer& baseline : model.baselines) version = std::max(version, version_of_baseline(*baseline));
  if (model.has_posterior() && model.calibration && needs_new_format(*model.calibration))
    version = std::max(version, is_cautious(*model.calibration) ? 8 : 6);
  for (const FittedProperty& property : model.properties) version = std::max(version, version_of_property(property));
  for (const auto& tensor : model.tensors) version = std::max(version, version_of_tensor(*tensor));
  if (model.has_extrapolation() && has_full_novelty(model.calibration->extrapolation)) version = std::max(version, 15);
  return version;
}

}  // namespace gapkit
