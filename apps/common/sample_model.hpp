#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace gapkit::apps {

/// gap-fit --sample-model: draws a member of a model's ensemble.
struct SampleArguments {
  std::optional<std::string> model;
  int member = 0;

  bool is_wanted() const { return model.has_value(); }
};

void describe_sample(CLI::App& app, SampleArguments& arguments);

/// Writes the member of this seed to `output`. Throws InputError without one.
void run_sample(const SampleArguments& arguments, const std::optional<std::string>& output, std::uint64_t seed);

}  // namespace gapkit::apps
