#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "active/command_labeller.hpp"
#include "active/labeller_kinds.hpp"
#include "active/process.hpp"

namespace gapkit {
namespace {

namespace fs = std::filesystem;

constexpr const char* helper_name = "gapkit_ase_label.py";

fs::path find_helper() {
  const fs::path helper = helper_script(helper_name);
  if (fs::is_regular_file(helper)) return helper;
  throw InputError(fmt::format("labeller: ase: {} is not at {}; name its place with helper", helper_name, helper.string()));
}

void check_arguments(const std::string& text) {
  try {
    if (!nlohmann::json::parse(text).is_object()) throw InputError("labeller: ase: calculator_arguments are not a JSON object: " + text);
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("labeller: ase: calculator_arguments cannot be read as JSON: ") + e.what());
  }
}

}  // namespace

std::unique_ptr<Labeller> make_ase_labeller(const LabellerOptions& options) {
  if (options.calculator.empty()) throw InputError("labeller: ase: calculator is missing, expected a name as 'emt' or 'module:Class'");
  const std::string arguments = options.calculator_arguments.empty() ? "{}" : options.calculator_arguments;
  check_arguments(arguments);
  LabellerOptions command = options;
  try {
    const fs::path helper = options.helper.empty() ? find_helper() : fs::absolute(options.here / options.helper);
    if (!fs::is_regular_file(helper)) throw InputError(helper.string() + " does not exist");
    command.command = {find_program(options.python, options.here).string(),
                       helper.string(),
                       "--here={here}",
                       "--calculator=" + options.calculator,
                       "--arguments=" + arguments,
                       "{input}",
                       "{output}"};
  } catch (const InputError& e) {
    const std::string message = e.what();
    throw InputError(message.starts_with("labeller: ase: ") ? message : "labeller: ase: " + message);
  }
  return make_command_labeller("ase", command);
}

}  // namespace gapkit
