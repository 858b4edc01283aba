#include <gapkit/fit/fit_plans.hpp>

#include "fit/data_scan.hpp"
#include "fit/training_facts.hpp"

namespace gapkit {

struct FitPlans::Facts {
  TrainingFacts training;
};

FitPlans::FitPlans(const FitData& data, FitOptions options)
    : options_(std::move(options)), facts_(new Facts{facts_of_training_data(data, options_)}) {}

FitPlans::~FitPlans() = default;

FitPlan FitPlans::plan(const std::vector<TermOptions>& terms) const {
  FitOptions options = options_;
  options.terms = terms;
  return plan_of_facts(options, facts_->training, [](const std::string&) {}).plan;
}

}  // namespace gapkit
