#include "target_words.hpp"

#include <algorithm>

namespace gapkit::apps {
namespace {

template <class Name>
std::string joined(const std::vector<const TargetInfo*>& list, const char* between, Name&& name) {
  std::string text;
  for (const TargetInfo* target : list) text += (text.empty() ? "" : between) + std::string(name(*target));
  return text;
}

}  // namespace

std::string UnitGroup::names(const char* between) const {
  return joined(targets, between, [](const TargetInfo& target) { return target.name; });
}

std::string UnitGroup::shown_names(const char* between) const {
  return joined(targets, between, [](const TargetInfo& target) { return target.shown.name; });
}

std::vector<UnitGroup> unit_groups() {
  std::vector<UnitGroup> groups;
  for (const TargetInfo& target : targets()) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const UnitGroup& g) {
      return g.unit == std::string_view(target.unit) && g.scales_with_atoms == target.scales_with_atoms;
    });
    if (same != groups.end())
      same->targets.push_back(&target);
    else
      groups.push_back({target.unit, target.scales_with_atoms, {&target}});
  }
  return groups;
}

std::string names_that_scale() {
  std::vector<const TargetInfo*> list;
  for (const TargetInfo& target : targets())
    if (target.scales_with_atoms) list.push_back(&target);
  return joined(list, " and ", [](const TargetInfo& target) { return target.name; });
}

}  // namespace gapkit::apps
