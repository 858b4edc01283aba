#include "fit/convention_checks.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/model/term_kernel.hpp>
#include <gapkit/predict/predictor.hpp>
#include <numeric>
#include <set>

#include "fit/findings.hpp"
#include "fit/label_comparison.hpp"
#include "fit/row_targets.hpp"
#include "fit/unexplained_labels.hpp"

namespace gapkit {
namespace {

constexpr std::size_t atoms_together = 1000;
constexpr Eigen::Index fewest_energies = 10, fewest_virials = 8;  // frames of a config type beyond the parameters of the removed part

// Predicted values of the sample.
struct SamplePredictions {
  Vector energy;
  Matrix virial;  // [frames, 6]
  std::vector<Positions> forces;
};

SamplePredictions predict(std::shared_ptr<const Model> model, std::span<const Structure> frames, bool with_derivatives) {
  Predictor predictor(std::move(model));
  SamplePredictions result;
  result.energy.resize(static_cast<Eigen::Index>(frames.size()));
  result.virial.resize(result.energy.size(), 6);
  for (std::size_t begin = 0; begin < frames.size();) {
    std::size_t end = begin, atoms = 0;
    while (end < frames.size() && atoms < atoms_together) atoms += static_cast<std::size_t>(frames[end++].size());
    for (Prediction& p : predictor.compute(frames.subspan(begin, end - begin), {.forces = with_derivatives})) {
      const auto i = static_cast<Eigen::Index>(begin++);
      result.energy[i] = p.energy;
      if (!with_derivatives) continue;
      // A base that does not give a target leaves it out; nothing is fitted to it then, so that zeros are never looked at.
      result.virial.row(i) = voigt_of(p.virial.value_or(Matrix3::Zero())).transpose();
      result.forces.push_back(p.forces ? std::move(*p.forces) : Positions(Positions::Zero(p.local_energy.size(), 3)));
    }
  }
  return result;
}

using Properties = std::set<Property>;

constexpr double vanishing_labels = 1e-6;  // of σ, root mean square: the rest that reference energies leave of one structure is rounding

// A model of some properties only. The noise of each is the same small fraction of its labels, in any unit; σ of its classes keep their
// ratios, rows with a σ of their own keep it.
std::shared_ptr<const Model> model_of(const Properties& used, const Model& model, const SufficientStatistics& statistics) {
  const auto part_of = [](Property p) { return p == Property::energy ? 0.002 : 0.05; };
  std::map<Property, double> square, count;
  for (const GroupStatistics& g : statistics.groups) {
    square[g.group.property] += g.target_square / (g.group.sigma * g.group.sigma);
    count[g.group.property] += static_cast<double>(g.count);
  }
  std::vector<double> sigma;
  for (const GroupStatistics& g : statistics.groups) {
    const Property p = g.group.property;
    const double size = std::sqrt(square[p] / count[p]);  // of labels, in σ
    sigma.push_back(used.count(p) && size > vanishing_labels ? g.group.sigma * part_of(p) * size : INFINITY);
  }
  auto result = std::make_shared<Model>();
  result->reference_energies = model.reference_energies;
  result->baselines = model.baselines;
  result->base = model.base;
  result->terms = model.terms;
  result->weights =
      kernel_weights(model.factor, solve_posterior(statistics, model.factor, std::vector<double>(model.terms.size(), 1.0), &sigma));
  return result;
}

// The sample: labels, and predictions from several sources.
class Checker {
 public:
  Checker(const Model& model, const StoredStatistics& stored, const SufficientStatistics& statistics, std::span<const Structure> frames,
          FitReport& report)
      : model_(model), stored_(stored), statistics_(statistics), frames_(frames), report_(report) {
    for (const GroupStatistics& g : statistics.groups)
      if (g.count > 0) fitted_.insert(g.group.property);
    for (std::size_t i = 0; i < frames.size(); ++i) types_[frames[i].config_type].push_back(i);
  }

  void run() {
    add_agreement(predict(std::make_shared<const Model>(without_posterior()), frames_, have_derivatives(model_.terms)));
    const std::size_t before = report_.findings.size();
    if (fitted_.size() > 1) compare_properties();
    if (report_.findings.size() > before) return;  // the named mistake may explain the others
    if (const auto message = unexplained_labels(report_.agreement, mean_difference_))
      report_.findings.push_back({CheckFinding::Severity::warning, "conventions", *message});
  }

 private:
  using Types = std::vector<std::string>;
  using Labels = std::vector<LabelsOfTypes>;  // by source
  // Sums for the labels of some config types, by source and candidate.
  using Sums = std::function<RegressionSums(const LabelsOfTypes&, std::size_t)>;

  // Some config types with the same mistake.
  struct Wrong {
    Types types;
    LabelVerdict verdict;
  };

  // Each property against models of the others.
  void compare_properties() {
    const bool has_energies = fitted_.count(Property::energy) > 0, has_forces = fitted_.count(Property::force) > 0;
    const bool has_virials = fitted_.count(Property::virial) > 0;
    const SamplePredictions of_forces = has_forces ? predict_from({Property::force}) : SamplePredictions{};
    if (has_energies && has_forces) check_energies(of_forces);
    if (!has_virials || energies_or_forces_are_wrong_) return;
    std::vector<const SamplePredictions*> sources;
    SamplePredictions of_energies;
    if (has_energies) {
      of_energies = predict_from(has_forces ? Properties{Property::energy, Property::force} : Properties{Property::energy});
      sources.push_back(&of_energies);
    }
    if (has_forces) sources.push_back(&of_forces);
    check_virials(sources);
  }

  Model without_posterior() const {
    Model result;
    result.reference_energies = model_.reference_energies;
    result.baselines = model_.baselines;
    result.base = model_.base;
    result.terms = model_.terms;
    result.weights = model_.weights;
    return result;
  }

  SamplePredictions predict_from(const Properties& used) const {
    return predict(model_of(used, model_, statistics_), frames_, fitted_.count(Property::virial) > 0);
  }

  ComparedLabels compared(Property property, const std::string& type, const SamplePredictions& predictions) const;
  std::vector<Wrong> judge_types(const Types& types, Property property, const std::vector<const SamplePredictions*>& sources,
                                 std::size_t candidates, const Sums& sums) const;
  void add_agreement(const SamplePredictions& predictions);
  void check_energies(const SamplePredictions& of_forces);
  void check_virials(const std::vector<const SamplePredictions*>& sources);
  std::string name_of(const Types& types) const;
  void warn(const std::string& labels, const Wrong& wrong, const std::string& meaning, const char* sources, const std::string& more = "");

  const Model& model_;
  const StoredStatistics& stored_;
  const SufficientStatistics& statistics_;
  std::span<const Structure> frames_;
  FitReport& report_;
  Properties fitted_;
  std::map<std::string, std::vector<std::size_t>> types_;  // frames of each config type
  std::map<std::string, double> mean_difference_;          // reference − prediction of energies, eV per atom, by config type
  bool energies_or_forces_are_wrong_ = false;              // virials cannot be judged then
};

ComparedLabels Checker::compared(Property property, const std::string& type, const SamplePredictions& predictions) const {
  std::vector<std::size_t> chosen;
  for (const std::size_t i : types_.at(type))
    if (property == Property::energy ? frames_[i].energy.has_value() : frames_[i].virial && frames_[i].volume() > 0) chosen.push_back(i);
  const auto count = static_cast<Eigen::Index>(chosen.size());
  const Eigen::Index columns = property == Property::energy ? 1 : 6;
  std::map<int, Eigen::Index> elements;
  for (const std::size_t i : chosen)
    for (const int z : frames_[i].atomic_numbers) elements.try_emplace(z, static_cast<Eigen::Index>(elements.size()));
  ComparedLabels labels;
  labels.reference.resize(count, columns);
  labels.predicted.resize(count, columns);
  labels.removed = property == Property::energy ? Matrix(Matrix::Zero(count, static_cast<Eigen::Index>(elements.size())))
                                                : Matrix(Matrix::Ones(count, 1));
  labels.atoms.resize(count);
  labels.volume.resize(count);
  for (Eigen::Index k = 0; k < count; ++k) {
    const std::size_t i = chosen[static_cast<std::size_t>(k)];
    const Structure& s = frames_[i];
    labels.atoms[k] = s.size();
    labels.volume[k] = s.volume() > 0 ? s.volume() : 1;
    if (property == Property::energy) {
      labels.reference(k, 0) = *s.energy;
      labels.predicted(k, 0) = predictions.energy[static_cast<Eigen::Index>(i)];
      for (const int z : s.atomic_numbers) labels.removed(k, elements[z]) += 1;
    } else {
      labels.reference.row(k) = voigt_of(*s.virial).transpose();
      labels.predicted.row(k) = predictions.virial.row(static_cast<Eigen::Index>(i));
    }
  }
  return labels;
}

std::string Checker::name_of(const Types& types) const {
  constexpr std::size_t most = 5;
  if (types.size() == types_.size() && types.size() > 1) return "all config types";
  std::string text = types.size() == 1 ? "config type " : "config types ";
  for (std::size_t i = 0; i < std::min(most, types.size()); ++i) text += fmt::format("{}'{}'", i ? ", " : "", types[i]);
  return text + (types.size() > most ? fmt::format(" and {} more", types.size() - most) : "");
}

// All config types together if each is wrong; else the wrong ones, by mistake, the mistake with most frames first.
std::vector<Checker::Wrong> Checker::judge_types(const Types& types, Property property,
                                                 const std::vector<const SamplePredictions*>& sources, std::size_t candidates,
                                                 const Sums& sums) const {
  const Eigen::Index fewest = property == Property::energy ? fewest_energies : fewest_virials;
  std::map<std::string, Labels> all;
  for (const std::string& type : types)
    for (const SamplePredictions* source : sources) all[type].push_back({compared(property, type, *source)});
  const auto judge_some = [&](const Types& some) {
    Labels together(sources.size());
    Eigen::Index freedom = 0;
    for (const std::string& type : some)
      for (std::size_t s = 0; s < sources.size(); ++s) {
        const Eigen::Index own = all[type][s].front().freedom();
        if (own < 1) continue;
        together[s].push_back(all[type][s].front());
        if (s == 0) freedom += own;
      }
    if (freedom < fewest) return LabelVerdict{};
    return judge(sources.size(), candidates, [&](std::size_t s, std::size_t k) { return sums(together[s], k); });
  };
  std::map<std::size_t, Types> wrong_types;  // by the best candidate
  bool is_any_right = false;
  for (const std::string& type : types) {
    const LabelVerdict verdict = judge_some({type});
    is_any_right = is_any_right || verdict.kind == LabelVerdict::Kind::right;
    if (verdict.kind == LabelVerdict::Kind::wrong) wrong_types[verdict.candidates.front()].push_back(type);
  }
  std::vector<Wrong> result;
  if (!is_any_right) {
    Wrong together{types, judge_some(types)};
    if (together.verdict.kind == LabelVerdict::Kind::wrong) return {together};
  }
  for (const auto& [candidate, some] : wrong_types) {
    Wrong wrong{some, judge_some(some)};
    if (wrong.verdict.kind == LabelVerdict::Kind::wrong) result.push_back(std::move(wrong));
  }
  const auto frames_of = [&](const Wrong& wrong) {
    std::size_t count = 0;
    for (const std::string& type : wrong.types) count += types_.at(type).size();
    return count;
  };
  std::stable_sort(result.begin(), result.end(), [&](const Wrong& a, const Wrong& b) { return frames_of(a) > frames_of(b); });
  return result;
}

// The whole model against the labels.
void Checker::add_agreement(const SamplePredictions& predictions) {
  const Regularization regularization(stored_.rules);
  struct Part {
    RegressionSums sums;
    double square = 0;      // of errors over σ
    double difference = 0;  // of energies, eV per atom
    std::int64_t rows = 0;
  };
  std::map<std::pair<Property, std::string>, Part> parts;
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    const Structure& s = frames_[i];
    const RowTargets targets = regularization.row_targets(s, model_.reference_energies);
    std::vector<double> predicted;
    const auto index = static_cast<Eigen::Index>(i);
    if (targets.wanted.energy) predicted.push_back(predictions.energy[index] - sum_of_reference_energies(s, model_.reference_energies));
    if (targets.wanted.forces) predicted.insert(predicted.end(), predictions.forces[i].data(), predictions.forces[i].data() + 3 * s.size());
    if (targets.wanted.virial)
      for (Eigen::Index k = 0; k < 6; ++k) predicted.push_back(predictions.virial(index, k));
    for (std::size_t n = 0; n < predicted.size(); ++n) {
      if (targets.group[n] == RowTargets::excluded) continue;
      const RowGroup& group = regularization.groups()[static_cast<std::size_t>(targets.group[n])];
      Part& part = parts[{group.property, s.config_type}];
      const double error = targets.value[n] - predicted[n], z = error / (group.sigma * targets.noise_scale[n]);
      part.square += z * z;
      if (group.property == Property::energy) part.difference += error / s.size();
      ++part.rows;
      if (group.property != Property::force) continue;
      part.sums.xx += predicted[n] * predicted[n];
      part.sums.xy += predicted[n] * targets.value[n];
      part.sums.yy += targets.value[n] * targets.value[n];
    }
  }
  for (auto& [key, part] : parts) {
    const auto& [property, type] = key;
    const std::vector<int> columns = property == Property::energy ? std::vector{0} : std::vector{0, 1, 2, 3, 4, 5};
    if (property != Property::force) part.sums.add(compared(property, type, predictions), {}, columns, columns);
    report_.agreement.push_back({property, type, part.rows, part.sums.slope(), part.sums.correlation(), part.sums.explained(),
                                 std::sqrt(part.square / static_cast<double>(part.rows))});
    if (property == Property::energy) mean_difference_[type] = part.difference / static_cast<double>(part.rows);
  }
}

RegressionSums sums_of(const LabelsOfTypes& types, const LabelTransformation& transformation, const std::vector<int>& reference_columns,
                       const std::vector<int>& predicted_columns) {
  RegressionSums sums;
  for (const ComparedLabels& labels : types) sums.add(labels, transformation, reference_columns, predicted_columns);
  return sums;
}

// One mistake spoils the models for judging the others, hence only the clearest one is named.
std::string others_of(std::size_t found) {
  return found > 1 ? "; other config types look wrong too, which can follow from this: correct it and fit again" : "";
}

void Checker::check_energies(const SamplePredictions& of_forces) {
  Types types;
  for (const auto& [type, frames] : types_) types.push_back(type);
  const std::vector<LabelTransformation> known = energy_transformations();
  const auto found = judge_types(types, Property::energy, {&of_forces}, known.size(),
                                 [&](const LabelsOfTypes& labels, std::size_t k) { return sums_of(labels, known[k], {0}, {0}); });
  if (found.empty()) return;
  const Wrong& wrong = found.front();
  const LabelTransformation& best = known[wrong.verdict.candidates.front()];
  std::string more;
  energies_or_forces_are_wrong_ = true;
  const bool is_doubtful = wrong.types.size() < types_.size() && !(wrong.verdict.after.explained() > 0.9);
  if (is_doubtful && are_forces_unrelated(report_.agreement)) return;  // no model of the forces can judge the energies
  if (fitted_.count(Property::virial)) {
    // Virials decide which of the two is wrong.
    const std::array<LabelTransformation, 2> either = {LabelTransformation{}, {best.factor, 0, 0, ""}};
    const auto third = judge_types(wrong.types, Property::virial, {&of_forces}, 2, [&](const LabelsOfTypes& labels, std::size_t k) {
      return sums_of(labels, either[k], {0, 1, 2}, {0, 1, 2});
    });
    if (!third.empty()) more = "; the virials agree with the energies, not with the forces";
  }
  std::string of_all, of_forces_only;
  for (const std::size_t k : wrong.verdict.candidates) {
    of_all += (of_all.empty() ? "" : ", or ") + known[k].meaning;
    if (!known[k].meaning.starts_with("the energies")) of_forces_only += (of_forces_only.empty() ? "" : ", or ") + known[k].meaning;
  }
  warn("energies", wrong, more.empty() || of_forces_only.empty() ? of_all : of_forces_only, "forces", more + others_of(found.size()));
}

void Checker::check_virials(const std::vector<const SamplePredictions*>& sources) {
  Types types;
  for (const auto& [type, frames] : types_) types.push_back(type);
  const bool has_both = sources.size() > 1;
  const char* from = has_both ? "energies and forces" : fitted_.count(Property::energy) ? "energies" : "forces";
  const std::vector<LabelTransformation> known = virial_transformations(report_.plan.targets);
  const std::vector<int> normal = {0, 1, 2}, shear = {3, 4, 5};
  const auto found = judge_types(types, Property::virial, sources, known.size(),
                                 [&](const LabelsOfTypes& labels, std::size_t k) { return sums_of(labels, known[k], normal, normal); });
  LabelTransformation common;  // applied before the order of components is examined
  if (!found.empty()) {
    const Wrong& wrong = found.front();
    if (wrong.types.size() == types.size()) common = known[wrong.verdict.candidates.front()];
    std::string meaning;
    for (const std::size_t k : wrong.verdict.candidates) meaning += (meaning.empty() ? "" : ", or ") + known[k].meaning;
    warn("virials", wrong, meaning, from, others_of(found.size()));
    if (wrong.types.size() < types.size()) return;
  }
  const auto& orders = wrong_shear_orders();
  const auto in_order = judge_types(types, Property::virial, sources, orders.size() + 1, [&](const LabelsOfTypes& labels, std::size_t k) {
    std::vector<int> places = shear;
    if (k > 0)
      for (std::size_t c = 0; c < 3; ++c) places[c] = 3 + orders[k - 1].place[c];
    return sums_of(labels, common, places, shear);
  });
  for (const Wrong& wrong : in_order)
    warn("off-diagonal virials", wrong,
         fmt::format("the components seem to be in the order {}; expected xx yy zz yz xz xy, or nine numbers",
                     orders[wrong.verdict.candidates.front() - 1].name),
         from);
}

void Checker::warn(const std::string& labels, const Wrong& wrong, const std::string& meaning, const char* sources,
                   const std::string& more) {
  const auto percent = [](const RegressionSums& sums) {
    return sums.explained() > 0 ? fmt::format("{:.0f} %", 100 * sums.explained()) : std::string("nothing");
  };
  report_.findings.push_back(
      {CheckFinding::Severity::warning, "conventions",
       fmt::format("{} of {}: {} (a model of the {} predicts them with slope {:.3g} and correlation {:.2f} and explains {} of their "
                   "variance; with that corrected, slope {:.3g} and {}){}",
                   labels, name_of(wrong.types), meaning, sources, wrong.verdict.before.slope(), wrong.verdict.before.correlation(),
                   percent(wrong.verdict.before), wrong.verdict.after.slope(), percent(wrong.verdict.after), more)});
}

}  // namespace

void check_conventions(const Model& model, const StoredStatistics& stored, const std::vector<Structure>& sample, FitReport& report,
                       const ProgressCallback& progress) {
  if (sample.empty()) return;
  const bool has_folds = stored.statistics.has_folds();
  const SufficientStatistics merged = has_folds ? stored.statistics.without_folds() : SufficientStatistics{};
  Checker(model, stored, has_folds ? merged : stored.statistics, sample, report).run();
  if (progress)
    for (const CheckFinding& finding : report.findings) progress({.phase = "conventions", .message = finding.message, .is_warning = true});
}

}  // namespace gapkit
