#include "sample_model.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/sample.hpp>
#include <iostream>

#include "model_file.hpp"
#include "text_file.hpp"

namespace gapkit::apps {

void describe_sample(CLI::App& app, SampleArguments& arguments) {
  app.add_option(
         "--sample-model", arguments.model,
         "Draw a member of this model's ensemble from its posterior, with --seed, and write it to -o; no FILE. The member is a smooth "
         "potential without error bars")
      ->type_name("MODEL");
  app.add_option("--member", arguments.member, "Number of the member for --sample-model, from 0 (default: 0)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::NonNegativeNumber).description(""));
}

void run_sample(const SampleArguments& arguments, const std::optional<std::string>& output, std::uint64_t seed) {
  if (!output) throw InputError("--sample-model needs -o MODEL, the file to write");
  check_can_be_replaced(*output, "-o");
  check_differs(*output, "-o", *arguments.model);
  refuse_xml(*arguments.model, "--sample-model");
  const Model model = load_model(*arguments.model);
  try {
    save_model(sample_model(model, seed, arguments.member), *output);
  } catch (const InputError& e) {
    throw InputError(fmt::format("{}: {}", *arguments.model, e.what()));
  }
  std::cout << fmt::format("Member {} of the ensemble of seed {}: {}\n", arguments.member, seed, *output) << std::flush;
  for (const FittedProperty& property : model.properties)
    std::cout << fmt::format("All members share the property '{}': their spread lacks its uncertainty\n", property.keys.name) << std::flush;
}

}  // namespace gapkit::apps
