#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Plans of fits to the same data that differ in numbers of sparse points, after one pass over the data.
class FitPlans {
 public:
  /// Examines all data. Throws InputError with the first error and the number of further ones.
  FitPlans(const FitData& data, FitOptions options);
  ~FitPlans();

  /// `terms`: those of the options with other numbers of sparse points. Throws InputError as plan_fit() does.
  FitPlan plan(const std::vector<TermOptions>& terms) const;

 private:
  struct Facts;
  FitOptions options_;
  std::unique_ptr<const Facts> facts_;
};

}  // namespace gapkit
