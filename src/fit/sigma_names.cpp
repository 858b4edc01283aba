#include "fit/sigma_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/target.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/name_words.hpp>
#include <initializer_list>
#include <string_view>

namespace gapkit {
namespace {

bool holds(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The target that a word means; null if it means none.
const TargetInfo* target_of(std::string_view word) {
  for (const TargetInfo& target : targets()) {
    const bool is_source = std::any_of(target.sources.begin(), target.sources.end(),
                                       [&](const TargetSource& source) { return word == source.name || word == source.plural; });
    if (is_source || word == target.name) return &target;
  }
  return word == "e" ? &target_info(Property::energy) : word == "f" ? &target_info(Property::force) : nullptr;
}

/// A key or column that holds a sigma.
struct SigmaName {
  std::string name;
  bool is_column = false;
};

/// That which `name` sounds like; empty if it sounds like none.
SigmaName right_name(const std::string& name, bool is_column) {
  bool has_sigma = false, is_component = false, is_of_atom = false;
  const TargetInfo* target = nullptr;
  for (const std::string& word : words_of(name)) {
    if (holds({"sigma", "sigmas", "sig"}, word))
      has_sigma = true;
    else if (holds({"component", "components"}, word))
      is_component = true;
    else if (holds({"atom", "atoms", "atomic", "local"}, word))
      is_of_atom = true;
    else if (const TargetInfo* meant = target == nullptr ? target_of(word) : nullptr)
      target = meant;
    else if (!holds({"ref", "dft", "default", "per", "of"}, word))
      return {};
  }
  if (!has_sigma || target == nullptr) return {};
  const bool has_components = target->components > 1;
  if (is_component && has_components) return {std::string(target->name) + "_component_sigma", target->is_per_atom};
  if (target->is_per_atom && (is_column || is_of_atom)) return {std::string(target->name) + "_atom_sigma", true};
  return {std::string(target->name) + "_sigma", false};
}

}  // namespace

std::vector<std::string> unknown_sigma_names(const std::set<std::string>& fields, const std::set<std::string>& columns) {
  std::vector<std::string> sentences;
  const auto examine = [&](const std::set<std::string>& names, bool is_column) {
    for (const std::string& name : names) {
      const SigmaName right = right_name(name, is_column);
      if (right.name.empty() || (name == right.name && is_column == right.is_column)) continue;
      sentences.push_back(fmt::format("the {} '{}' seems to hold a sigma, but is not read; the {} is called {}",
                                      is_column ? "column" : "key", extxyz::excerpt(name), right.is_column ? "column" : "key of the frame",
                                      right.name));
    }
  };
  examine(fields, false);
  examine(columns, true);
  return sentences;
}

}  // namespace gapkit
