#include "fit/sigma_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "io/extxyz_values.hpp"
#include "io/name_words.hpp"

namespace gapkit {
namespace {

bool holds(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The key or column that holds the sigma which `name` sounds like; nothing if it sounds like none.
std::string right_name(const std::string& name, bool is_column) {
  bool has_sigma = false, is_component = false, is_of_atom = false;
  std::string target;
  for (const std::string& word : words_of(name)) {
    if (holds({"sigma", "sigmas", "sig"}, word))
      has_sigma = true;
    else if (holds({"component", "components"}, word))
      is_component = true;
    else if (holds({"atom", "atoms", "atomic", "local"}, word))
      is_of_atom = true;
    else if (target.empty() && holds({"energy", "energies", "e"}, word))
      target = "energy";
    else if (target.empty() && holds({"force", "forces", "f"}, word))
      target = "force";
    else if (target.empty() && holds({"virial", "virials", "stress", "stresses"}, word))
      target = "virial";
    else if (!holds({"ref", "dft", "default", "per", "of"}, word))
      return "";
  }
  if (!has_sigma || target.empty()) return "";
  if (target == "energy") return "energy_sigma";
  if (target == "virial") return is_component ? "virial_component_sigma" : "virial_sigma";
  return is_component ? "force_component_sigma" : is_column || is_of_atom ? "force_atom_sigma" : "force_sigma";
}

}  // namespace

std::vector<std::string> unknown_sigma_names(const std::set<std::string>& fields, const std::set<std::string>& columns) {
  std::vector<std::string> sentences;
  const auto examine = [&](const std::set<std::string>& names, bool is_column) {
    for (const std::string& name : names) {
      const std::string right = right_name(name, is_column);
      const bool belongs_to_columns = holds({"force_atom_sigma", "force_component_sigma"}, right);
      if (right.empty() || (name == right && is_column == belongs_to_columns)) continue;
      sentences.push_back(fmt::format("the {} '{}' seems to hold a sigma, but is not read; the {} is called {}",
                                      is_column ? "column" : "key", extxyz::excerpt(name),
                                      belongs_to_columns ? "column" : "key of the frame", right));
    }
  };
  examine(fields, false);
  examine(columns, true);
  return sentences;
}

}  // namespace gapkit
