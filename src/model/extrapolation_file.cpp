#include "model/extrapolation_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {

bool has_full_novelty(const std::vector<ExtrapolationThreshold>& thresholds) {
  return std::any_of(thresholds.begin(), thresholds.end(), [](const ExtrapolationThreshold& t) { return t.full_novelty < no_threshold; });
}

void save_extrapolation(ArchiveWriter& archive, const std::vector<ExtrapolationThreshold>& thresholds) {
  if (thresholds.empty()) return;
  std::vector<std::int64_t> elements, atoms;
  std::vector<double> novelty, std, full;
  for (const ExtrapolationThreshold& t : thresholds) {
    elements.push_back(t.element);
    atoms.push_back(t.atoms);
    novelty.push_back(t.novelty);
    std.push_back(t.std);
    full.push_back(t.full_novelty);
  }
  archive.put("extrapolation/elements", elements);
  archive.put("extrapolation/atoms", atoms);
  archive.put("extrapolation/novelty", novelty);
  archive.put("extrapolation/std", std);
  if (has_full_novelty(thresholds)) archive.put("extrapolation/full_novelty", full);
}

std::vector<ExtrapolationThreshold> load_extrapolation(const ArchiveReader& archive, const std::string& where) {
  std::vector<ExtrapolationThreshold> result;
  if (!archive.has("extrapolation/elements")) return result;
  const auto elements = archive.integers("extrapolation/elements");
  const auto count = static_cast<Eigen::Index>(elements.size());
  const auto atoms = archive.integers("extrapolation/atoms", count);
  const auto novelty = archive.doubles("extrapolation/novelty", count), std = archive.doubles("extrapolation/std", count);
  const auto full = archive.has("extrapolation/full_novelty") ? archive.doubles("extrapolation/full_novelty", count)
                                                              : std::vector<double>(elements.size(), no_threshold);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const bool is_next = elements[i] > (result.empty() ? 0 : result.back().element) && elements[i] <= largest_atomic_number;
    if (!is_next) throw InputError(fmt::format("{}: the extrapolation thresholds have elements that do not ascend", where));
    const auto is_threshold = [](double value) { return value > 0 && std::isfinite(value); };
    if (!(is_threshold(novelty[i]) && is_threshold(std[i]) && is_threshold(full[i]) && atoms[i] > 0))
      throw InputError(fmt::format("{}: the extrapolation thresholds of {} are {}, {} eV and {} from {} atoms, expected numbers above 0",
                                   where, element_symbol(static_cast<int>(elements[i])), novelty[i], std[i], full[i], atoms[i]));
    result.push_back({static_cast<int>(elements[i]), novelty[i], std[i], atoms[i], full[i]});
  }
  return result;
}

}  // namespace gapkit
