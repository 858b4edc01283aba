// gap-fit --tune: settings of networks and symmetry functions.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>

#include "apps/workplace.hpp"
#include "common/tune_fits.hpp"
#include "common/tune_knobs.hpp"

using namespace gapkit;
using namespace gapkit::test;
using apps::Knob;

namespace {

FitConfiguration options_of(const std::string& term) {
  DataFiles none;
  none.train_in_memory = none.validation_in_memory = true;
  return parse_fit_options("[data]\ntrain = [\"train.xyz\"]\n[[term]]\nname = \"f\"\ncutoff = 5.0\nn_sparse = 30\n" + term, "test.toml",
                           ".", none);
}

const Knob* find(const std::vector<Knob>& knobs, const std::string& key) {
  for (const Knob& knob : knobs)
    if (knob.key() == key) return &knob;
  return nullptr;
}

const Knob& knob_of(const std::vector<Knob>& knobs, const std::string& key) {
  const Knob* knob = find(knobs, key);
  CAPTURE(key);
  REQUIRE(knob != nullptr);
  return *knob;
}

/// The term of the configuration with the values that `values` names.
TermOptions term_with(const FitConfiguration& options, const std::vector<Knob>& knobs, const std::map<std::string, double>& given) {
  std::vector<double> values;
  for (const Knob& knob : knobs) values.push_back(given.count(knob.key()) > 0 ? given.at(knob.key()) : knob.start());
  return apps::settings_in(fit_options_to_toml(options), apps::overrides_of(knobs, values)).terms.at(0);
}

/// Over the usual |x|²; 0: left to the data.
double scale_of(const TermOptions& term) {
  return term.input_scale_over_size.value_or(0);
}

const std::string functions = "descriptor = \"symmetry_functions\"\n";

}  // namespace

TEST_CASE("tune: ntk on symmetry functions has cutoff, number of functions and input scale, which trials give and do not search anew") {
  const FitConfiguration options = options_of(functions + "n_select = 30\nkernel = \"ntk\"\n");
  const std::vector<Knob> knobs = apps::knobs_of(options, {});
  check_close(*knob_of(knobs, "term.f.cutoff").moved(5, true, false), 6, 1e-12);
  CHECK(*knob_of(knobs, "term.f.n_select").moved(30, true, false) == 45);
  const Knob& scale = knob_of(knobs, "term.f.input_scale");
  check_close(scale.start(), 0.1, 0);
  check_close(*scale.moved(0.1, true, false), 0.32, 1e-12);
  check_close(*scale.moved(0.1, false, false), 0.0313, 1e-12);
  CHECK(!scale.moved(0.001, false, false));
  CHECK(scale.toml(0.32) == "{ over_size = 0.32 }");
  check_close(scale_of(options.terms[0]), 0, 0);                     // left to the data
  check_close(scale_of(term_with(options, knobs, {})), 0.1, 1e-15);  // not in a trial
  check_close(scale_of(term_with(options, knobs, {{"term.f.input_scale", 0.32}})), 0.32, 1e-15);
  // The written settings of a search begin the next one.
  const FitConfiguration given = options_of(functions + "kernel = \"ntk\"\ninput_scale = { over_size = 0.03 }\n");
  check_close(knob_of(apps::knobs_of(given, {}), "term.f.input_scale").start(), 0.03, 0);
  CHECK(!find(apps::knobs_of(given, {}), "term.f.n_select"));  // all functions
  // A number is the user's, who may keep the data's choice too.
  CHECK(!find(apps::knobs_of(options_of(functions + "kernel = \"ntk\"\ninput_scale = 0.02\n"), {}), "term.f.input_scale"));
  CHECK(!find(apps::knobs_of(options, {"input_scale"}), "term.f.input_scale"));
}

TEST_CASE("tune: symmetry functions with another kernel try ntk, with an input scale only then") {
  for (const std::string kernel : {"squared_exponential", "dot_product"}) {
    CAPTURE(kernel);
    const bool is_dot = kernel == "dot_product";
    const FitConfiguration options = options_of(functions + "kernel = \"" + kernel + "\"\n" + (is_dot ? "sphere = 2.0\n" : ""));
    const std::vector<Knob> knobs = apps::knobs_of(options, {});
    CHECK(knob_of(knobs, "term.f.kernel").text(0) == kernel);
    CHECK(term_with(options, knobs, {}).kernel == kernel);
    CHECK(!term_with(options, knobs, {{"term.f.input_scale", 0.3}}).kernel_parameters.has("input_scale"));
    const TermOptions network = term_with(options, knobs, {{"term.f.kernel", 1}, {"term.f.input_scale", 0.3}});
    CHECK(network.kernel == "ntk");
    CHECK(!network.length_scale_root);
    check_close(scale_of(network), 0.3, 1e-15);
  }
}

TEST_CASE("tune: the input scale of ntk on SOAP begins where the kernel's default is") {
  const FitConfiguration options = options_of("descriptor = \"soap\"\nn_max = 4\nl_max = 3\nkernel = \"dot_product\"\n");
  const std::vector<Knob> knobs = apps::knobs_of(options, {});
  check_close(knob_of(knobs, "term.f.input_scale").start(), 1, 0);
  const TermOptions network = term_with(options, knobs, {{"term.f.kernel", 1}});
  const auto on_sphere = kernel_kind("ntk").make(network.kernel_parameters)->for_features({60, true, true, 1});
  CHECK(on_sphere->parameters().real("input_scale") == 1);
}
