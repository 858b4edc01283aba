// Plans of fits, their refusals, and sparse points that are written and read back.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<Structure> planned_frames(const std::vector<int>& elements, unsigned count = 6) {
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= count; ++seed) frames.push_back(labelled(random_triclinic(4, seed, elements), seed % 2 ? "odd" : "even"));
  return frames;
}

}  // namespace

TEST_CASE("the plan counts frames, atoms, pairs, rows and candidates, and the fit follows it") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = planned_frames({6, 14});
  const std::string train = write_frames((folder.path() / "train.xyz").string(), frames);
  TermOptions soap = small_soap(2, 2, 2, 5);
  soap.config_type_n_sparse = {{"odd", 2}};
  FitConfiguration options = small_options(train, {small_two_body(0.6, 6), soap});
  options.regularization.config_type["odd"] = {0.1, 0.1, 0.1};
  const FitPlan plan = plan_fit(options);
  CHECK(plan.frames == 6);
  CHECK(plan.atoms == 24);
  CHECK(plan.elements == std::vector<int>{6, 14});
  CHECK(plan.config_types == std::map<std::string, std::int64_t>{{"even", 3}, {"odd", 3}});
  CHECK(plan.rows() == 6 * (1 + 12 + 6));
  CHECK(plan.flop > 0);
  CHECK(plan.seconds > 0);

  std::int64_t pairs = 0;
  std::map<std::string, std::int64_t> candidates;
  for (const Structure& s : frames) {
    const NeighborList list(s, 4.2);
    pairs += static_cast<std::int64_t>(list.pair_count());
    for (int i = 0; i < s.size(); ++i) {
      const int z = s.atomic_numbers[static_cast<std::size_t>(i)];
      ++candidates["soap " + combination_name({z})];
      for (std::size_t p = list.begin()[static_cast<std::size_t>(i)]; p < list.begin()[static_cast<std::size_t>(i) + 1]; ++p) {
        const auto [low, high] = std::minmax(z, s.atomic_numbers[static_cast<std::size_t>(list.index()[p])]);
        ++candidates["two_body " + combination_name({low, high})];
      }
    }
  }
  CHECK(plan.pairs == pairs);
  REQUIRE(plan.terms.size() == 5);
  for (const FitPlan::TermPlan& term : plan.terms) {
    CAPTURE(term.label);
    CHECK(term.candidates == candidates.at(term.label));
    CHECK(term.features == (term.label.starts_with("soap") ? 3 * 4 * 5 / 2 : 1));
    CHECK(term.sparse_points == (term.label.starts_with("soap") ? 7 : 6));
  }
  CHECK(plan.sparse_points() == 3 * 6 + 2 * 7);
  check_close(plan.gram_bytes, 6 * 32 * 33 / 2 * 8, 0);

  const FitResult result = fit(options);
  CHECK(result.report.plan.rows() == plan.rows());
  CHECK(result.report.terms.size() == 5);
  for (std::size_t t = 0; t < 5; ++t) {
    CHECK(result.report.terms[t].label == plan.terms[t].label);
    CHECK(result.report.terms[t].candidates == plan.terms[t].candidates);
    CHECK(result.report.terms[t].asked == plan.terms[t].sparse_points);
    CHECK(result.report.terms[t].chosen <= result.report.terms[t].asked);
  }
}

TEST_CASE("a fit that needs more memory than allowed is refused before it begins, with a remedy") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), planned_frames({14}));
  FitConfiguration options = small_options(train, {small_soap(2, 2, 2, 5)});
  const double needed = plan_fit(options).memory_bytes;
  options.memory = 1.001 * needed / 1e9;
  CHECK(message_of<InputError>([&] { plan_fit(options); }) == "");
  options.memory = 0.999 * needed / 1e9;
  for (const bool only_plan : {true, false}) {
    const std::string message = message_of<InputError>([&] {
      if (only_plan)
        plan_fit(options);
      else
        fit(options);
    });
    CAPTURE(message);
    CHECK(message.find("GB") != std::string::npos);
    CHECK(message.find("--memory") != std::string::npos);
  }
  // K_MM and A of more points; there are hundreds of pairs.
  const auto memory = [&](int n_sparse) { return plan_fit(small_options(train, {small_two_body(0.6, n_sparse)})).memory_bytes; };
  CHECK(memory(300) - memory(10) > 2 * (300.0 * 300 - 10 * 10) * 8);
}

TEST_CASE("the plan counts the features after a compression, and the first fit of a learned metric") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), planned_frames({14}));
  const auto planned = [&](const std::string& kind, double rank) {
    TermOptions soap = small_soap(4, 3, 2, 12);
    soap.compression.kind = kind;
    soap.compression.rank = rank;
    if (kind == "learned") {
      soap.kernel = "polynomial";
      soap.kernel_parameters = {{"zeta", std::int64_t{2}}, {"constant", 16.0}};
    }
    return plan_fit(small_options(train, {soap}));
  };
  const FitPlan full = planned("none", 0), pca = planned("pca", 8), learned = planned("learned", 8), usual = planned("learned", 0);
  const double features = 4 * 4 * 5 / 2.0, points = 12;  // (l_max + 1) n_max (n_max + 1)/2
  CHECK(full.terms[0].features == features);
  CHECK(full.terms[0].rank == features);
  CHECK(full.phase_flop.count("compress") == 0);
  for (const FitPlan& plan : {pca, learned}) {
    CHECK(plan.terms[0].features == features);
    CHECK(plan.terms[0].rank == 8);
    // The Jacobian is mapped to 8 features, then contracted with the points.
    check_close(plan.phase_flop.at("kernel rows") / full.phase_flop.at("kernel rows"), 8 * (points + features) / (features * points), 0,
                1e-12);
    check_close(plan.phase_flop.at("gram"), full.phase_flop.at("gram"), 0);
  }
  CHECK(pca.phase_flop.at("compress") > 0);
  CHECK(learned.phase_flop.at("compress") > pca.phase_flop.at("compress"));
  CHECK(usual.terms[0].rank == features);  // 64, but there are no more
  double sum = 0;
  for (const auto& [phase, flop] : learned.phase_flop) sum += flop;
  check_close(learned.flop, sum, 0, 1e-12);
}

TEST_CASE("the estimate of the memory has the work space of the calibration and the rows that it keeps") {
  const TemporaryFolder folder;
  FitConfiguration options =
      small_options(write_frames((folder.path() / "train.xyz").string(), planned_frames({14})), {small_two_body(0.6, 300)});
  options.calibration.source = CalibrationOptions::Source::none;
  const FitPlan without = plan_fit(options);
  options.calibration.source = CalibrationOptions::Source::leave_one_out;
  const FitPlan with = plan_fit(options);
  const auto points = static_cast<double>(with.sparse_points());
  CHECK(without.kept_bytes == 0);
  CHECK(with.kept_bytes == static_cast<double>(with.rows()) * points * 4);
  CHECK(with.memory_bytes >= with.gram_bytes + 10 * points * points * 8);
  CHECK(with.memory_bytes - without.memory_bytes >= 5e7);  // pairs: points for the prior are chosen too
  CHECK(with.peak_bytes(1e12) == with.memory_bytes + with.kept_bytes);
  CHECK(with.peak_bytes(with.memory_bytes + 10) == with.memory_bytes + 10);
}

TEST_CASE("sparse points that were written are read back to the same model") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), planned_frames({6, 14}));
  for (const std::string selection : {"random", "cur", "variance"}) {
    CAPTURE(selection);
    TermOptions pair = small_two_body(0.6, 6), soap = small_soap(2, 2, 2, 7);
    soap.selection = selection;
    FitConfiguration options = small_options(train, {pair, soap});
    options.seed = 11;
    options.sparse_output = (folder.path() / selection).string();
    const Model model = fit(options).model;
    FitConfiguration from_points = options, from_indices = options;
    for (FitConfiguration* o : {&from_points, &from_indices}) {
      o->sparse_output.clear();
      o->seed = 99;
    }
    const std::vector<std::vector<std::string>> combinations = {{"C-C", "C-Si", "Si-Si"}, {"C", "Si"}};
    for (std::size_t t = 0; t < 2; ++t) {
      from_points.terms[t].selection = "file";
      from_indices.terms[t].selection = "indices";
      for (const std::string& combination : combinations[t]) {
        const std::string stem = options.sparse_output + "." + options.terms[t].name + "-" + combination;
        from_points.terms[t].sparse_file[combination] = stem + ".points";
        from_indices.terms[t].sparse_indices[combination] = stem + ".indices";
      }
    }
    for (const FitConfiguration* o : {&from_points, &from_indices}) {
      CHECK(plan_fit(*o).sparse_points() == model.weights.size());
      const Model again = fit(*o).model;
      REQUIRE(again.terms.size() == model.terms.size());
      for (std::size_t t = 0; t < model.terms.size(); ++t) {
        CHECK(again.terms[t].sparse.x == model.terms[t].sparse.x);
        CHECK(again.terms[t].sparse.covariance_cutoff == model.terms[t].sparse.covariance_cutoff);
      }
      CHECK(again.weights == model.weights);
    }
  }
}

TEST_CASE("sparse files that do not fit are refused with their name") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), planned_frames({14}));
  TermOptions soap = small_soap(2, 2, 2, 0);
  soap.selection = "indices";
  for (const std::string text : {"1 2 99999\n", "0 1\n", "1 2 1\n", ""}) {
    CAPTURE(text);
    soap.sparse_indices[""] = folder.write("chosen.indices", text).string();
    CHECK(message_of<InputError>([&] { fit(small_options(train, {soap})); }).find("chosen.indices") != std::string::npos);
  }
  soap.selection = "file";
  for (const std::string text : {"1 2 3\n", "0.1 nan\n", ""}) {
    CAPTURE(text);
    soap.sparse_file[""] = folder.write("chosen.points", text).string();
    CHECK(message_of<InputError>([&] { fit(small_options(train, {soap})); }).find("chosen.points") != std::string::npos);
  }
  soap.sparse_file.clear();
  CHECK(message_of<InputError>([&] { fit(small_options(train, {soap})); }).find("sparse_file") != std::string::npos);
}

TEST_CASE("a long list of sparse points counts in the memory estimate") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), planned_frames({14}));
  TermOptions pair = small_two_body(0.6, 0);
  pair.selection = "file";
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += "2.5\n";
  pair.sparse_file[""] = folder.write("many.points", text).string();
  CHECK(message_of<InputError>([&] { plan_fit(small_options(train, {pair})); }).find("GB") != std::string::npos);
}

TEST_CASE("no terms, no files, no targets: refused") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = planned_frames({14}, 2);
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_soap(2, 2, 2, 5)});
  FitConfiguration bad = options;
  bad.terms.clear();
  CHECK(message_of<InputError>([&] { plan_fit(bad); }) != "");
  bad = options;
  bad.train.clear();
  CHECK(message_of<InputError>([&] { plan_fit(bad); }) != "");
  bad = options;
  bad.keys.name("energy", "no_such_key");
  bad.use[Property::force] = bad.use[Property::virial] = false;
  CHECK(message_of<InputError>([&] { plan_fit(bad); }) != "");
  bad = options;
  bad.terms[0].species = {"O"};
  CHECK(message_of<InputError>([&] { plan_fit(bad); }).find("O") != std::string::npos);
}
