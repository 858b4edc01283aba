#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/version.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/model_report.hpp"
#include "common/run_main.hpp"

namespace {

struct Arguments {
  std::string model;
  bool json = false;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-info {}", gapkit::version));
  app.add_option("MODEL", arguments.model, "Model file of gap-fit or gap-convert, HDF5, or a GAP potential of QUIP (.xml)")->required();
  app.add_flag("--json", arguments.json, "Print JSON (docs/file-formats.md)");
  app.footer(
      "Examples:\n"
      "  gap-info silicon.h5\n"
      "  gap-info silicon.h5 --json | jq '.terms[].delta'\n"
      "\n"
      "Units: eV, Å, eV/Å. Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

void run(const Arguments& arguments) {
  const auto show = [](const std::string& text) { std::cerr << "gap-info: " << text << "\n"; };
  const auto json = gapkit::apps::model_json(gapkit::load_any_model(arguments.model, show));
  std::cout << (arguments.json ? json.dump(2) + "\n" : gapkit::apps::model_text(json)) << std::flush;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Describes a model: terms, species, sizes, sigma, delta, errors, versions, effective rank.", "gap-info");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
