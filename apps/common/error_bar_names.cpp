#include "error_bar_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <sstream>

namespace gapkit::apps {

std::vector<std::string> error_bar_names() {
  std::vector<std::string> names;
  for (const TargetInfo& target : targets()) names.emplace_back(target.std_names.front());
  names.insert(names.begin() + 1, "local");
  names.insert(std::find(names.begin(), names.end(), "force") + 1, "force_covariance");
  names.emplace_back("extrapolation");
  names.emplace_back("property");
  names.emplace_back("tensor");
  return names;
}

std::string error_bar_names_text() {
  std::string text;
  for (const TargetInfo& target : targets()) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", target.std_names.front(), target.std_text);
    if (target.property == Property::energy) text += ", local (energy of each atom, eV)";
    if (target.property == Property::force) text += ", force_covariance (also between the components of an atom, (eV/Å)²)";
  }
  return text +
         ", extrapolation (grade of each atom: above 1 unlike the training data), property (of local properties, in their unit), tensor "
         "(with covariances)";
}

void request_error_bars(const std::string& names, PredictionRequest& request) {
  std::istringstream stream(names);
  for (std::string name; std::getline(stream, name, ',');) {
    const auto is_named = [&](const TargetInfo& t) { return std::find(t.std_names.begin(), t.std_names.end(), name) != t.std_names.end(); };
    const auto found = std::find_if(targets().begin(), targets().end(), is_named);
    if (name == "local")
      request.local_std = true;
    else if (name == "extrapolation")
      request.extrapolation = true;
    else if (name == "force_covariance")
      request.force_std = request.force_covariance = true;
    else if (name == "property")
      request.property_std = true;
    else if (name == "tensor")
      request.tensor_covariance = true;
    else if (found != targets().end())
      request.std_of(found->property) = true;
    else
      throw InputError(fmt::format("--std: unknown name '{}'{}", name, suggestion(name, error_bar_names())));
  }
}

}  // namespace gapkit::apps
