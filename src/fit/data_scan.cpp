#include "fit/data_scan.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/term_kernel.hpp>
#include <limits>
#include <set>

#include "fit/candidate_gatherer.hpp"
#include "fit/channels.hpp"
#include "fit/choose_points.hpp"
#include "fit/compression.hpp"
#include "fit/cost.hpp"
#include "fit/functions.hpp"
#include "fit/training_facts.hpp"

namespace gapkit {
namespace {

InputError no_isolated_atom(int z) {
  return InputError("the training data have no isolated " + element_symbol(z) +
                    " atom with an energy (a one-atom frame without neighbours within the largest cutoff) for its reference energy; add "
                    "one, or use [reference_energies] mode = \"least_squares\" or \"explicit\"");
}

std::map<int, double> reference_energies(const FitOptions& options, const TrainingFacts& facts) {
  using Mode = ReferenceEnergyOptions::Mode;
  std::map<int, double> result;
  if (options.reference_energies.mode == Mode::explicit_values) {
    for (const auto& [symbol, value] : options.reference_energies.values) result[atomic_number(symbol)] = value;
    for (const auto& [z, atoms] : facts.atoms_of)
      if (!result.count(z))
        throw InputError("[reference_energies] explicit has no value for " + element_symbol(z) + ", which the training data contain");
    std::erase_if(result, [&](const auto& entry) { return !facts.atoms_of.count(entry.first); });
    return result;
  }
  if (options.reference_energies.mode == Mode::isolated) {
    for (const auto& [z, atoms] : facts.atoms_of) {
      const auto atom = facts.isolated.find(z);
      if (atom == facts.isolated.end()) throw no_isolated_atom(z);
      result[z] = atom->second.first;
    }
    return result;
  }
  // Least squares of energies per atom over the frames; frames of one composition count with their mean.
  if (facts.by_composition.empty()) throw InputError("[reference_energies] mode = \"least_squares\" needs energies in the training data");
  std::vector<int> elements;
  for (const auto& [z, atoms] : facts.atoms_of) elements.push_back(z);
  Eigen::MatrixXd a(static_cast<Eigen::Index>(facts.by_composition.size()), static_cast<Eigen::Index>(elements.size()));
  Vector b(a.rows());
  Eigen::Index row = 0;
  for (const auto& [composition, sum] : facts.by_composition) {
    double atoms = 0;
    for (const auto& [z, n] : composition) atoms += n;
    const double weight = std::sqrt(static_cast<double>(sum.second)) / atoms;
    for (std::size_t e = 0; e < elements.size(); ++e) {
      const auto n = composition.find(elements[e]);
      a(row, static_cast<Eigen::Index>(e)) = n == composition.end() ? 0.0 : weight * n->second;
    }
    b[row++] = weight * sum.first / static_cast<double>(sum.second);
  }
  const Vector solution = a.completeOrthogonalDecomposition().solve(b);
  for (std::size_t e = 0; e < elements.size(); ++e) result[elements[e]] = solution[static_cast<Eigen::Index>(e)];
  return result;
}

// "Si-O" → {14, 8}
std::vector<int> elements_in(const std::string& combination) {
  std::vector<int> elements;
  for (std::size_t begin = 0; begin <= combination.size();) {
    const std::size_t end = std::min(combination.find('-', begin), combination.size());
    elements.push_back(atomic_number(combination.substr(begin, end - begin)));
    begin = end + 1;
  }
  return elements;
}

// Combinations of a term that the configuration asks for.
std::vector<std::vector<int>> combinations_of(const TermOptions& term, const std::vector<int>& elements) {
  const DescriptorKind& kind = descriptor_kind(term.descriptor);
  auto all = kind.combinations(elements);
  if (term.species.empty()) return all;
  std::vector<int> listed;  // plain elements: every combination of these
  std::map<std::vector<int>, std::string> named;
  for (const std::string& entry : term.species) {
    if (entry.find('-') == std::string::npos)
      listed.push_back(atomic_number(entry));
    else
      named[find_combination(kind, elements_in(entry))] = entry;
  }
  std::vector<std::vector<int>> result;
  std::set<std::vector<int>> used;
  for (const auto& species : all) {
    const bool in_list =
        std::all_of(species.begin(), species.end(), [&](int z) { return std::find(listed.begin(), listed.end(), z) != listed.end(); });
    const bool is_named = named.count(species) > 0;
    if (is_named) used.insert(species);
    if (in_list || is_named) result.push_back(species);
  }
  for (const auto& [species, name] : named)
    if (!used.count(species)) throw InputError("term '" + term.name + "': species '" + name + "' does not occur in the training data");
  for (const int z : listed)
    if (std::find(elements.begin(), elements.end(), z) == elements.end())
      throw InputError("term '" + term.name + "': element " + element_symbol(z) + " does not occur in the training data");
  return result;
}

}  // namespace

double TermDraft::delta() const {
  const auto found = options->species_delta.find(combination());
  return found == options->species_delta.end() ? options->delta : found->second;
}

double TermDraft::jitter(const FitOptions& fit) const {
  return fit.jitter_absolute ? *fit.jitter_absolute : fit.jitter * delta() * delta();
}

Term TermDraft::make_term(const std::vector<int>& elements, const Parameters& kernel_parameters) const {
  Term term;
  term.name = options->name;
  term.descriptor_name = options->descriptor;
  term.kernel_name = options->kernel;
  term.species = species;
  term.elements = elements;
  term.descriptor = descriptor;
  term.delta = delta();
  const KernelKind& kind = kernel_kind(options->kernel);
  const Parameters parameters = complete_parameters(kernel_parameters, kind.parameters, "term '" + options->name + "'");
  term.kernel = kernel_for(*descriptor, kind.name, parameters);
  return term;
}

int TermDraft::n_sparse() const {
  const auto found = options->species_n_sparse.find(combination());
  return found == options->species_n_sparse.end() ? options->n_sparse : found->second;
}

int TermDraft::sparse_points(std::int64_t environments) const {
  if (is_listed() || is_empty) return 0;
  if (options->selection == "all") return static_cast<int>(std::min<std::int64_t>(environments, std::numeric_limits<int>::max()));
  int sum = 0;
  for (const auto& [config_type, n] : options->config_type_n_sparse) sum += n;
  return n_sparse() + sum;
}

SparseSet TermDraft::read_listed_points(const std::string& file) const {
  SparseSet set;
  set.x = read_sparse_points(file, descriptor->size(), options->sparse_file_cutoffs ? &set.covariance_cutoff : nullptr);
  if (options->sparse_file_cutoffs) return set;
  set.covariance_cutoff.resize(set.x.rows());
  for (Eigen::Index i = 0; i < set.x.rows(); ++i)
    set.covariance_cutoff[i] = descriptor->covariance_cutoff({&set.x(i, 0), static_cast<std::size_t>(set.x.cols())});
  return set;
}

std::string DataScan::listed_file(const TermDraft& draft) const {
  const char* key = draft.options->selection == "file" ? "sparse_file" : "sparse_indices";
  const auto& files = draft.options->selection == "file" ? draft.options->sparse_file : draft.options->sparse_indices;
  if (const auto found = files.find(draft.combination()); found != files.end()) return found->second;
  const auto common = files.find("");
  if (common == files.end()) throw InputError("term '" + draft.options->name + "': " + key + " names no file for " + draft.combination());
  const auto combinations =
      std::count_if(drafts.begin(), drafts.end(), [&](const TermDraft& d) { return d.options == draft.options && !d.is_empty; });
  if (combinations > 1)
    throw InputError("term '" + draft.options->name + "' expands to " + std::to_string(combinations) + " combinations of elements: give " +
                     key + " as a table with a file for each, e.g. { " + draft.combination() + " = \"" + common->second + "\" }");
  return common->second;
}

std::int64_t FitPlan::rows() const {
  std::int64_t sum = 0;
  for (const GroupPlan& g : groups) sum += g.rows;
  return sum;
}

std::int64_t FitPlan::sparse_points() const {
  std::int64_t sum = 0;
  for (const TermPlan& t : terms) sum += t.sparse_points;
  return sum;
}

namespace {

// The drafts of all terms and combinations, with their entries in the plan.
void add_drafts(const FitOptions& options, const TrainingFacts& facts, const PlanWarning& warn, DataScan& scan) {
  FitPlan& plan = scan.plan;
  std::vector<TermDraft> drafts = drafts_of(options, plan.elements);
  auto draft_of_term = drafts.begin();
  for (std::size_t t = 0; t < options.terms.size(); ++t) {
    const TermOptions& term = options.terms[t];
    std::string empty;
    for (; draft_of_term != drafts.end() && draft_of_term->options == &term; ++draft_of_term) {
      TermDraft& draft = *draft_of_term;
      const auto& counts = facts.environments.at(t);
      if (const auto found = counts.find(draft.species); found != counts.end()) draft.count = found->second.sum;
      const bool has_points = term.selection == "file" && term.sparse_file.count(draft.combination()) > 0;
      draft.is_empty = draft.count.environments == 0 && !has_points;
      if (draft.is_empty) empty += (empty.empty() ? "" : ", ") + draft.combination();
      const std::int64_t count = draft.count.environments;
      const int asked = draft.sparse_points(count), most = static_cast<int>(std::min<std::int64_t>(asked, count));
      const int features = draft.descriptor->size();
      plan.terms.push_back({.label = term.name + " " + draft.combination(),
                            .features = features,
                            .rank = most_features(term, plan.elements.size(), features),
                            .candidates = count,
                            .asked = asked,
                            .sparse_points = most});
      scan.drafts.push_back(std::move(draft));
    }
    if (!empty.empty())
      warn("term '" + term.name + "' has no environment of " + empty +
           " in the training data: it gets no sparse points, and predictions warn where it occurs");
  }
  for (std::size_t t = 0; t < scan.drafts.size(); ++t) {
    const TermDraft& draft = scan.drafts[t];
    if (!draft.is_listed() || draft.is_empty) continue;
    const std::string file = scan.listed_file(draft);
    plan.terms[t].asked = plan.terms[t].sparse_points = draft.options->selection == "file"
                                                            ? static_cast<int>(draft.read_listed_points(file).size())
                                                            : static_cast<int>(read_sparse_indices(file).size());
  }
}

}  // namespace

std::vector<TermDraft> drafts_of(const FitOptions& options, const std::vector<int>& elements) {
  std::vector<TermDraft> drafts;
  for (const TermOptions& term : options.terms)
    for (const auto& species : combinations_of(term, elements)) {
      drafts.push_back({&term, species, descriptor_kind(term.descriptor).make(term.descriptor_parameters, species, elements)});
      check_channels(term, *drafts.back().descriptor, elements.size());
      check_functions(term, *drafts.back().descriptor, elements);
    }
  return drafts;
}

namespace {

bool is_derivative(const TargetInfo& target) {
  return target.functional == Functional::minus_gradient || target.functional == Functional::minus_strain_derivative;
}

std::string without_derivatives(const TermDraft& draft) {
  const std::string of_descriptor = draft.descriptor->without_derivatives();
  const TermOptions& term = *draft.options;
  if (!of_descriptor.empty() || term.length_scale_fraction || term.length_scale_root)
    return of_descriptor;  // the kernel is not complete yet, but smooth
  return kernel_kind(term.kernel).make(term.kernel_parameters)->without_derivatives();
}

// Descriptors and kernels that give energies only do not go with targets that are derivatives.
void check_derivatives(const DataScan& scan) {
  for (const FitPlan::GroupPlan& group : scan.plan.groups) {
    const TargetInfo& target = target_info(group.group.property);
    if (group.rows == 0 || !is_derivative(target)) continue;
    for (const TermDraft& draft : scan.drafts)
      if (const std::string reason = without_derivatives(draft); !reason.empty())
        throw InputError("term '" + draft.options->name + "' cannot be fitted to " + target.sources.front().plural + ": " + reason +
                         "; choose another one, or leave these targets out ([data] use)");
  }
}

}  // namespace

DataScan plan_of_facts(const FitOptions& options, const TrainingFacts& facts, const PlanWarning& warn) {
  DataScan scan;
  FitPlan& plan = scan.plan;
  plan.frames = facts.frames;
  plan.atoms = facts.atoms;
  plan.pairs = facts.pairs;
  plan.config_types = facts.config_types;
  plan.groups = facts.groups;
  if (plan.rows() == 0)
    throw InputError("the training data have no target that is used: no energy, forces or virial was found under the known names in " +
                     std::to_string(plan.frames) +
                     " frames; name the keys in [data] energy_key, forces_key, virial_key, "
                     "stress_key, or with --energy-key, --forces-key, --virial-key, --stress-key");
  for (const auto& [z, atoms] : facts.atoms_of) plan.elements.push_back(z);
  plan.reference_energies = reference_energies(options, facts);
  scan.data_fingerprint = std::to_string(facts.checksum.value());
  scan.shortest_distances = facts.shortest_distances;
  std::vector<std::string> config_types;
  for (const auto& [name, frames] : plan.config_types) config_types.push_back(name);
  for (const TermOptions& term : options.terms) check_quotas(term, config_types);
  add_drafts(options, facts, warn, scan);
  check_derivatives(scan);
  estimate_cost(options, scan);
  if (plan.memory_bytes > options.memory * 1e9)
    throw InputError("the fit needs about " + std::to_string(plan.memory_bytes / 1e9) + " GB, more than the " +
                     std::to_string(options.memory) +
                     " GB allowed; allow more with --memory, or reduce n_sparse, max_candidates or the config types with their own sigma");
  return scan;
}

DataScan scan_frames(const Dataset& training, const FitOptions& options, const ProgressCallback& progress) {
  TrainingFacts facts(options);
  EarlyCandidates candidates(options);
  training.visit([&](const Structure& s, const FramePlace& place) {
    const StructureEnvironments environments(s, facts.cutoff());
    facts.add(s, environments);
    candidates.add(s, environments.view(), place.number);
    if (progress) progress({.phase = "scan", .done = static_cast<double>(facts.frames), .unit = "frames"});
  });
  DataScan scan = plan_of_facts(options, facts, [](const std::string&) {});
  scan.candidates = candidates.take(scan);
  return scan;
}

void check_single_atoms(const Dataset& training, const FitOptions& options) {
  // Elements of frames that are set aside need none.
  if (options.reference_energies.mode != ReferenceEnergyOptions::Mode::isolated ||
      options.calibration.source == CalibrationOptions::Source::holdout)
    return;
  const DatasetSummary summary = training.summary();
  std::set<int> all, single;
  for (const DatasetSummary::Frame& frame : summary.frames) {
    const std::vector<int>& elements = summary.element_sets.at(static_cast<std::size_t>(frame.elements));
    all.insert(elements.begin(), elements.end());
    if (frame.atoms == 1) single.insert(elements.begin(), elements.end());
  }
  for (const int z : all)
    if (!single.count(z)) throw no_isolated_atom(z);
}

}  // namespace gapkit
