#include "error_bar_names.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <sstream>

namespace gapkit::apps {

void request_error_bars(const std::string& names, PredictionRequest& request) {
  const std::vector<std::string> known = {"energy", "local", "force", "stress"};
  std::istringstream stream(names);
  for (std::string name; std::getline(stream, name, ',');) {
    if (name == "energy")
      request.energy_std = true;
    else if (name == "local")
      request.local_std = true;
    else if (name == "force" || name == "forces")
      request.force_std = true;
    else if (name == "stress" || name == "virial")
      request.stress_std = true;
    else
      throw InputError(fmt::format("--std: unknown name '{}'{}", name, suggestion(name, known)));
  }
}

}  // namespace gapkit::apps
