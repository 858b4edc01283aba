// The input scale of networks in configurations: a number, a number over the usual |x|², or left to the data.

#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string head =
    "[data]\ntrain = [\"bulk.xyz\"]\n[[term]]\ndescriptor = \"symmetry_functions\"\ncutoff = 6.0\nn_sparse = 50\nkernel = \"ntk\"\n";

FitConfiguration parsed(const std::string& more) {
  DataFiles none;
  none.train_in_memory = true;
  return parse_fit_options(head + more, "c.toml", ".", none);
}

void check_scale(const FitConfiguration& options, double number, std::optional<double> over_size) {
  CHECK(options.terms.at(0).kernel_parameters.real("input_scale") == number);
  CHECK(options.terms.at(0).input_scale_over_size == over_size);
}

}  // namespace

TEST_CASE("config: the input scale is a number, { over_size }, or left to the data, and comes back from the written configuration") {
  struct Case {
    std::string more;
    double number;
    std::optional<double> over_size;
  };
  const Case given[] = {
      {"", 0, {}}, {"input_scale = 0\n", 0, {}}, {"input_scale = 0.02\n", 0.02, {}}, {"input_scale = { over_size = 0.3 }\n", 0, 0.3}};
  for (const auto& [more, number, over_size] : given) {
    CAPTURE(more);
    const FitConfiguration options = parsed(more);
    check_scale(options, number, over_size);
    const std::string written = fit_options_to_toml(options);
    CHECK((written.find("input_scale = { over_size = 0.3 }") != std::string::npos) == over_size.has_value());
    DataFiles none;
    none.train_in_memory = true;
    check_scale(parse_fit_options(written, "again.toml", ".", none), number, over_size);
  }
}

TEST_CASE("config: impossible input scales are refused with their line") {
  const std::pair<std::string, std::string> wrong[] = {{"input_scale = -0.1\n", "input_scale"},
                                                       {"input_scale = { over_size = 0 }\n", "over_size"},
                                                       {"input_scale = { over_size = -1 }\n", "over_size"},
                                                       {"input_scale = { over_siz = 1 }\n", "did you mean 'over_size'?"},
                                                       {"input_scale = {}\n", "{ over_size = 0.1 }"},
                                                       {"input_scale = \"auto\"\n", "a number"},
                                                       {"input_scale = nan\n", "input_scale"},
                                                       {"input_scale = 1e300\n", "input_scale"},
                                                       {"input_scale = { over_size = 1e-300 }\n", "a number from 1e-6 to 1e6"},
                                                       {"input_scale = { over_size = 1e300 }\n", "a number from 1e-6 to 1e6"},
                                                       {"input_scale = [0.1]\n", "input_scale"}};
  for (const auto& [more, part] : wrong) {
    CAPTURE(more);
    const std::string message = message_of<InputError>([&] { parsed(more); });
    CAPTURE(message);
    CHECK(message.find("c.toml:8") != std::string::npos);
    CHECK(message.find(part) != std::string::npos);
  }
  const std::string other = message_of<InputError>([&] {
    DataFiles none;
    none.train_in_memory = true;
    std::string text = head + "input_scale = { over_size = 0.1 }\n";
    text.replace(text.find("ntk"), 3, "squared_exponential");
    parse_fit_options(text, "c.toml", ".", none);
  });
  CHECK(other.find("'input_scale' belongs to kernel 'ntk'") != std::string::npos);
}
