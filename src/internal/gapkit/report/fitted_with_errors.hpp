#pragma once

#include <gapkit/fit/fit.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/property_table.hpp>
#include <gapkit/report/report_pages.hpp>
#include <gapkit/report/tensor_table.hpp>
#include <memory>

namespace gapkit {

/// What else gets the predictions, if it is given: all of them, and errors of local properties and tensors.
struct FieldTables {
  PredictionRecord* record = nullptr;
  PropertyTable* properties = nullptr;
  TensorTable* tensors = nullptr;
  bool has_tensor_bars = false;  ///< with their error bars
};

/// Errors of a model on data. `progress` gets an event of `phase` for each frame (phase.total: their number, 0 if it is not known).
ErrorTable errors_of(const std::shared_ptr<const Model>& model, const Dataset& data, const ProgressEvent& phase,
                     const ProgressCallback& progress, const FieldTables& fields = {});

/// A fitted model with its errors on training and validation data, which its notes hold, as they hold the names of the targets, where the
/// sparse points come from and how σ and δ were found.
struct FittedWithErrors {
  std::shared_ptr<Model> model;
  PredictionRecord training_record, validation_record;  ///< of all frames
  PropertyTable training_properties, validation_properties;
  TensorTable training_tensors, validation_tensors;
  ErrorTable training, validation;

  /// Takes the model out of `result`. `keys`: the names that the targets were found by. `keep_values`: of the records.
  FittedWithErrors(const FitData& data, const TargetKeys& keys, FitResult& result, bool keep_values, const ProgressCallback& progress);
};

}  // namespace gapkit
