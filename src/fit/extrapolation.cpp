#include "fit/extrapolation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t fewest_atoms = 20;   // of an element: fewer give no threshold
constexpr std::int64_t enough_atoms = 200;  // fewer make more false alarms
// Border: the smaller of a far quantile and a multiple of a nearer one, as the far one can depend on one or two atoms.
constexpr double far_quantile = 0.999, near_quantile = 0.99, most_over_near = 1.5;
// Of the amplitude: the jitter of the sparse points hides smaller novelty.
constexpr double least_threshold = 1e-4;

double quantile(std::vector<double>& values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(values.size()))) - 1;
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

double border(std::vector<double>& squares) {
  return std::sqrt(std::min(quantile(squares, far_quantile), most_over_near * most_over_near * quantile(squares, near_quantile)));
}

}  // namespace

LocalEnergies::LocalEnergies(const Model& model)
    : model_(model), kernels_(model.terms), novelty_(model), scale_(static_cast<Eigen::Index>(model.terms.size())) {
  for (std::size_t t = 0; t < model.terms.size(); ++t) scale_[static_cast<Eigen::Index>(t)] = std::pow(model.posterior.delta_ratio[t], 2);
}

LocalEnergies::Rows LocalEnergies::of(const Structure& structure) const {
  const StructureEnvironments environments(structure, largest_cutoff(model_.terms));
  const Environments& view = environments.view();
  Rows result;
  for (const int i : view.centre) result.element.push_back(view.atomic_number[static_cast<std::size_t>(i)]);
  result.rows.resize(view.size(), kernels_.columns());
  KernelRows kernels(kernels_);
  kernels.compute_local(view, 0, view.size(), result.rows, &result.prior);
  model_.factor.whiten(result.rows);
  for (std::size_t t = 0; t < model_.terms.size(); ++t)
    result.rows.middleCols(model_.factor.offsets()[t], model_.factor.blocks()[t].rows()) *= model_.posterior.delta_ratio[t];
  return result;
}

std::vector<LeftOutAtom> LocalEnergies::left_out(const Rows& rows, const WeightedRows& structure, const LeftOutRows& found) const {
  Matrix spanned = novelty_.spanned(structure.others);
  for (Eigen::Index k = 0; k < found.others_along.cols(); ++k) {
    std::size_t t = 0;
    while (structure.own_points[static_cast<std::size_t>(k)] >= model_.factor.offsets()[t + 1]) ++t;
    spanned.col(static_cast<Eigen::Index>(t)) -= found.others_along.col(k).cwiseAbs2();
  }
  spanned = spanned.cwiseMax(0.0).eval();
  const Vector prior = rows.prior * scale_;
  std::vector<LeftOutAtom> result;
  for (Eigen::Index i = 0; i < spanned.rows(); ++i) {
    const int element = rows.element[static_cast<std::size_t>(i)];
    const double novelty = std::max(0.0, prior[i] - spanned.row(i).sum());
    result.push_back({element, novelty_.square(element, spanned.row(i), rows.prior.row(i)), novelty + found.data_of_others[i]});
    if (!std::isfinite(result.back().variance)) throw NumericalError("the local energy of an atom that is left out is not finite");
  }
  return result;
}

std::vector<ExtrapolationThreshold> extrapolation_thresholds(const Model& model, const std::vector<LeftOutAtom>& atoms,
                                                             const ProgressCallback& progress) {
  const RelativeNovelty novelty(model);
  std::vector<ExtrapolationThreshold> result;
  std::string none, few;
  for (const auto& [element, energy] : model.reference_energies) {
    std::vector<double> relative, variance;
    for (const LeftOutAtom& atom : atoms) {
      if (atom.element != element) continue;
      relative.push_back(atom.relative);
      variance.push_back(atom.variance);
    }
    const auto count = static_cast<std::int64_t>(relative.size());
    if (count < enough_atoms) {
      std::string& list = count < fewest_atoms ? none : few;
      list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", element_symbol(element), count);
    }
    if (count < fewest_atoms) continue;
    const double amplitude = std::sqrt(novelty.amplitude_square(element));
    result.push_back(
        {element, std::max(border(relative), least_threshold), std::max(border(variance), least_threshold * amplitude), count});
  }
  const auto say = [&](const std::string& text) {
    if (progress) progress({.phase = "calibrate", .message = text});
  };
  if (!few.empty())
    say(
        fmt::format("extrapolation grades rest on few left-out atoms of {}: with fewer than {} of an element, single odd atoms "
                    "set the border, and grades can miss what is unfamiliar",
                    few, enough_atoms));
  if (!none.empty())
    say(fmt::format("no extrapolation grades of {}: the calibration has fewer than {} left-out atoms of an element", none, fewest_atoms));
  return result;
}

}  // namespace gapkit
