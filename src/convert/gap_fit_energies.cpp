#include "convert/gap_fit_energies.hpp"

#include <fmt/format.h>

#include <gapkit/core/elements.hpp>

namespace gapkit {
namespace {

using Energies = std::map<int, double>;

void write_explicit(const Energies& energies, GapFitLines& out) {
  std::string table;
  for (const auto& [z, value] : energies) table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", element_symbol(z), toml_real(value));
  out.line("mode", "\"explicit\"");
  out.line("explicit", "{ " + table + " }");
}

/// "{Si:-1.0:C:-2.0}"; other elements of the data have 0, as in gap_fit.
Energies listed_energies(const QuipOption& e0, const std::vector<std::string>& words, const std::set<int>& elements, GapFitLines& out) {
  Energies energies;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const int z = find_atomic_number(words[i]);
    const auto value = i + 1 < words.size() ? quip_number(words[i + 1]) : std::nullopt;
    if (z == 0 || !value) throw InputError(fmt::format("gap_fit command line: {}: '{}' is not element:energy", option_text(e0), words[i]));
    energies[z] = *value;
  }
  for (const int z : elements)
    if (energies.emplace(z, 0.0).second)
      out.note(e0, fmt::format("the data have {}, whose energy is 0 then, as in gap_fit", element_symbol(z)));
  return energies;
}

double offset_of(const std::optional<QuipOption>& option) {
  if (!option) return 0;
  const auto value = quip_number(option->value.value_or(""));
  if (!value) throw InputError(fmt::format("gap_fit command line: {}: expected a number", option_text(*option)));
  return *value;
}

Energies moved(Energies energies, double offset) {
  for (auto& [z, energy] : energies) energy += offset;
  return energies;
}

void write_given(const GapFitEnergies& given, double offset, const std::string& train, const std::set<int>& elements, GapFitLines& out) {
  if (given.method) out.note(*given.method, "e0 goes before it");
  const std::vector<std::string> words = gap_fit_list(given.e0->value.value_or(""));
  if (words.size() != 1) return write_explicit(moved(listed_energies(*given.e0, words, elements, out), offset), out);
  const auto value = quip_number(words[0]);
  if (!value) throw InputError(fmt::format("gap_fit command line: {}: expected a number, or {{Si:-1.0:C:-2.0}}", option_text(*given.e0)));
  if (elements.empty()) {
    out.refuse(*given.e0, fmt::format("it counts for every element, and '{}' cannot be read to learn which there are; add a line such as "
                                      "explicit = {{ Si = {} }}",
                                      train, toml_real(*value + offset)));
    out.text += "# mode = \"explicit\"\n";
    return;
  }
  Energies energies;
  for (const int z : elements) energies[z] = *value + offset;
  write_explicit(energies, out);
}

/// The isolated atoms of all elements, if the data have them.
std::optional<Energies> isolated_energies(const std::optional<GapFitData>& data) {
  if (!data || data->elements.empty()) return {};
  for (const int z : data->elements)
    if (data->isolated.count(z) == 0) return {};
  return data->isolated;
}

}  // namespace

void write_gap_fit_energies(const GapFitEnergies& given, const std::optional<GapFitData>& data, const std::string& train,
                            const std::set<int>& named, GapFitLines& out) {
  out.header("[reference_energies]");
  const double offset = offset_of(given.offset);
  if (given.e0) return write_given(given, offset, train, data ? data->elements : named, out);
  const std::string name = given.method ? lower_case(given.method->value.value_or("")) : "isolated";
  if (name == "average" && data && data->mean_energy && !given.has_core) {
    Energies energies;
    for (const int z : data->elements) energies[z] = *data->mean_energy + offset;
    return write_explicit(energies, out);
  }
  if (name != "average" && name != "isolated") out.refuse(*given.method, "expected isolated or average; isolated is written instead");
  if (name != "average" && offset != 0)
    if (const auto isolated = isolated_energies(data)) return write_explicit(moved(*isolated, offset), out);
  if (offset != 0) out.refuse(*given.offset, "give the sum with e0 in reference_energies.explicit");
  if (name == "average")
    out.note(*given.method, "least_squares takes its place: the same for one element and one composition, else a fit by composition");
  out.line("mode", name == "average" ? "\"least_squares\"" : "\"isolated\"");
}

}  // namespace gapkit
