#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/term_kernel.hpp>

namespace gapkit {

double usual_square(const Descriptor& descriptor) {
  // A learned metric has ⟨|y|²⟩ = 1, but large |y|² where data are rare: with this scale networks are as accurate as polynomials there.
  constexpr double square_of_rare = 10;
  const FeatureMap* map = descriptor.feature_map();
  return map != nullptr && map->kind == "learned" ? square_of_rare : descriptor.usual_square();
}

std::shared_ptr<const Kernel> kernel_for(const Descriptor& descriptor, const std::string& name, const Parameters& parameters) {
  std::shared_ptr<const Kernel> kernel = kernel_kind(name).make(parameters);
  const FeatureFacts facts = {descriptor.size(), descriptor.has_nonnegative_products(), descriptor.has_unit_length(),
                              usual_square(descriptor)};
  kernel->check_features(facts.size, facts.has_nonnegative_products);
  const std::shared_ptr<const Kernel> own_form = kernel->for_features(facts);
  return own_form ? own_form : kernel;
}

bool have_derivatives(std::span<const Term> terms) {
  return std::all_of(terms.begin(), terms.end(), [](const Term& term) {
    return term.descriptor->without_derivatives().empty() && term.kernel->without_derivatives().empty();
  });
}

void require_derivatives(std::span<const Term> terms) {
  for (const Term& term : terms)
    for (const std::string& why : {term.descriptor->without_derivatives(), term.kernel->without_derivatives()})
      if (!why.empty()) throw InputError("term '" + term.label() + "' has no forces and no stress (" + why + "); ask for energies only");
}

}  // namespace gapkit
