#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/closest_pairs.hpp>
#include <gapkit/core/covalent_radii.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/predict/closeness.hpp>
#include <tuple>

namespace gapkit {
namespace {

constexpr double closest_fraction = 0.5;    // of the sum of covalent radii; bonds under any pressure are longer
constexpr std::size_t many_images = 1'000;  // of one atom: a cell of 4 Å³ with a cutoff of 10 Å

}  // namespace

std::string CloseAtoms::text() const {
  std::string text = first == second ? fmt::format("atom {} ({}) and its own image are", first + 1, element_symbol(first_element))
                                     : fmt::format("atoms {} ({}) and {} ({}) are", first + 1, element_symbol(first_element), second + 1,
                                                   element_symbol(second_element));
  text += fmt::format(" {:.3g} Å apart ({:.0f} % of the sum of their covalent radii", distance, 100 * distance / radii);
  if (trained) text += fmt::format("; in training at least {:.3g} Å", *trained);
  text += ")";
  if (images > 0) text += fmt::format(", and an atom meets {} images of itself: the cell is too small", images);
  return text;
}

Closeness closeness(const Model& model, const Environments& environments) {
  Closeness result;
  const double cutoff = largest_cutoff(model.terms);
  for (const auto& [elements, pair] : closest_pairs(environments)) {
    CloseAtoms atoms;
    std::tie(atoms.first, atoms.second) = std::minmax(pair.first, pair.second);
    atoms.first_element = environments.atomic_number[static_cast<std::size_t>(atoms.first)];
    atoms.second_element = environments.atomic_number[static_cast<std::size_t>(atoms.second)];
    atoms.distance = pair.distance;
    atoms.radii = covalent_radius(elements.first) + covalent_radius(elements.second);
    if (pair.images >= many_images) atoms.images = pair.images;
    bool is_new = true;
    if (model.shortest_distances) {
      const auto found = model.shortest_distances->find(elements);
      if (found != model.shortest_distances->end()) atoms.trained = found->second;
      const double ratio = pair.distance / atoms.trained.value_or(cutoff);
      result.ratio = std::min(ratio, result.ratio.value_or(ratio));
      is_new = ratio < 1;
    }
    if (!is_new || !(pair.distance < closest_fraction * atoms.radii || atoms.images > 0)) continue;
    if (!result.too_close || atoms.distance / atoms.radii < result.too_close->distance / result.too_close->radii) result.too_close = atoms;
  }
  return result;
}

Closeness closeness(const Model& model, const Structure& structure) {
  const StructureEnvironments environments(structure, model.cutoff());
  return closeness(model, environments.view());
}

}  // namespace gapkit
