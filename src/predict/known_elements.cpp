#include <array>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/predict/known_elements.hpp>

namespace gapkit {
namespace {

// `atom` counts from 0.
[[noreturn]] void throw_unknown_element(const Model& model, const std::string& where, int atom, int atomic_number) {
  std::string known;
  for (const auto& [element, e0] : model.reference_energies) known += (known.empty() ? "" : ", ") + element_symbol(element);
  throw InputError(where + ": atom " + std::to_string(atom + 1) + " is " + element_symbol(atomic_number) +
                   ", which the model does not know (it knows " + known + ")");
}

}  // namespace

// Descriptors ignore neighbours of elements that they do not know, so somebody must look at them.
void check_elements(const Model& model, const Environments& environments) {
  std::array<bool, largest_atomic_number + 1> known = {};
  for (const auto& [element, e0] : model.reference_energies) known.at(static_cast<std::size_t>(element)) = true;
  const auto check = [&](int atom) {
    const int z = environments.atomic_number[static_cast<std::size_t>(atom)];
    if (z < 0 || z > largest_atomic_number || !known[static_cast<std::size_t>(z)]) throw_unknown_element(model, "environments", atom, z);
  };
  for (std::size_t c = 0; c < environments.centre.size(); ++c) {
    check(environments.centre[c]);
    for (std::size_t p = environments.begin[c]; p < environments.begin[c + 1]; ++p) check(environments.neighbor[p]);
  }
}

void check_elements(const Model& model, const Structure& structure) {
  check_elements(model.baselines, structure);
  for (int i = 0; i < structure.size(); ++i) {
    const int z = structure.atomic_numbers[static_cast<std::size_t>(i)];
    if (!model.knows(z)) throw_unknown_element(model, structure.source.empty() ? "structure" : structure.source, i, z);
  }
}

}  // namespace gapkit
