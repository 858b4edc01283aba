#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/term_kernel.hpp>

namespace gapkit {

std::shared_ptr<const Kernel> kernel_for(const Descriptor& descriptor, const std::string& name, const Parameters& parameters) {
  std::shared_ptr<const Kernel> kernel = kernel_kind(name).make(parameters);
  const FeatureFacts facts = {descriptor.size(), descriptor.has_nonnegative_products(), descriptor.has_unit_length(),
                              descriptor.usual_square()};
  kernel->check_features(facts.size, facts.has_nonnegative_products);
  const std::shared_ptr<const Kernel> own_form = kernel->for_features(facts);
  return own_form ? own_form : kernel;
}

void require_derivatives(std::span<const Term> terms) {
  for (const Term& term : terms)
    for (const std::string& reason : {term.descriptor->without_derivatives(), term.kernel->without_derivatives()})
      if (!reason.empty())
        throw InputError("term '" + term.label() + "' has no forces, stress and virials (" + reason + "); ask for energies only");
}

}  // namespace gapkit
