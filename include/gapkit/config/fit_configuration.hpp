#pragma once

#include <gapkit/fit/check.hpp>
#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// A whole configuration: options of the fit, and the files that a program reads and writes.
struct FitConfiguration : FitOptions {
  std::vector<std::string> train, validation;
  std::string model_path = "model.h5";
  bool keep_statistics = false;     ///< the model file holds the statistics, which refit(), append() and merge() work on
  std::string sparse_output;        ///< prefix of files with the chosen environments; empty: none
  std::string checkpoint_path;      ///< see FitRun
  double checkpoint_interval = 60;  ///< s
};

/// fit() of these data as the configuration says, which the model remembers: with checkpoints and files of sparse points. The result has
/// statistics only if they are to be kept.
FitResult fit_configured(const FitData& data, const FitConfiguration& configuration, const ProgressCallback& progress = {});

/// The same with the files that the configuration names; so with the plan and the examination.
FitResult fit(const FitConfiguration& configuration, const ProgressCallback& progress = {});
FitPlan plan_fit(const FitConfiguration& configuration, const ProgressCallback& progress = {});
CheckReport check_training_data(const FitConfiguration& configuration, const ProgressCallback& progress = {});

}  // namespace gapkit
