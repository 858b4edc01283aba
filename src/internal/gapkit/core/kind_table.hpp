#pragma once

#include <gapkit/core/errors.hpp>
#include <string_view>
#include <vector>

namespace gapkit {

/// The line of a table of kinds with this name. `what`: the kind in messages ("kernel"). Throws InputError with the nearest name.
template <class Kinds>
const auto& find_kind(const Kinds& kinds, std::string_view name, const char* what) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw InputError("unknown " + std::string(what) + " '" + std::string(name) + "'" + suggestion(name, names));
}

/// Adds a line. Throws InputError if there is one with the same name.
template <class Kinds, class Kind>
void add_kind(Kinds& kinds, Kind kind, const char* what) {
  for (const auto& known : kinds)
    if (known.name == kind.name) throw InputError("there is a " + std::string(what) + " '" + kind.name + "' already");
  kinds.push_back(std::move(kind));
}

}  // namespace gapkit
