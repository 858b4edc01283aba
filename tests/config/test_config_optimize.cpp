// [optimize], [output] statistics, and keys replaced for a scan.

#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string two_terms =
    "[data]\ntrain = 'train.xyz'\n"
    "[[term]]\ndescriptor = 'two_body'\ncutoff = 5\nkernel = 'squared_exponential'\nlength_scale = 1\nn_sparse = 20\n"
    "[[term]]\ndescriptor = 'soap'\ncutoff = 5\nkernel = 'dot_product'\nzeta = 4\nn_sparse = 100\n";  // 15 lines

struct OneTrainingFile {
  TemporaryFolder folder;
  OneTrainingFile() { folder.write("train.xyz", ""); }
  FitConfiguration parse(const std::string& toml, const std::vector<ConfigurationOverride>& changes = {}) const {
    return parse_fit_options(toml, "t.toml", folder.path(), {}, changes);
  }
  std::string message(const std::string& toml, const std::vector<ConfigurationOverride>& changes = {}) const {
    return message_of<InputError>([&] { parse(toml, changes); });
  }
};

}  // namespace

TEST_CASE("config: [optimize] and its defaults") {
  using Objective = OptimizeOptions::Objective;
  const OneTrainingFile files;
  const FitConfiguration none = files.parse(two_terms);
  CHECK(none.optimize.objective == Objective::none);
  CHECK(none.optimize.folds == 0);
  CHECK(!none.keep_statistics);
  CHECK(files.parse(two_terms + "[optimize]\n").optimize.objective == Objective::evidence);
  const FitConfiguration cross = files.parse(two_terms + "[optimize]\nobjective = 'cross_validation'\n");
  CHECK(cross.optimize.objective == Objective::cross_validation);
  CHECK(cross.optimize.folds == 5);
  const FitConfiguration all =
      files.parse(two_terms +
                  "[optimize]\nobjective = 'cross_validation'\nsigma = false\nclasses = ['b', 'a c']\nmax_factor = 10\n"
                  "min_rows = 3\nmax_evaluations = 7\nfolds = 4\nfold = 'key:run'\nweights = { energy = 2, virial = 0 }\n"
                  "[output]\nstatistics = true\n");
  for (const FitConfiguration& o : {all, files.parse(fit_options_to_toml(all))}) {
    CHECK(o.optimize.objective == Objective::cross_validation);
    CHECK(!o.optimize.sigma);
    CHECK(o.optimize.delta);
    CHECK(o.optimize.classes == std::vector<std::string>{"b", "a c"});
    CHECK(o.optimize.max_factor == 10);
    CHECK(o.optimize.min_rows == 3);
    CHECK(o.optimize.max_evaluations == 7);
    CHECK(o.optimize.folds == 4);
    CHECK(o.optimize.fold == "key:run");
    CHECK(o.optimize.weights[Property::energy] == 2);
    CHECK(o.optimize.weights[Property::force] == 1);
    CHECK(o.optimize.weights[Property::virial] == 0);
    CHECK(o.keep_statistics);
    CHECK(fit_options_to_toml(o) == fit_options_to_toml(all));
  }
}

TEST_CASE("config: mistakes in [optimize] are named with line and remedy") {
  const OneTrainingFile files;
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"objectiv = 'evidence'", "did you mean 'objective'?"},
      {"objective = 'evidnce'", "did you mean 'evidence'?"},
      {"objective = 3", "expected a text"},
      {"folds = 1", "at least 2"},
      {"folds = -3", "at least 0"},
      {"folds = 2.5", "an integer"},
      {"max_factor = 1", "larger than 1"},
      {"max_factor = nan", "finite"},
      {"min_rows = 0", "at least 1"},
      {"max_evaluations = 0", "at least 1"},
      {"fold = 'key:'", "name of a field"},
      {"fold = 'blocks'", "contiguous"},
      {"weights = { forces = 1 }", "did you mean 'force'?"},
      {"weights = { force = -1 }", "not negative"},
      {"classes = [1]", "expected texts"},
      {"sigma = 'yes'", "true or false"},
  };
  for (const auto& [mistake, part] : mistakes) {
    const std::string line = mistake;
    CAPTURE(line);
    const std::string message = files.message(two_terms + "[optimize]\n" + line + "\n");
    CAPTURE(message);
    CHECK(contains(message, "t.toml:16: "));
    CHECK(contains(message, part));
  }
  CHECK(contains(files.message(two_terms + "[optimize]\nsigma = false\ndelta = false\n"), "nothing to optimise"));
  CHECK(contains(files.message(two_terms + "[optimize]\nobjective = 'cross_validation'\nfolds = 0\n"), "at least 2 folds"));
  CHECK(contains(files.message(two_terms + "[output]\nstatistics = 1\n"), "true or false"));
}

TEST_CASE("config: single keys are replaced or added") {
  const OneTrainingFile files;
  CHECK(files.parse(two_terms, {{"term.soap.zeta", "2"}}).terms[1].kernel_parameters.real("zeta") == 2);
  CHECK(files.parse(two_terms, {{"term.two_body.length_scale", "1.5"}}).terms[0].kernel_parameters.values().count("length_scale") == 1);
  CHECK(files.parse(two_terms, {{"term.soap.selection", "fps"}}).terms[1].selection == "fps");
  CHECK(files.parse(two_terms, {{"term.soap.selection", "'fps'"}}).terms[1].selection == "fps");
  CHECK(files.parse(two_terms, {{"regularization.force", "0.3"}}).regularization.standard[Property::force] == 0.3);
  CHECK(files.parse(two_terms, {{"regularization.config_type.liquid.force", "0.7"}})
            .regularization.config_type.at("liquid")[Property::force] == 0.7);
  CHECK(files.parse(two_terms, {{"data.use", "['energy']"}, {"term.soap.n_max", "3"}}).use[Property::force] == false);
  CHECK(files.parse(two_terms + "name = 'many'\n", {{"term.many.delta", "3"}}).terms[1].delta == 3);
  CHECK(contains(files.message(two_terms, {{"term.saop.zeta", "2"}}), "did you mean 'soap'?"));
  CHECK(contains(files.message(two_terms, {{"term.soap", "2"}}), "term.NAME.KEY"));
  CHECK(contains(files.message(two_terms, {{"zeta", "2"}}), "SECTION.KEY"));
  CHECK(contains(files.message(two_terms, {{"term.soap.zta", "2"}}), "did you mean 'zeta'?"));
  CHECK(contains(files.message(two_terms, {{"term.soap.zeta", "two"}}), "expected a number"));
  CHECK(contains(files.message(two_terms, {{"regularisation.force", "2"}}), "did you mean 'regularization'?"));
  CHECK(contains(files.message(two_terms, {{"term.soap.zeta.x", "2"}}), "expected a table"));
}
