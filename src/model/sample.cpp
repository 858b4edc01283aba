#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/model/sample.hpp>

namespace gapkit {

Model sample_model(const Model& model, std::uint64_t seed, int member) {
  if (!model.has_posterior()) throw InputError("the model has no posterior that members could be drawn from");
  if (member < 0) throw InputError("member " + std::to_string(member) + " of an ensemble, expected a number from 0");
  RandomStream random{.seed = seed, .stream = static_cast<std::uint64_t>(member)};
  Vector z(model.posterior.mean.size());
  for (double& value : z) value = random.normal();
  Posterior drawn;
  drawn.delta_ratio = model.posterior.delta_ratio;
  drawn.mean = model.posterior.mean + solve_lower_transposed(model.posterior.factor, std::move(z));

  Model result;
  result.reference_energies = model.reference_energies;
  result.baselines = model.baselines;
  result.base = model.base;
  result.terms = model.terms;
  result.weights = kernel_weights(model.factor, drawn);
  result.configuration = model.configuration;
  result.seed = model.seed;
  result.data_fingerprint = model.data_fingerprint;
  result.scale_with_atoms = model.scale_with_atoms;
  result.properties = model.properties;
  result.shortest_distances = model.shortest_distances;
  result.notes = model.notes;
  // These belong to the mean.
  for (const char* name : {"training_errors", "validation_errors"}) result.notes.erase(name);
  result.notes["sample"] = "{\"seed\": " + std::to_string(seed) + ", \"member\": " + std::to_string(member) + "}";
  return result;
}

}  // namespace gapkit
