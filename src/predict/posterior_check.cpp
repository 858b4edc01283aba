#include <gapkit/core/errors.hpp>
#include <gapkit/predict/posterior_check.hpp>

namespace gapkit {

bool gives_quip_variance(const Model& model, const PredictionRequest& request) {
  const bool is_imported = !model.has_posterior() && model.notes.count("origin") > 0;
  return is_imported && request.local_std && !request.extrapolation && !request.energy_std && !request.force_std && !request.stress_std;
}

void require_posterior(const Model& model) {
  if (model.has_posterior()) return;
  throw InputError(model.notes.count("origin") > 0 ? "this model was imported without the posterior of its weights: it has no error bars; "
                                                     "--std local alone gives the variance that QUIP would give, and a fit with gap-fit "
                                                     "gives error bars"
                                                   : "this model has no posterior, so it has no error bars");
}

}  // namespace gapkit
