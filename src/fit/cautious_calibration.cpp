#include "fit/cautious_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/model/cautious_form.hpp>
#include <gapkit/model/prior.hpp>
#include <gapkit/model/sub_environments.hpp>

#include "fit/cautious_form.hpp"

namespace gapkit {
namespace {

constexpr double structures_of_group = 8;  // that a left-out group weighs at most
constexpr double largest_power = 1.5;      // of J, and of C
constexpr double least_data_power = -1;    // in addition to the data part of the component

/// Prior variances of the forces on the chosen atoms of each structure: by frame and atom.
using ForcePriors = std::map<std::int64_t, std::map<int, Vector3>>;

ForcePriors force_priors(const CautiousRows& all) {
  std::vector<std::int64_t> numbers;
  for (const LeftOutStructure& s : all.structures)
    if (std::any_of(s.rows.begin(), s.rows.end(), [](const LeftOutRow& r) { return r.property == Property::force && r.has_jackknife; }))
      numbers.push_back(s.number);
  std::sort(numbers.begin(), numbers.end());
  ForcePriors result;
  if (numbers.empty()) return result;
  Prior prior(all.model.terms);
  Vector scale(static_cast<Eigen::Index>(all.model.terms.size()));
  for (Eigen::Index t = 0; t < scale.size(); ++t) scale[t] = std::pow(all.model.posterior.delta_ratio[static_cast<std::size_t>(t)], 2);
  DatasetView(all.training, std::move(numbers)).visit([&](const Structure& s, const FramePlace& place) {
    std::vector<int> atoms;
    for (int i = 0; i < s.size(); ++i)
      if (all.left_out.is_chosen(i, static_cast<std::size_t>(s.size()))) atoms.push_back(i);
    const StructureEnvironments environments(s, largest_cutoff(all.model.terms));
    const std::vector<int> position = centre_positions(environments.view(), s.size());
    const SubEnvironments around(environments.view(), position, atoms);
    const Vector values =
        prior.observables(around.view(), static_cast<int>(atoms.size()), {.energy = false, .forces = true, .virial = false}).value * scale;
    for (std::size_t k = 0; k < atoms.size(); ++k) result[place.number][atoms[k]] = values.segment<3>(3 * static_cast<Eigen::Index>(k));
  });
  return result;
}

/// A row as one of the two ways of leaving its structure out has it.
struct RowView {
  const LeftOutRow* row = nullptr;
  double error = 0, spanned = 0, data = 0, jackknife = 0;
};

/// Samples of a property: of single structures, then of groups.
struct SampleSet {
  std::vector<CautiousSample> samples;
  std::size_t single = 0;  // samples of single structures come first
  std::int64_t structures = 0;
};

class Collector {
 public:
  Collector(const CautiousRows& all, Property property, bool is_of_fewer) : all_(all), property_(property), is_of_fewer_(is_of_fewer) {}

  SampleSet collect(const ForcePriors& priors, const std::map<std::int64_t, std::vector<GroupRow>>& of_groups) {
    for (const bool is_group : {false, true}) {
      for (const LeftOutStructure& structure : all_.structures) {
        const auto group = of_groups.find(structure.number);
        if (all_.excluded.count(structure.number) || (is_group && group == of_groups.end())) continue;
        std::vector<RowView> rows;
        if (is_group) {
          for (const GroupRow& g : group->second) add(structure.rows[g.row], {nullptr, g.error, g.spanned, g.data, g.jackknife}, rows);
          weight_ = std::min(1.0, structures_of_group / all_.left_out.groups().chosen_with(structure.number));
        } else {
          for (const LeftOutRow& r : structure.rows)
            add(r, {nullptr, r.error, is_of_fewer_ ? r.spanned_of_fewer : r.spanned, is_of_fewer_ ? r.data_of_fewer : r.data, r.jackknife},
                rows);
          weight_ = 1;
        }
        const std::size_t before = set_.samples.size();
        if (property_ == Property::force)
          add_forces(structure, rows, priors);
        else
          add_whole(structure, rows);
        if (!is_group) set_.structures += set_.samples.size() > before;
      }
      if (!is_group) set_.single = set_.samples.size();
    }
    return std::move(set_);
  }

 private:
  void add(const LeftOutRow& row, RowView view, std::vector<RowView>& rows) const {
    if (row.property != property_ || !row.has_jackknife) return;
    view.row = &row;
    rows.push_back(view);
  }
  bool vanishes(const RowView& view, double part) const {
    const double epistemic = std::sqrt(part);
    return target_info(property_).vanishes(view.row->reference + view.error, view.row->reference, epistemic) ||
           !(epistemic + view.row->noise > 0);
  }

  void add_whole(const LeftOutStructure& structure, const std::vector<RowView>& rows) {
    for (const RowView& view : rows)
      if (!vanishes(view, view.jackknife))
        set_.samples.push_back({view.error,
                                view.row->noise,
                                weight_,
                                static_cast<double>(structure.atoms) * structure.atoms,
                                {log_per_atom(view.jackknife, structure.atoms)}});
  }

  // Atoms of which all three components are there.
  void add_forces(const LeftOutStructure& structure, const std::vector<RowView>& rows, const ForcePriors& priors) {
    for (std::size_t i = 0; i + 2 < rows.size(); ++i) {
      const int first = rows[i].row->row;
      if (first % 3 != 0 || rows[i + 2].row->row != first + 2) continue;
      const auto of_frame = priors.find(structure.number);
      if (of_frame == priors.end()) continue;
      const auto prior = of_frame->second.find(first / 3);
      if (prior == of_frame->second.end()) continue;
      std::array<Variance, 3> components;
      for (std::size_t a = 0; a < 3; ++a) {
        const double all = prior->second[static_cast<Eigen::Index>(a)];
        components[a] = {std::max(0.0, all - rows[i + a].spanned), rows[i + a].data, all, is_of_fewer_ ? 0.0 : rows[i + a].jackknife};
      }
      const LogMeans logs = log_means(components);
      for (std::size_t a = 0; a < 3; ++a) {
        if (vanishes(rows[i + a], components[a].data)) continue;
        set_.samples.push_back({rows[i + a].error, rows[i + a].row->noise, weight_, components[a].data, {logs.data, logs.total}});
        if (!is_of_fewer_) set_.samples.back().logs.push_back(logs.jackknife);
      }
    }
  }

  const CautiousRows& all_;
  Property property_;
  bool is_of_fewer_;
  double weight_ = 1;
  SampleSet set_;
};

CalibrationFactors factors_of(Property property, const SampleSet& set) {
  std::vector<double> lower = {0}, upper = {largest_power};  // energies and virials: J
  if (property == Property::force) {                         // data part, C, and J where it is known
    lower.assign(set.samples.front().logs.size(), 0);
    upper.assign(lower.size(), largest_power);
    lower[0] = least_data_power;
  }
  const CautiousForm form = likeliest_form(set.samples, lower, upper);
  CalibrationFactors result{.property = property, .a = form.a, .b = form.b, .part = EpistemicPart::cautious};
  if (property == Property::force)
    result.powers = {form.powers[0], form.powers.size() > 2 ? form.powers[2] : 0, form.powers[1]};
  else
    result.powers.jackknife = form.powers[0];
  result.rows = static_cast<std::int64_t>(set.samples.size());
  result.structures = set.structures;
  std::vector<double> squares = squared_scores(set.samples, form);
  squares.resize(set.single);
  CalibrationQuality quality;
  for (const double square : squares) {
    quality.zms += square / static_cast<double>(squares.size());
    quality.coverage68 += (square <= 1) / static_cast<double>(squares.size());
    quality.coverage95 += (square <= 1.96 * 1.96) / static_cast<double>(squares.size());
  }
  quality.coverage68 = std::min(1.0, quality.coverage68);
  quality.coverage95 = std::min(1.0, quality.coverage95);
  result.quality = quality;
  return result;
}

std::vector<Eigen::Index> all_points(const Model& model) {
  std::vector<Eigen::Index> result(static_cast<std::size_t>(model.factor.size()));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<Eigen::Index>(i);
  return result;
}

}  // namespace

std::vector<CalibrationFactors> cautious_factors(const CautiousRows& rows) {
  const LeftOutStructures& left_out = rows.left_out;
  const ForcePriors priors = force_priors(rows);
  const auto of_groups = left_out.groups().predict(rows.model.factor, all_points(rows.model), true);
  std::vector<CalibrationFactors> result;
  const auto add = [&](Property property, const SampleSet& set, std::int64_t points) {
    if (set.structures < rows.fewest_structures) return;
    result.push_back(factors_of(property, set));
    result.back().points = points;
  };
  for (const TargetInfo& target : targets()) add(target.property, Collector(rows, target.property, false).collect(priors, of_groups), 0);
  const bool has_forces = std::any_of(result.begin(), result.end(), [](const auto& f) { return f.property == Property::force; });
  if (!left_out.fewer() || !has_forces) return result;
  auto of_fewer = left_out.groups().predict(left_out.fewer()->factor, left_out.first_points(), false);
  std::erase_if(of_fewer, [&](const auto& entry) { return !of_groups.count(entry.first); });
  for (auto& [number, fewer] : of_fewer)  // predictions are those of all points, only their error bars take fewer
    for (std::size_t i = 0; i < fewer.size(); ++i) fewer[i].error = of_groups.at(number)[i].error;
  add(Property::force, Collector(rows, Property::force, true).collect(priors, of_fewer),
      static_cast<std::int64_t>(left_out.fewer_points()));
  return result;
}

}  // namespace gapkit
