// Any text as a configuration: only InputError may be thrown; an accepted configuration, written as TOML, must read back equal.

#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>

#include "fuzz.hpp"

using namespace gapkit;
using namespace gapkit::fuzz;

namespace {

/// Files that configurations name: train.xyz, test.xyz, points.txt, indices.txt.
struct Files : ScratchFolder {
  Files() {
    for (const char* name : {"train.xyz", "test.xyz", "points.txt", "indices.txt"}) write(name, "");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Files files;
  const std::string text(as_text(data, size));
  FitConfiguration options;
  try {
    options = parse_fit_options(text, "fuzz.toml", files.path());
  } catch (const InputError&) {
    return 0;
  }
  const std::string written = fit_options_to_toml(options);
  try {
    const FitConfiguration again = parse_fit_options(written, "written.toml", files.path());
    if (fit_options_to_toml(again) != written) broken("written and read back, the configuration differs:\n" + written);
  } catch (const InputError& error) {
    broken(std::string("the written configuration is refused: ") + error.what() + "\n" + written);
  }
  return 0;
}
