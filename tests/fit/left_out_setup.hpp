#pragma once

#include "calibration_setup.hpp"
#include "fit/accumulate.hpp"
#include "fit/left_out_structures.hpp"

namespace gapkit::test {

/// Structures of two elements with forces that the model cannot follow, fitted with SOAP, whose points belong to structures.
struct LeftOutSetup : CalibrationSetup {
  LeftOutSetup() {
    options.terms = {small_soap(2, 2, 3, 12)};
    options.calibration = {.source = CalibrationOptions::Source::leave_one_out, .fewest_structures = 5};
  }
  FileDataset data() const { return FileDataset(options.train); }
};

inline std::vector<KeptRows> rows_of(const FitResult& fitted, const Dataset& data, bool is_exact) {
  std::vector<KeptRows> result;
  const Regularization regularization(fitted.statistics->rules);
  const RowSink sink{.wants = [](std::int64_t) { return true; },
                     .take =
                         [&](std::vector<KeptRows> structures) {
                           for (KeptRows& structure : structures) result.push_back(std::move(structure));
                         },
                     .is_exact = is_exact,
                     .is_only = true};
  accumulate(data,
             {.model = fitted.model, .regularization = regularization, .folds = FoldAssigner({}, {}, 0), .fingerprint = "", .sink = sink},
             {}, [](double) {});
  return result;
}

/// A fit to all structures but one, with the sparse points that do not belong to it.
inline FitResult refit_without(const LeftOutSetup& setup, const Model& model, std::int64_t number) {
  const FileDataset data = setup.data();
  const DatasetView others = DatasetView::without(data, {number});
  FitConfiguration options = setup.options;
  options.calibration.source = CalibrationOptions::Source::none;
  FitData fit_data{others};
  for (const Term& term : model.terms) {
    SparseSet kept;
    std::vector<Eigen::Index> rows;
    for (Eigen::Index m = 0; m < term.sparse.size(); ++m)
      if (term.sparse.origin.empty() || term.sparse.origin[static_cast<std::size_t>(m)].frame != number) rows.push_back(m);
    kept.x = term.sparse.x(rows, Eigen::all);
    kept.covariance_cutoff = term.sparse.covariance_cutoff(rows);
    for (const Eigen::Index m : term.sparse.origin.empty() ? std::vector<Eigen::Index>() : rows)
      kept.origin.push_back(term.sparse.origin[static_cast<std::size_t>(m)]);
    for (TermOptions& of_term : options.terms)
      if (of_term.name == term.name) of_term.species_n_sparse[combination_name(term.species)] = static_cast<int>(rows.size());
    fit_data.kept_points[term.label()] = kept;
  }
  return fit(fit_data, options);
}

inline std::vector<std::int64_t> all_numbers(const Dataset& data) {
  std::vector<std::int64_t> result;
  for (const DatasetSummary::Frame& frame : data.summary().frames) result.push_back(frame.number);
  return result;
}

}  // namespace gapkit::test
