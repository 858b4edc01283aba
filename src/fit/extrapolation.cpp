#include "fit/extrapolation.hpp"

#include <fmt/format.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t fewest_atoms = 20;   // of an element: fewer give no threshold
constexpr std::int64_t enough_atoms = 200;  // fewer make more false alarms
// Border: the smallest of a far quantile and multiples of nearer ones, as the far ones can depend on one or two atoms.
constexpr double far_quantile = 0.999, near_quantile = 0.99, most_over_near = 1.5, nearest_quantile = 0.9, most_over_nearest = 4;
// Frames around an atom's own are nearly copies of it if the border without their sparse points is higher by this factor than without
// those of as many random frames.
constexpr double near_copies_factor = 1.15;
// Of the amplitude: the jitter of the sparse points hides smaller novelty.
constexpr double least_threshold = 1e-4;

double quantile(std::vector<double>& values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(values.size()))) - 1;
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

double border(std::vector<double>& squares) {
  return std::sqrt(std::min({quantile(squares, far_quantile), most_over_near * most_over_near * quantile(squares, near_quantile),
                             most_over_nearest * most_over_nearest * quantile(squares, nearest_quantile)}));
}

double border_of(const std::vector<LeftOutAtom>& atoms, int element, double LeftOutAtom::*member) {
  std::vector<double> values;
  for (const LeftOutAtom& atom : atoms)
    if (atom.element == element) values.push_back(atom.*member);
  return border(values);
}

/// Border of the larger of both novelties, each over its threshold.
double joint_border(const std::vector<LeftOutAtom>& atoms, const ExtrapolationThreshold& threshold, double LeftOutAtom::*all,
                    double LeftOutAtom::*full) {
  std::vector<double> values;
  for (const LeftOutAtom& atom : atoms)
    if (atom.element == threshold.element)
      values.push_back(std::max(atom.*all / std::pow(threshold.novelty, 2), atom.*full / std::pow(threshold.full_novelty, 2)));
  return border(values);
}

/// The novelty of all terms, or of those of the full spectrum.
struct NoveltyPart {
  double LeftOutAtom::*own, LeftOutAtom::*around, LeftOutAtom::*random;
};
constexpr NoveltyPart all_terms = {&LeftOutAtom::relative, &LeftOutAtom::relative_around, &LeftOutAtom::relative_random};
constexpr NoveltyPart full_terms = {&LeftOutAtom::full, &LeftOutAtom::full_around, &LeftOutAtom::full_random};

// The geometric mean over atoms of what the frames around add to the borders.
double effect_of_near_copies(const std::vector<LeftOutAtom>& atoms, const std::map<int, std::int64_t>& counts, const NoveltyPart& part) {
  double sum = 0, weight = 0;
  for (const auto& [element, count] : counts) {
    const double random = border_of(atoms, element, part.random);
    if (count < fewest_atoms || !(random > least_threshold)) continue;
    sum += static_cast<double>(count) * std::log(border_of(atoms, element, part.around) / random);
    weight += static_cast<double>(count);
  }
  return weight > 0 ? std::exp(sum / weight) : 1;
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
    result.back().full = novelty_.full_square(element, spanned.row(i), rows.prior.row(i));
    if (!std::isfinite(result.back().variance)) throw NumericalError("the local energy of an atom that is left out is not finite");
  }
  return result;
}

bool settles_elements(const Matrix& counts) {
  return Eigen::ColPivHouseholderQR<Eigen::MatrixXd>(counts).rank() == counts.cols();
}

std::vector<ExtrapolationThreshold> extrapolation_thresholds(const Model& model, const std::vector<LeftOutAtom>& atoms, bool has_std,
                                                             const ProgressCallback& progress) {
  const RelativeNovelty novelty(model);
  std::vector<ExtrapolationThreshold> result;
  std::string none, few;
  std::map<int, std::int64_t> counts;
  for (const LeftOutAtom& atom : atoms) ++counts[atom.element];
  // The terms of the full spectrum may show copies where the other terms do not.
  const double effect = effect_of_near_copies(atoms, counts, all_terms), effect_on_full = effect_of_near_copies(atoms, counts, full_terms);
  const auto member_of = [](const NoveltyPart& part, double effect_on_part) {
    return effect_on_part > near_copies_factor ? part.around : part.own;
  };
  const auto threshold_of = [&](const NoveltyPart& part, double effect_on_part, int element) {
    return std::max(border_of(atoms, element, member_of(part, effect_on_part)), least_threshold);
  };
  for (const auto& [element, energy] : model.reference_energies) {
    const std::int64_t count = counts[element];
    if (count < enough_atoms) {
      std::string& list = count < fewest_atoms ? none : few;
      list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", element_symbol(element), count);
    }
    if (count < fewest_atoms) continue;
    const double amplitude = std::sqrt(novelty.amplitude_square(element));
    const double std = std::max(border_of(atoms, element, &LeftOutAtom::variance), least_threshold * amplitude);
    result.push_back({element, threshold_of(all_terms, effect, element), has_std ? std : no_threshold, count});
    if (!novelty.has_full(element)) continue;
    ExtrapolationThreshold& threshold = result.back();
    threshold.full_novelty = threshold_of(full_terms, effect_on_full, element);
    // Two chances of a false alarm: the border is that of the larger of both.
    const double joint = joint_border(atoms, threshold, member_of(all_terms, effect), member_of(full_terms, effect_on_full));
    threshold.novelty *= std::max(1.0, joint);
    threshold.full_novelty *= std::max(1.0, joint);
  }
  const auto say = [&](const std::string& text) {
    if (progress) progress({.phase = "calibrate", .message = text});
  };
  if (const double largest = std::max(effect, effect_on_full); largest > near_copies_factor)
    say(
        fmt::format("neighbouring frames of the data are nearly copies of each other: the borders of extrapolation grades leave out ten "
                    "frames before and after an atom's own, which raises them by a factor of {:.2f}",
                    largest));
  if (!has_std && !result.empty())
    say("the compositions of the structures do not settle the split of energies between elements: extrapolation grades rest on the novelty "
        "alone");
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
