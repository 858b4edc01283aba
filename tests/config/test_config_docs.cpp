// The reference in docs/configuration.md against the code.

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <fstream>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/potentials/potential.hpp>
#include <gapkit/sparsify/selection.hpp>

#include "config/keys.hpp"
#include "config_files.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// The text from the heading of a kind's parameters, which may name several kinds, to the next heading.
std::string parameters_in(const std::string& text, const std::string& what, const std::string& name) {
  const std::string start = "\nParameters of ", kind = "`" + what + " = \"" + name + "\"`";
  for (auto begin = text.find(start); begin != std::string::npos; begin = text.find(start, begin + 1)) {
    const auto named = text.find(kind, begin);
    if (named < text.find('\n', begin + 1)) return text.substr(begin, text.find(start, begin + 1) - begin);
  }
  FAIL(name);
  return "";
}

/// "integer 1 … 32", "number > 0": how the reference shows the limits of a parameter; "" if it has none.
std::string documented_limits(const ParameterInfo& info) {
  const bool is_integer = info.type == ParameterInfo::Type::integer;
  if (!is_integer && info.type != ParameterInfo::Type::real && info.type != ParameterInfo::Type::reals) return "";
  const std::string type = is_integer ? "integer" : "number", below = info.excludes_smallest ? ">" : "≥";
  const bool has_smallest = std::isfinite(info.smallest), has_largest = std::isfinite(info.largest);
  if (has_smallest && has_largest && !info.excludes_smallest) return fmt::format("{} {} … {}", type, info.smallest, info.largest);
  if (has_smallest && has_largest) return fmt::format("{} > {} and ≤ {}", type, info.smallest, info.largest);
  if (has_largest) return fmt::format("{} ≤ {}", type, info.largest);
  return has_smallest ? fmt::format("{} {} {}", type, below, info.smallest) : type;
}

}  // namespace

TEST_CASE("config: the example in configs/ reads") {
  const FitConfiguration options = read_fit_options(source_folder() / "configs" / "silicon.toml");
  CHECK(options.terms.size() == 2);
  CHECK(options.train.size() == 1);
  CHECK(options.model_path == "silicon.h5");
  const FitConfiguration functions = read_fit_options(source_folder() / "configs" / "silicon_symmetry_functions.toml");
  CHECK(functions.terms.size() == 1);
  CHECK(functions.terms[0].descriptor_parameters.integer("n_select") == 30);
}

TEST_CASE("config: docs/configuration.md shows the limits of every parameter") {
  const std::string text = read_text(source_folder() / "docs" / "configuration.md");
  const auto check_rows = [](const std::string& part, const auto& kind) {
    for (const ParameterInfo& info : kind.parameters) {
      const std::string key = "| `" + info.name + "` | ";
      const auto row = part.find(key);
      REQUIRE_MESSAGE(row != std::string::npos, kind.name, " ", info.name);
      const std::string type = part.substr(row + key.size(), part.find(" | ", row + key.size()) - row - key.size());
      const std::string limits = documented_limits(info);
      CAPTURE(kind.name);
      CAPTURE(info.name);
      CHECK_MESSAGE(type.starts_with(limits), "expected '", limits, "', found '", type, "'");
      // "integer ≥ 1" must not hide an upper limit, nor "integer 1 … 32" another one.
      CHECK((type.size() == limits.size() || std::isdigit(static_cast<unsigned char>(type[limits.size()])) == 0 || limits.empty()));
      if (!info.unit.empty() && info.type == ParameterInfo::Type::real) CHECK_MESSAGE(type.ends_with(", " + info.unit), type);
    }
  };
  const auto part_of = [&](const std::string& what, const std::string& name) { return parameters_in(text, what, name); };
  for (const auto& kind : descriptor_kinds()) check_rows(part_of("descriptor", kind.name), kind);
  for (const auto& kind : kernel_kinds()) check_rows(part_of("kernel", kind.name), kind);
  const std::string baselines = text.substr(text.find("\n## [[baseline]]\n"));
  for (const auto& kind : potential_kinds()) check_rows(baselines, kind);
}

TEST_CASE("config: docs/configuration.md names every key") {
  const std::string text = read_text(source_folder() / "docs" / "configuration.md");
  REQUIRE(!text.empty());
  const auto section_text = [&](const std::string& header) {
    const auto begin = text.find("\n## " + header + "\n");
    REQUIRE_MESSAGE(begin != std::string::npos, header);
    return text.substr(begin, text.find("\n## ", begin + 1) - begin);
  };
  for (const auto& section : configuration_keys()) {
    const std::string top = section.name.substr(0, section.name.find('.'));
    const std::string part = section_text(is_list_of_tables(top) ? "[[" + top + "]]" : "[" + top + "]");
    for (const auto& key : section.keys) CHECK_MESSAGE(part.find("| `" + key + "` |") != std::string::npos, section.name, " ", key);
  }
  const std::string part = section_text("[[term]]");
  const auto check_kind = [&](const auto& kind, const std::string& what) {
    const std::string table = parameters_in(part, what, kind.name);
    for (const auto& info : kind.parameters)
      CHECK_MESSAGE(table.find("| `" + info.name + "` |") != std::string::npos, kind.name, " ", info.name);
  };
  for (const auto& kind : descriptor_kinds()) check_kind(kind, "descriptor");
  for (const auto& kind : kernel_kinds()) check_kind(kind, "kernel");
  for (const auto& kind : selection_kinds()) CHECK_MESSAGE(part.find("`" + kind.name + "`") != std::string::npos, kind.name);
}

TEST_CASE("config: the examples in docs/configuration.md read") {
  const Files files;
  for (const auto* name : {"bulk.xyz", "test.xyz", "liquid.xyz"}) files.folder.write(name, "");
  std::filesystem::create_directory(files.folder.path() / "liquid");
  files.folder.write("liquid/1.xyz", "");
  std::ifstream file(source_folder() / "docs" / "configuration.md");
  std::string all, line;
  for (bool inside = false; std::getline(file, line);) {
    if (line.starts_with("```"))
      inside = line == "```toml";
    else if (inside)
      all += line + "\n";
  }
  const FitConfiguration options = files.parse(all);
  CHECK(options.terms.size() == 4);
  CHECK(options.seed == 7);
}
