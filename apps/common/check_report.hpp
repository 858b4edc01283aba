#pragma once

#include <gapkit/config/config.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit::apps {

/// What gap-fit --check prints: counts per config type, keys, the plan, findings, and how many of each sort there are.
std::string check_text(const CheckReport& report, const FitConfiguration& options);
nlohmann::ordered_json check_json(const CheckReport& report, const FitConfiguration& options);

}  // namespace gapkit::apps
