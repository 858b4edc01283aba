#pragma once

#include <gapkit/config/config.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit::apps {

/// The output of gap-fit --check: counts per config type, keys, the plan, findings, and their numbers by severity.
std::string check_text(const CheckReport& report, const FitConfiguration& options);
nlohmann::ordered_json check_json(const CheckReport& report, const FitConfiguration& options);

}  // namespace gapkit::apps
