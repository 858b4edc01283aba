#include "fit/checkpoint_key.hpp"

#include <gapkit/core/version.hpp>
#include <gapkit/io/checksum.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/sparsify/selection.hpp>

namespace gapkit {
namespace {

/// Adds values of any kind, containers with their lengths, so that neighbouring entries cannot be confused.
struct Key {
  Checksum sum;

  void add(std::string_view text) { sum.add(text); }
  void add(const std::string& text) { sum.add(std::string_view(text)); }
  void add(double number) { sum.add(number); }
  template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
  void add(T number) { sum.add(static_cast<std::uint64_t>(number)); }
  void add(const Parameters& parameters) { add(parameters_to_json(parameters)); }
  void add(const EnvironmentOrigin& origin) { all(origin.frame, origin.atom, origin.ordinal); }
  void add(const SparseSet& set) { all(set.x, set.covariance_cutoff, set.origin); }
  void add(const PotentialPointer& baseline) {
    all(baseline->name(), baseline->parameters());
    if (const FieldDependence* dependence = field_dependence(*baseline); dependence && dependence->field())
      add(dependence->field()->fingerprint());
  }
  template <class Derived>
  void add(const Eigen::PlainObjectBase<Derived>& matrix) {
    all(matrix.rows(), matrix.cols());
    for (Eigen::Index i = 0; i < matrix.size(); ++i) add(matrix.data()[i]);
  }
  template <class T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  template <class T>
  void add(const std::vector<T>& list) {
    add(list.size());
    for (const T& item : list) add(item);
  }
  template <class Name, class T>
  void add(const std::map<Name, T>& entries) {
    add(entries.size());
    for (const auto& [name, value] : entries) all(name, value);
  }
  template <class... T>
  void all(const T&... values) {
    (add(values), ...);
  }
};

// Each list names all members in their order: a new member is a compiler error here, until it is decided whether the sums depend on it.

void add_term(Key& key, const TermOptions& term) {
  const auto& [name, descriptor, descriptor_parameters, kernel, kernel_parameters, length_scale_fraction, length_scale_root,
               input_scale_over_size, species, delta, species_delta, n_sparse, species_n_sparse, config_type_n_sparse, selection,
               max_candidates, sparse_file, sparse_file_cutoffs, sparse_indices, compression] = term;
  const auto& [kind, rank, floor] = compression;
  key.all(name, descriptor, descriptor_parameters, kernel, kernel_parameters, length_scale_fraction, length_scale_root,
          input_scale_over_size, species, delta, species_delta, n_sparse, species_n_sparse, config_type_n_sparse, selection, max_candidates,
          sparse_file_cutoffs, kind, rank, floor);
  for (const auto* files : {&sparse_file, &sparse_indices})  // contents: add_listed_points
    for (const auto& [combination, file] : *files) key.add(combination);
}

void add_optimize(Key& key, const OptimizeOptions& options) {
  const auto& [objective, sigma, delta, classes, max_factor, min_rows, max_evaluations, folds, fold, leaves_out_unlearned, weights, start] =
      options;
  key.all(classes, folds);
  if (folds > 1) key.all(fold, leaves_out_unlearned);
  key.add(objective == OptimizeOptions::Objective::vfe);  // the sums then hold prior variances too
}

void add_regularization(Key& key, const RegularizationOptions& options) {
  const auto& [standard, config_type, scale_with_atoms] = options;
  key.add(config_type.size());
  for (const auto& [name, sigma] : config_type) key.add(name);
  key.add(scale_with_atoms);
}

void add_options(Key& key, const FitOptions& options, const std::vector<std::int64_t>& held_out,
                 const std::map<std::string, SparseSet>& kept_points) {
  const auto& [field, use, keys, reference_energies, baselines, terms, regularization, optimize, calibration, properties, tensors] =
      static_cast<const Problem&>(options);
  const auto& [jitter, jitter_absolute, seed, memory] = static_cast<const Numerics&>(options);
  for (const bool is_used : use) key.add(is_used);
  key.all(baselines, jitter, jitter_absolute, kept_points, held_out, seed);
  key.add(terms.size());
  for (const TermOptions& term : terms) add_term(key, term);
  add_regularization(key, regularization);
  add_optimize(key, optimize);
}

// The contents of files with sparse points.
void add_listed_points(Key& key, const DataScan& scan) {
  for (const TermDraft& draft : scan.drafts) {
    if (draft.is_empty || !draft.is_listed()) continue;
    const std::string file = scan.listed_file(draft);
    if (draft.options->selection == "file")
      key.add(draft.read_listed_points(file));
    else
      key.add(read_sparse_indices(file));
  }
}

}  // namespace

std::string checkpoint_key(const FitOptions& options, const DataScan& scan, const std::vector<std::int64_t>& held_out,
                           const std::map<std::string, SparseSet>& kept_points) {
  Key key;
  key.all(std::string_view(version), scan.data_fingerprint, scan.plan.reference_energies);
  add_options(key, options, held_out, kept_points);
  add_listed_points(key, scan);
  return std::to_string(key.sum.value());
}

}  // namespace gapkit
