#include "predict/finite_check.hpp"

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/predict/closeness.hpp>

namespace gapkit {
namespace {

bool finite(const std::optional<double>& number) {
  return !number || std::isfinite(*number);
}

template <class Derived>
bool finite(const std::optional<Derived>& numbers) {
  return !numbers || numbers->allFinite();
}

}  // namespace

// Distances first, because short ones can be the cause.
void check_mean(Prediction& prediction, const Model& model, const Environments& environments, const PredictionRequest& request,
                const std::string& where) {
  prediction.closeness = closeness(model, environments);
  prediction.is_finite =
      std::isfinite(prediction.energy) && prediction.local_energy.allFinite() && finite(prediction.forces) && finite(prediction.virial);
  if (!prediction.is_finite && !request.keep_not_finite)
    throw NumericalError(where + ": the predicted energy or a force is not finite" +
                         (prediction.closeness.too_close ? "; " + prediction.closeness.too_close->text() : ""));
}

void check_error_bars(Prediction& prediction, const PredictionRequest& request, const std::string& where) {
  prediction.is_finite = prediction.is_finite && finite(prediction.energy_std_epistemic) && finite(prediction.forces_std_epistemic) &&
                         finite(prediction.virial_std_epistemic) && finite(prediction.local_energy_std_epistemic) &&
                         finite(prediction.extrapolation);
  if (!prediction.is_finite && !request.keep_not_finite) throw NumericalError(where + ": an error bar is not finite");
}

}  // namespace gapkit
