// Without the data again: statistics in model files, refit, append, merge.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/io/archive.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Two halves of data, and fits with one sparse set, which comes from files.
struct UpdateSetup {
  TemporaryFolder folder;
  std::vector<Structure> first, second;
  FitConfiguration options;  // to all data

  UpdateSetup() {
    for (unsigned seed = 1; seed <= 12; ++seed)
      (seed % 2 ? first : second).push_back(labelled(random_triclinic(5, seed, {6, 14}), seed > 8 ? "late" : "early"));
    first[1].set_field("energy_sigma", 0.02);
    second[2].set_field("force_sigma", 0.3);
    std::vector<Structure> all = first;
    all.insert(all.end(), second.begin(), second.end());
    options = small_options(write("all.xyz", all), {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
    write("first.xyz", first);
    write("second.xyz", second);
    options.regularization.config_type["late"] = {0.03, 0.2, 0.4};
    options.baselines = {make_potential("zbl", {{"inner", 1.5}, {"outer", 3.0}})};
    options.keep_statistics = true;
    options.sparse_output = path("sparse");
    fit(options);
    for (TermOptions& term : options.terms) {
      term.selection = "file";
      for (const char* combination : {"C", "Si", "C-C", "C-Si", "Si-Si"})
        if ((term.name == "soap") == (std::string(combination).find('-') == std::string::npos))
          term.sparse_file[combination] = path("sparse") + "." + term.name + "-" + combination + ".points";
    }
    options.sparse_output.clear();
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  std::string write(const std::string& name, const std::vector<Structure>& frames) const { return write_frames(path(name), frames); }
  FittedModel fitted(const std::string& train, const FitConfiguration& with) const {
    FitConfiguration o = with;
    o.train = {path(train)};
    FitResult result = fit(o);
    return {std::move(result.model), std::move(*result.statistics)};
  }
  FittedModel fitted(const std::string& train) const { return fitted(train, options); }
};

void check_same_solution(const Model& actual, const Model& expected, double tolerance) {
  CHECK(!expected.posterior.noise.empty());
  CHECK(actual.posterior.noise.size() == expected.posterior.noise.size());
  for (const NoiseRecord& wanted : expected.posterior.noise) {
    const auto found = std::find_if(actual.posterior.noise.begin(), actual.posterior.noise.end(), [&](const NoiseRecord& r) {
      return r.property == wanted.property && r.config_type == wanted.config_type;
    });
    REQUIRE(found != actual.posterior.noise.end());
    CHECK(found->own_rows == wanted.own_rows);
    CHECK(found->class_rows == wanted.class_rows);
    check_close(found->own_square, wanted.own_square, 0, 1e-12);
  }
  CHECK(largest_difference(actual.weights, expected.weights) <= tolerance * expected.weights.cwiseAbs().maxCoeff());
  CHECK(largest_difference(actual.posterior.mean, expected.posterior.mean) <= tolerance * expected.posterior.mean.cwiseAbs().maxCoeff());
  CHECK(largest_difference(actual.posterior.factor, expected.posterior.factor) <=
        tolerance * expected.posterior.factor.cwiseAbs().maxCoeff());
  check_close(actual.posterior.log_evidence, expected.posterior.log_evidence, 0, tolerance);
}

}  // namespace

TEST_CASE("append equals the fit to all data with the same sparse points; merge equals it too") {
  const UpdateSetup setup;
  const FittedModel all = setup.fitted("all.xyz");
  FittedModel appended = setup.fitted("first.xyz");
  const FittedModel half = appended, other = setup.fitted("second.xyz");
  CHECK(largest_difference(half.model.weights, all.model.weights) > 1e-3 * all.model.weights.cwiseAbs().maxCoeff());
  CHECK(append(appended, FileDataset({setup.path("second.xyz")})) == 6);
  check_same_solution(appended.model, all.model, 1e-8);
  CHECK(appended.stored.statistics.row_count() == all.stored.statistics.row_count());
  CHECK(appended.model.data_fingerprint != half.model.data_fingerprint);
  CHECK(appended.model.notes.count("training_errors") == 0);
  FittedModel merged = half;
  merge(merged, other);
  check_same_solution(merged.model, all.model, 1e-8);
}

TEST_CASE("data that the model has already are reported when they are appended, and refused when they are merged") {
  const UpdateSetup setup;
  FittedModel fitted = setup.fitted("first.xyz");
  const FittedModel first = fitted;
  std::vector<std::string> warnings;
  const auto progress = [&](const ProgressEvent& p) {
    if (p.is_warning) warnings.push_back(p.message);
  };
  append(fitted, FileDataset({setup.path("second.xyz")}), progress);
  CHECK(warnings.empty());
  FittedModel merged = fitted;
  CHECK_THROWS_AS(merge(merged, first), InputError);
  for (const char* file : {"first.xyz", "second.xyz"}) {
    FittedModel twice = fitted;
    warnings.clear();
    append(twice, FileDataset({setup.path(file)}), progress);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("they now count twice") != std::string::npos);
  }
}

TEST_CASE("frames that the model has already are counted among new ones; merge refuses models with common frames") {
  const UpdateSetup setup;
  const FittedModel first = setup.fitted("first.xyz");
  save_model(first.model, first.stored, setup.path("first.h5"));
  const Model model = load_model(setup.path("first.h5"));
  FittedModel loaded{model, load_statistics(setup.path("first.h5"), model)};
  CHECK(loaded.stored.statistics.frames.checksums() == first.stored.statistics.frames.checksums());
  std::vector<std::string> warnings;
  const auto progress = [&](const ProgressEvent& p) {
    if (p.is_warning) warnings.push_back(p.message);
  };
  append(loaded, FileDataset({setup.path("all.xyz")}), progress);  // six of these frames are old
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("the model has 6 of the 12 new frames already: they now count twice") != std::string::npos);
  FittedModel merged = setup.fitted("second.xyz");
  CHECK(merged.stored.statistics.frames.common_with(first.stored.statistics.frames) == 0);
  CHECK_THROWS_WITH_AS(merge(merged, loaded), doctest::Contains("the same 6 frames"), InputError);
}

TEST_CASE("a sketch of frames holds the smallest checksums and shows common ones") {
  FrameSketch even, third;
  for (std::uint64_t i = 30000; i-- > 0;) {
    if (i % 2 == 0) even.add(i);
    if (i % 3 == 0) third.add(i);
  }
  REQUIRE(even.checksums().size() == FrameSketch::most);
  CHECK(*even.checksums().rbegin() == 2 * (FrameSketch::most - 1));
  CHECK(even.common_with(third) == 1366);  // multiples of six up to 8190
  CHECK(third.common_with(even) == even.common_with(third));
  FrameSketch sum = even;
  sum += third;
  CHECK(sum.checksums().size() == FrameSketch::most);
  for (const std::uint64_t checksum : sum.checksums()) CHECK((checksum % 2 == 0 || checksum % 3 == 0));
}

TEST_CASE("append and merge with folds, through model files") {
  const UpdateSetup setup;
  FitConfiguration with_folds = setup.options;
  with_folds.optimize.folds = 3;
  const FittedModel all = setup.fitted("all.xyz");
  for (const char* name : {"first.xyz", "second.xyz"}) {
    const FittedModel part = setup.fitted(name, with_folds);
    save_model(part.model, part.stored, setup.path(std::string(name) + ".h5"));
  }
  FittedModel first, second;
  first.model = load_model(setup.path("first.xyz.h5"));
  first.stored = load_statistics(setup.path("first.xyz.h5"), first.model);
  second.model = load_model(setup.path("second.xyz.h5"));
  second.stored = load_statistics(setup.path("second.xyz.h5"), second.model);
  CHECK(first.stored.statistics.has_folds());
  FittedModel appended = first;
  append(appended, FileDataset({setup.path("second.xyz")}));
  CHECK(appended.stored.statistics.groups.size() >= first.stored.statistics.groups.size());
  check_same_solution(appended.model, all.model, 1e-8);
  merge(first, second);
  check_same_solution(first.model, all.model, 1e-8);
  RefitOptions cross;
  cross.optimize.objective = OptimizeOptions::Objective::cross_validation;
  cross.optimize.min_rows = 5;
  const OptimizationReport r = refit(first, cross);
  CHECK(r.after.fold_error.size() == r.groups.size());
}

TEST_CASE("refit equals a fit with these sigmas and deltas") {
  const UpdateSetup setup;
  FittedModel fitted = setup.fitted("all.xyz");
  const double before = fitted.model.posterior.log_evidence;
  RefitOptions changes;
  changes.sigma = {{Property::energy, "", 0.004}, {Property::force, "late", 0.07}, {Property::virial, "default", 0.9}};
  changes.delta = {{"soap", 0.3}};
  const OptimizationReport r = refit(fitted, changes);
  check_close(r.before.log_evidence, before, 0, 1e-9);
  FitConfiguration direct = setup.options;
  direct.regularization.standard[Property::energy] = 0.004;
  direct.regularization.config_type["late"][Property::force] = 0.07;
  direct.regularization.standard[Property::virial] = 0.9;
  direct.terms[1].delta = 0.3;
  const FittedModel expected = setup.fitted("all.xyz", direct);
  // Weights belong to kernels with another δ, the functions are equal: S φ and u are.
  CHECK(largest_difference(fitted.model.posterior.mean, expected.model.posterior.mean) <=
        1e-8 * expected.model.posterior.mean.cwiseAbs().maxCoeff());
  check_close(fitted.model.posterior.log_evidence, expected.model.posterior.log_evidence, 0, 1e-9);
  check_close(r.after.log_evidence, expected.model.posterior.log_evidence, 0, 1e-9);
  // Once more: values that are not named stay.
  RefitOptions back;
  back.sigma = {{Property::force, "late", 0.2}};
  refit(fitted, back);
  for (const RowGroup& g : fitted.model.posterior.groups) {
    if (g.property == Property::energy && g.config_class == "default" && !g.fixed) CHECK(g.sigma == 0.004);
    if (g.property == Property::force && g.config_class == "late") CHECK(g.sigma == 0.2);
  }
  CHECK(fitted.model.posterior.delta_ratio[3] == 0.3);
}

TEST_CASE("optimising from stored statistics equals optimising in the fit") {
  const UpdateSetup setup;
  FitConfiguration options = setup.options;
  options.optimize.objective = OptimizeOptions::Objective::evidence;
  options.optimize.min_rows = 5;
  const FittedModel direct = setup.fitted("all.xyz", options);
  FittedModel later = setup.fitted("all.xyz");
  refit(later, {.sigma = {}, .delta = {}, .optimize = options.optimize});
  check_close(later.model.posterior.log_evidence, direct.model.posterior.log_evidence, 0, 1e-10);
  for (std::size_t g = 0; g < direct.model.posterior.groups.size(); ++g)
    check_close(later.model.posterior.groups[g].sigma, direct.model.posterior.groups[g].sigma, 0, 1e-10);
  // Appending to an optimised model keeps its σ.
  FittedModel half = setup.fitted("first.xyz", options);
  const auto before = half.model.posterior;
  append(half, FileDataset({setup.path("second.xyz")}));
  CHECK(half.model.posterior.delta_ratio == before.delta_ratio);
  for (const RowGroup& g : before.groups)
    for (const RowGroup& now : half.model.posterior.groups)
      if (now.same_noise(g)) CHECK(now.sigma == g.sigma);
}

TEST_CASE("statistics come back from a model file to the last bit; a model without them is refused") {
  const UpdateSetup setup;
  const FittedModel fitted = setup.fitted("all.xyz");
  const std::string file = setup.path("model.h5");
  save_model(fitted.model, fitted.stored, file);
  const Model model = load_model(file);
  const StoredStatistics stored = load_statistics(file, model);
  REQUIRE(stored.statistics.groups.size() == fitted.stored.statistics.groups.size());
  for (std::size_t g = 0; g < stored.statistics.groups.size(); ++g) {
    const GroupStatistics &a = stored.statistics.groups[g], &b = fitted.stored.statistics.groups[g];
    CHECK(a.group.same_rows(b.group));
    CHECK(a.gram.packed() == b.gram.packed());
    CHECK(largest_difference(a.moment, b.moment) == 0);
    CHECK(a.target_square == b.target_square);
    CHECK(a.log_weight == b.log_weight);
    CHECK(a.count == b.count);
  }
  CHECK(stored.amplitudes == std::vector<std::int64_t>(fitted.stored.amplitudes));
  CHECK(stored.rules.groups.size() == fitted.stored.rules.groups.size());
  CHECK(std::filesystem::file_size(file) > fitted.stored.bytes());
  const std::string plain = setup.path("plain.h5");
  save_model(model, plain);
  CHECK(std::filesystem::file_size(plain) < fitted.stored.bytes() + 200000);
  const std::string message = message_of<InputError>([&] { load_statistics(plain, load_model(plain)); });
  CHECK(message.find("plain.h5") != std::string::npos);
  CHECK(message.find("--statistics") != std::string::npos);
}

TEST_CASE("models and data that do not belong together are refused") {
  const UpdateSetup setup;
  FittedModel fitted = setup.fitted("first.xyz");
  const Vector before = fitted.model.weights;
  // The same data twice
  CHECK(message_of<InputError>([&] { merge(fitted, setup.fitted("first.xyz")); }).find("same data") != std::string::npos);
  // Other sparse points, reference energies, scales, δ
  FitConfiguration other = setup.options;
  other.reference_energies.values["Si"] += 0.1;
  CHECK(message_of<InputError>([&] { merge(fitted, setup.fitted("second.xyz", other)); }).find("reference energies") != std::string::npos);
  other = setup.options;
  other.regularization.scale_with_atoms = false;
  CHECK(message_of<InputError>([&] { merge(fitted, setup.fitted("second.xyz", other)); }) != "");
  other = setup.options;
  other.baselines.clear();
  CHECK(message_of<InputError>([&] { merge(fitted, setup.fitted("second.xyz", other)); }) != "");
  other = setup.options;
  other.terms[1].delta = 0.7;
  CHECK(message_of<InputError>([&] { merge(fitted, setup.fitted("second.xyz", other)); }) != "");
  // Statistics of another model
  const FittedModel foreign = setup.fitted("second.xyz", other);
  save_model(fitted.model, foreign.stored, setup.path("mixed.h5"));
  CHECK(message_of<InputError>([&] { load_statistics(setup.path("mixed.h5"), load_model(setup.path("mixed.h5"))); }).find("fingerprint") !=
        std::string::npos);
  // Unknown elements, classes, terms
  setup.write("germanium.xyz", {labelled(random_triclinic(3, 1, {32}))});
  CHECK(message_of<InputError>([&] { append(fitted, FileDataset({setup.path("germanium.xyz")})); }).find("Ge") != std::string::npos);
  RefitOptions wrong;
  wrong.sigma = {{Property::force, "liqid", 0.1}};
  CHECK(message_of<InputError>([&] { refit(fitted, wrong); }).find("'liqid'") != std::string::npos);
  wrong = {};
  wrong.delta = {{"saop", 0.1}};
  CHECK(message_of<InputError>([&] { refit(fitted, wrong); }).find("did you mean 'soap'") != std::string::npos);
  wrong = {};
  wrong.optimize.objective = OptimizeOptions::Objective::cross_validation;
  CHECK(message_of<InputError>([&] { refit(fitted, wrong); }).find("folds") != std::string::npos);
  CHECK(largest_difference(fitted.model.weights, before) == 0);
}
