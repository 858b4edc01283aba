#pragma once

#include <gapkit/fit/dataset.hpp>
#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// A fitted model with the statistics that it was solved from.
struct FittedModel {
  Model model;
  StoredStatistics stored;
};

/// New noise levels and amplitudes for a model.
struct RefitOptions {
  struct Sigma {
    Property property = Property::energy;
    std::string config_class;  ///< empty: the default class
    double sigma = 0;
  };
  std::vector<Sigma> sigma;
  std::map<std::string, double> delta;  ///< eV, by the name of the [[term]]
  OptimizeOptions optimize;             ///< from there on; classes, folds and fold are ignored: they belong to the pass over the data
};

/// Solves again for other σ and δ, without the data. Others keep their values; a calibration of the error bars is dropped if a σ or δ
/// changes.
/// Throws InputError for a class, property or term that the model does not have.
OptimizationReport refit(FittedModel& fitted, const RefitOptions& options, const ProgressCallback& progress = {});

/// Adds the frames of more data, with the model's sparse points, reference energies and σ: equal to a fit to all data with these.
/// If the statistics are in folds, each config type of the new frames is cut into as many. Returns the number of frames. Two passes
/// over them, one frame in memory at a time. A calibration is kept: it relates errors to error bars at these σ and δ, and error bars
/// shrink with the added data. Throws InputError for an element that the model does not know.
/// With `findings`, the labels of the new frames are compared with predictions as in a fit (FitReport::findings), which costs two more
/// solutions.
std::int64_t append(FittedModel& fitted, const Dataset& data, const ProgressCallback& progress = {},
                    std::vector<CheckFinding>* findings = nullptr);

/// Whether the calibration of a model's error bars is a cautious one (CalibrationOptions::cautious).
bool is_cautious(const Model& model);

struct RecalibrationOptions {
  bool cautious = false;  ///< CalibrationOptions::cautious
  double memory = 4;      ///< GB, for rows that are kept: fewer are computed twice
};

/// Calibrates the error bars anew by leaving structures out (CalibrationOptions::Source::leave_one_out).
/// `data`: all that the model was fitted to, in this order. Two passes at most. Throws InputError for other data or another order.
void recalibrate(FittedModel& fitted, const Dataset& data, const RecalibrationOptions& how = {}, const ProgressCallback& progress = {});

/// Adds the statistics of another model with the same sparse points, reference energies and scales; σ and δ stay those of `fitted`, groups
/// that only `other` has bring their own. A calibration is dropped. Throws InputError if the models differ in these, or if both were fitted
/// to the same data.
void merge(FittedModel& fitted, const FittedModel& other);

}  // namespace gapkit
