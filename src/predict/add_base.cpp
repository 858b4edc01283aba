#include "predict/add_base.hpp"

#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

double reference_energy(const Model& model, const Structure& structure) {
  double sum = 0;
  for (const int z : structure.atomic_numbers) sum += model.reference_energies.at(z);
  return sum;
}

}  // namespace

void add_base(const Model& model, const Structure& structure, const PredictionRequest& request, Prediction& prediction) {
  if (!model.base.is_used() || request.difference) return;
  for (const TargetInfo& target : targets()) {
    const Property property = target.property;
    if (prediction.rows(property).empty()) continue;
    const bool is_given = model.base.has(target), can_have = target.can_be_fitted(structure);
    if (!is_given || (!can_have && structure.base[property].empty())) {
      prediction.leave_out(property);
      continue;
    }
    const std::vector<double>& rows = base_rows(structure, model.base, target);
    if (rows.size() != static_cast<std::size_t>(target.row_count(structure.size())))
      throw InputError(structure.place() + "the base has " + std::to_string(rows.size()) + " values of the " + target.name + ", expected " +
                       std::to_string(target.row_count(structure.size())));
    prediction.add(property, rows);
    prediction.base_alone[property] = rows;
    if (property == Property::energy) prediction.base_alone[property].front() += reference_energy(model, structure);
  }
}

void require_difference(const Model& model, const PredictionRequest& request) {
  if (model.base.is_used() && !request.difference)
    throw InputError("the model gives the difference from another one, " + model.base.text() +
                     ", whose values environments do not bring: ask for the difference alone, and add it to them");
}

}  // namespace gapkit
