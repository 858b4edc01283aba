#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <gapkit/config/config.hpp>
#include <gapkit/config/whole_fit.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/fit_plans.hpp>
#include <gapkit/io/look_alikes.hpp>

#include "config/automatic_long_range.hpp"
#include "config/automatic_networks.hpp"
#include "config/automatic_terms.hpp"

namespace gapkit {
namespace {

constexpr double largest_radius = 7.0, radius_step = 0.1;            // Å
constexpr std::int64_t most_atoms_measured = 20000;                  // for the radial distribution
constexpr double wanted_neighbors = 30, wanted_of_one_element = 34;  // more lowers errors of forces, and costs speed (docs/accuracy.md)
constexpr double molecular_cutoff = 4.5, smallest_cutoff = 3.5, largest_cutoff_chosen = 6.0;  // Å
// σ over that of forces, Å. Energies are few, and single structures make most of the squares of their errors: left-out folds do not tell
// a good σ of energies from one that is too large, which costs up to a third of their accuracy. Below 0.05 Å forces lose more than
// energies gain (docs/accuracy.md).
constexpr double energy_per_force = 0.05, virial_per_force = 1.4;
constexpr double part_of_networks = 0.15;  // of the time of a fit, to try kernels of networks
// Below both, fits to a sample take a large part of the time.
constexpr std::int64_t fewest_frames_of_networks = 1000, fewest_atoms_of_networks = 50'000;
constexpr int fewest_points = 50, most_points = 2000;  // of SOAP, per element

/// Sparse points of SOAP by element: a fraction of the environments, larger for few environments, between bounds. `factor` below 1 reduces
/// them where time or memory is short.
void set_points(TermOptions& soap, const DataSummary& data, double factor) {
  const double cap = data.is_molecular() ? most_points / 4 : most_points;
  soap.species_n_sparse.clear();
  int most = 0;
  for (const auto& [z, atoms] : data.atoms_of) {
    const auto environments = static_cast<double>(atoms);
    const double wanted = data.is_molecular() ? 0.15 * environments : std::max(0.25 * environments, std::min(0.55 * environments, 1000.0));
    const int points = std::max(fewest_points, static_cast<int>(factor * std::min(cap, wanted)));
    soap.species_n_sparse[element_symbol(z)] = points;
    most = std::max(most, points);
  }
  soap.n_sparse = most;
  if (soap.species_n_sparse.size() == 1) soap.species_n_sparse.clear();
}

std::string listed(const std::map<int, std::int64_t>& atoms_of) {
  std::string text;
  for (const auto& [z, atoms] : atoms_of) text += fmt::format("{}{}", text.empty() ? "" : ", ", element_symbol(z));
  return text;
}

std::string points_text(const TermOptions& soap) {
  if (soap.species_n_sparse.empty()) return std::to_string(soap.n_sparse);
  std::string text;
  for (const auto& [name, points] : soap.species_n_sparse) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, points);
  return text;
}

/// Makes one choice after the other; each adds its reason.
class Chooser {
 public:
  Chooser(const FitData& given, const AutomaticRequest& request, const DataSummary& data, const Stopwatch& stopwatch,
          const ProgressCallback& progress)
      : given_(given), request_(request), data_(data), stopwatch_(stopwatch), progress_(progress), molecular_(data.is_molecular()) {}

  AutomaticChoice choose() {
    take_over_request();
    choose_targets();
    choose_reference_energies();
    choose_terms();
    choose_sigmas();
    choose_long_range_of_data();
    choose_points();
    return std::move(choice_);
  }

 private:
  void say(const std::string& reason) { choice_.reasons.push_back(reason); }

  void take_over_request() {
    options_.train = absolute_paths(request_.train);
    options_.validation = absolute_paths(request_.validation);
    options_.model_path = request_.model_path;
    options_.seed = request_.seed;
    options_.memory = request_.memory;
    options_.keys = request_.keys;
  }

  /// Targets that are named but missing, or seem to be lost, are used: the fit reports them.
  void choose_targets() {
    options_.use[Property::energy] = data_.energies > 0;
    options_.use[Property::force] = data_.forces > 0 || data_.lost_forces;
    options_.use[Property::virial] = data_.virials > 0 || data_.lost_virial;
    for (const TargetInfo& target : targets()) options_.use[target.property] |= options_.keys.names_any(target);
    say(fmt::format("data: {} frames, {} atoms of {}, {}; fitted: {}{}{}", data_.frames, data_.atoms, listed(data_.atoms_of),
                    molecular_ ? "molecules" : "solids or liquids", data_.energies > 0 ? "energies " : "",
                    data_.forces > 0 ? "forces " : "", data_.virials > 0 ? "virials" : ""));
    for (const TargetInfo& target : targets())
      if (data_.not_of_base[target.property] > 0)
        say(fmt::format("warning: {} frames have {}, but the base has none to subtract: they are not fitted",
                        data_.not_of_base[target.property], target.sources.front().plural));
  }

  void choose_reference_energies() {
    ReferenceEnergyOptions& reference = options_.reference_energies;
    if (!options_.use[Property::energy]) {
      reference.mode = ReferenceEnergyOptions::Mode::explicit_values;
      for (const auto& [z, atoms] : data_.atoms_of) reference.values[element_symbol(z)] = 0;
      say(fmt::format(
          "warning: no frame has an energy (keys energy, REF_energy, ...): only {} are fitted, which leave the zero of energy open",
          options_.use[Property::virial] ? "forces and virials" : "forces"));
      return;
    }
    const bool has_isolated =
        std::all_of(data_.atoms_of.begin(), data_.atoms_of.end(), [&](const auto& entry) { return data_.isolated.count(entry.first) > 0; });
    reference.mode = has_isolated ? ReferenceEnergyOptions::Mode::isolated : ReferenceEnergyOptions::Mode::least_squares;
    say(has_isolated ? "reference energies: of the isolated atoms in the data"
                     : "reference energies: by least squares, as the data lack isolated atoms of some element");
  }

  void choose_terms() {
    const double cutoff = choose_cutoff(data_);
    say(molecular_ ? fmt::format("cutoffs: pairs 6 Å, triplets 3 Å, SOAP {:.1f} Å, usual for molecules", cutoff)
                   : fmt::format("cutoff: {:.1f} Å, with {:.0f} neighbours on average{} (nearest at {:.2f} Å)", cutoff,
                                 data_.neighbors_within(cutoff), data_.atoms_of.size() > 1 ? ", between the shells of neighbours" : "",
                                 data_.nearest));
    options_.terms.push_back(pair_term(molecular_, cutoff));
    if (molecular_ && data_.atoms_of.size() <= 4) options_.terms.push_back(triplet_term());
    options_.terms.push_back(soap_term(molecular_, cutoff, data_.atoms_of.size()));
    const std::string against = reason_against_metric(data_);
    if (against.empty()) {
      // SOAP stays the last term.
      if (molecular_) options_.terms.insert(options_.terms.end() - 1, full_term(options_.terms.back()));
      learn_metric(options_.terms.back(), data_.atoms_of.size());
    }
    std::string terms;
    for (const TermOptions& t : options_.terms) terms += (terms.empty() ? "" : " + ") + t.name;
    const TermOptions& soap = options_.terms.back();
    const std::int64_t channels = soap.descriptor_parameters.integer("channels");
    say(fmt::format("terms: {} (n_max {}, l_max {}{}, zeta 4)", terms, soap.descriptor_parameters.integer("n_max"),
                    soap.descriptor_parameters.integer("l_max"), channels > 0 ? fmt::format(", {} channels", channels) : ""));
    say(against.empty()
            ? fmt::format("features of SOAP: {} for each element, by a metric that a first fit to half of the structures learns{}",
                          soap.compression.rank, molecular_ ? "; soap_full: all features, with few points" : "")
            : "features of SOAP: all; " + against);
  }

  void choose_sigmas() {
    // Large forces have large errors. These values are the start of the search.
    SigmaOptions& sigma = options_.regularization.standard;
    sigma[Property::force] = (molecular_ ? 0.01 : 0.08) * std::max(data_.force_rms, 0.1);
    sigma[Property::energy] = molecular_ ? 0.0002 : 0.002;
    sigma[Property::virial] = 0.1;
    const bool by_forces = !molecular_ && options_.use[Property::force] && 2 * data_.forces >= data_.frames - data_.single_atoms;
    if (by_forces) {
      sigma[Property::energy] = energy_per_force * sigma[Property::force];
      sigma[Property::virial] = virial_per_force * sigma[Property::force];
    }
    if (data_.frames - data_.single_atoms < 2) {
      say("sigma and delta: as usual for such data, because one structure cannot be divided into folds");
      return;
    }
    options_.optimize.objective = OptimizeOptions::Objective::cross_validation;
    options_.optimize.folds = 5;
    options_.optimize.delta = false;
    options_.optimize.max_factor = 30;
    options_.optimize.max_evaluations = 40;  // usually 20 to 25; the bound makes the time predictable
    if (by_forces) options_.optimize.weights[Property::energy] = options_.optimize.weights[Property::virial] = 0;
    say(fmt::format("sigma: by cross-validation in five folds{}; ratios of delta as usual for such data",
                    by_forces ? fmt::format(" of the forces, energies {} Å times that of forces{}", energy_per_force,
                                            data_.virials > 0 ? fmt::format(", virials {} Å", virial_per_force) : "")
                    : options_.use[Property::energy] && options_.use[Property::force] ? ", energies and forces with equal weight"
                                                                                      : ""));
  }

  /// Tries what the data suggest; a fit shows the same comparison once more.
  void choose_long_range_of_data() {
    if (options_.keys.base.is_used() || !options_.use[Property::energy]) return;
    const Stopwatch of_trial;
    set_points(options_.terms.back(), data_, 1);
    choose_long_range(given_, data_, molecular_ ? molecular_cutoff : choose_cutoff(data_), options_, choice_.reasons, progress_);
    const bool has_long_range = !options_.baselines.empty();
    long_range_seconds_ = has_long_range ? of_trial.seconds() : 0;
  }

  void choose_points() {
    const double factor = fit_points_to_limits();
    choose_network_of_data();
    say(fmt::format("sparse points of {}: {}{}; {:.0f} s estimated, {:.0f} s allowed",
                    options_.terms.back().descriptor == "soap" ? "SOAP" : "symmetry functions", points_text(options_.terms.back()),
                    factor < 1 ? ", fewer than usual for lack of time or memory" : ", usual for this number of environments",
                    choice_.seconds, request_.seconds));
    say("error bars: calibrated with errors of structures that are left out of the fit one by one");
  }

  /// Tries kernels of networks where this takes a small part of the time of the fit.
  void choose_network_of_data() {
    if (options_.optimize.folds == 0) return;
    if (data_.frames < fewest_frames_of_networks && data_.atoms < fewest_atoms_of_networks) {
      say("kernels of networks: not tried, as the data are so few that this would take a large part of the time; --tune tries them");
      return;
    }
    const Stopwatch of_trial;
    const double left = std::max(0.0, request_.seconds - choice_.seconds), of_fit = choice_.seconds - stopwatch_.seconds();
    choose_network(given_, data_, std::min(left, part_of_networks * of_fit), options_, choice_.reasons, progress_);
    choice_.seconds += of_trial.seconds();
  }

  /// Sets as many sparse points, up to the usual number, as time and memory allow. Returns their fraction of the usual number.
  double fit_points_to_limits() {
    FitConfiguration planned = options_;
    planned.memory = 1e6;  // for the estimate; the limit is checked here
    set_points(planned.terms.back(), data_, 1);
    const FitPlans plans(given_, planned);
    double factor = 1;
    for (int attempt = 0; attempt < 12; ++attempt, factor *= 0.8) {
      set_points(planned.terms.back(), data_, factor);
      const FitPlan plan = plans.plan(planned.terms);
      estimate(plan);
      if (choice_.seconds <= request_.seconds && plan.memory_bytes < request_.memory * 1e9) break;
    }
    options_.terms.back() = planned.terms.back();
    return factor;
  }

  void estimate(const FitPlan& plan) {
    choice_.seconds = stopwatch_.seconds() + whole_fit_seconds(options_, plan).of_rounds(1) + long_range_seconds_;
  }

  const FitData& given_;
  const AutomaticRequest& request_;
  const DataSummary& data_;
  const Stopwatch& stopwatch_;
  const ProgressCallback& progress_;
  bool molecular_;
  double long_range_seconds_ = 0;  // of the comparison after the fit
  AutomaticChoice choice_;
  FitConfiguration& options_ = choice_.options;
};

/// Throws InputError if the data have neither energies nor forces, or seem to have them under names that are not known.
void check_targets(const FitData& given, const AutomaticRequest& request, const DataSummary& data) {
  const bool has_neither = data.energies + data.forces == 0;
  if (data.lost_energy || data.forces_of_atoms_only || (has_neither && data.lost_forces))
    throw InputError(
        given.train.parts().front() + ": " + data.lost_targets +
        (data.lost_energy ? " of a configuration (docs/configuration.md): without one, all targets that are found are fitted" : ""));
  if (has_neither && request.keys.named("energy").empty() && request.keys.named("forces").empty())
    throw InputError(given.train.parts().front() +
                     ": the frames have neither energies nor forces under a known name (energy, forces, ...); name the keys "
                     "with --energy-key and --forces-key, or in a configuration ([data] energy_key, forces_key)");
}

}  // namespace

bool DataSummary::is_molecular() const {
  return periodic == 0 || neighbors_within(6.0) < 20;
}

double DataSummary::neighbors_within(double radius) const {
  if (neighbors.empty()) return 0;
  return neighbors[std::min(neighbors.size() - 1, static_cast<std::size_t>(std::lround(radius / radius_step)))];
}

DataSummary summarize_data(const Dataset& train, const TargetKeys& keys, const ProgressCallback& progress) {
  DataSummary data;
  LookAlikes look_alikes(keys);
  const auto bins = static_cast<std::size_t>(std::lround(largest_radius / radius_step)) + 1;
  std::vector<double> counts(bins, 0.0), nearest;
  double force_square = 0, force_count = 0;
  std::int64_t measured = 0;
  PerTarget<bool> of_base;
  for (const TargetInfo& target : targets()) of_base[target.property] = keys.use[target.property] && keys.base.has(target);
  train.visit([&](const Structure& given, const FramePlace&) {
    ++data.frames;
    look_alikes.add(given);
    Structure s = given;
    subtract_base(s, keys.base, of_base);  // what is to be learned; targets that the base does not give are not
    if (keys.base.is_used())
      for (const TargetInfo& target : targets())
        data.not_of_base[target.property] += !of_base[target.property] && !target.rows(given).empty();
    data.atoms += s.size();
    data.energies += s.energy.has_value();
    data.forces += s.forces.has_value();
    data.virials += s.virial.has_value();
    const bool is_periodic = s.cell && (s.pbc[0] || s.pbc[1] || s.pbc[2]);
    data.periodic += is_periodic;
    for (const int z : s.atomic_numbers) ++data.atoms_of[z];
    note_long_range(s, data);
    if (s.forces) {
      force_square += s.forces->squaredNorm();
      force_count += static_cast<double>(s.forces->size());
    }
    if (s.size() == 1 || measured < most_atoms_measured) {
      const NeighborList list(s, largest_radius);
      if (s.size() == 1 && list.pair_count() == 0) {
        ++data.single_atoms;
        if (s.energy) data.isolated.emplace(s.atomic_numbers[0], *s.energy);
      } else {
        measured += s.size();
        for (std::size_t i = 0; i < static_cast<std::size_t>(s.size()); ++i) {
          double closest = largest_radius;
          for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) {
            const double d = list.distance()[p];
            closest = std::min(closest, d);
            counts[std::min(bins - 1, static_cast<std::size_t>(std::ceil(d / radius_step)))] += 1;
          }
          nearest.push_back(closest);
        }
      }
    }
    if (progress) progress({.phase = "look at the data", .done = static_cast<double>(data.frames), .unit = "frames"});
  });
  double sum = 0;
  for (const double count : counts) {
    sum += count;
    data.neighbors.push_back(measured > 0 ? sum / static_cast<double>(measured) : 0);
  }
  if (!nearest.empty()) {
    const auto middle = nearest.begin() + static_cast<std::ptrdiff_t>(nearest.size() / 2);
    std::nth_element(nearest.begin(), middle, nearest.end());
    data.nearest = *middle;
  }
  if (force_count > 0) data.force_rms = std::sqrt(force_square / force_count);
  const std::vector<Property> lost = look_alikes.lost();
  data.lost_energy = look_alikes.is_lost(Property::energy);
  data.lost_forces = look_alikes.is_lost(Property::force);
  data.lost_virial = look_alikes.is_lost(Property::virial);
  data.forces_of_atoms_only = look_alikes.has_atoms_only(Property::force);
  if (!lost.empty()) data.lost_targets = look_alikes.lost_sentence(lost);
  if (look_alikes.lacks_energy() && look_alikes.has_unknown_scalar()) {
    data.lost_energy = true;
    data.lost_targets = look_alikes.no_energy_sentence() + (lost.empty() ? "" : "; " + data.lost_targets);
  }
  return data;
}

double choose_cutoff(const DataSummary& data) {
  if (data.is_molecular()) return molecular_cutoff;
  const bool has_one_element = data.atoms_of.size() == 1;
  const double count = has_one_element ? wanted_of_one_element : wanted_neighbors;
  std::size_t wanted = 0;
  while (wanted + 1 < data.neighbors.size() && data.neighbors[wanted] < count) ++wanted;
  const auto bin_of = [](double radius) { return static_cast<std::size_t>(std::lround(radius / radius_step)); };
  wanted = std::clamp(wanted, bin_of(smallest_cutoff), bin_of(largest_cutoff_chosen));
  if (has_one_element) return static_cast<double>(wanted) * radius_step;  // the radial weight makes a shell at the cutoff harmless
  // Atoms in a shell of three steps, relative to its volume.
  const auto density = [&](std::size_t i) {
    const double radius = static_cast<double>(i) * radius_step;
    return (data.neighbors[i + 1] - data.neighbors[i - 2]) / (radius * radius);
  };
  std::size_t best = wanted;
  for (std::size_t i = wanted - 3; i <= wanted + 3; ++i)
    if (density(i) < 0.95 * density(best)) best = i;
  return static_cast<double>(best) * radius_step;
}

std::vector<std::string> absolute_paths(const std::vector<std::string>& files) {
  std::vector<std::string> result;
  for (const std::string& file : files) result.push_back(std::filesystem::absolute(file).lexically_normal().string());
  return result;
}

AutomaticChoice choose_fit_options(const FitData& given, const AutomaticRequest& request, const ProgressCallback& progress) {
  const Stopwatch stopwatch;
  const DataSummary data = summarize_data(given.train, request.keys, progress);
  check_targets(given, request, data);
  return Chooser(given, request, data, stopwatch, progress).choose();
}

}  // namespace gapkit
