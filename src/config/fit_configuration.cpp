#include <gapkit/config/config.hpp>
#include <gapkit/fit/sparse_points.hpp>

namespace gapkit {
namespace {

FitFiles files_of(const FitConfiguration& configuration) {
  return {configuration.train, configuration.validation, configuration.used_keys()};
}

}  // namespace

FitResult fit_configured(const FitData& data, const FitConfiguration& configuration, const ProgressCallback& progress) {
  FitRun run{
      .progress = progress, .checkpoint_path = configuration.checkpoint_path, .checkpoint_interval = configuration.checkpoint_interval};
  if (!configuration.sparse_output.empty())
    run.chosen = [&](const Term& term, const std::vector<std::int64_t>& environments) {
      write_sparse_points(configuration.sparse_output, term, environments);
    };
  FitResult result = fit(data, configuration, run);
  result.model.configuration = fit_options_to_toml(configuration);
  if (!configuration.keep_statistics) result.statistics.reset();
  return result;
}

FitResult fit(const FitConfiguration& configuration, const ProgressCallback& progress) {
  return fit_configured(files_of(configuration).data(), configuration, progress);
}

FitPlan plan_fit(const FitConfiguration& configuration, const ProgressCallback& progress) {
  return plan_fit(files_of(configuration).data(), configuration, progress);
}

CheckReport check_training_data(const FitConfiguration& configuration, const ProgressCallback& progress) {
  return check_training_data(files_of(configuration).data(), configuration, progress);
}

}  // namespace gapkit
