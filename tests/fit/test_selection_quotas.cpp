#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/sparse_points.hpp>
#include <set>

#include "fit/choose_points.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::vector<std::string> config_types = {"bulk", "gas", "liquid"};

/// 400 candidates: about 300 of bulk, 40 of gas, 60 of liquid.
Candidates mixed_candidates(int size) {
  std::mt19937_64 generator(31);
  test::Normal normal;
  Candidates c;
  c.x.resize(400, size);
  for (double& v : c.x.reshaped()) v = normal(generator);
  c.cutoff = Vector::Ones(400);
  for (int i = 0; i < 400; ++i) {
    const int draw = static_cast<int>(generator() % 20);
    c.config_type.push_back(draw < 15 ? 0 : draw < 17 ? 1 : 2);
    c.origin.push_back({i, 0, 0});
    c.serial.push_back(i);
  }
  return c;
}

struct Choice {
  std::vector<int> places;
  std::vector<std::string> warnings;
};

Choice choose(const TermOptions& term, const Candidates& c, std::uint64_t seed = 3) {
  const KernelKind& kind = kernel_kind("squared_exponential");
  const auto kernel = kind.make(complete_parameters({{"length_scale", 0.5}}, kind.parameters, "test"));
  Choice choice;
  choice.places = choose_points(term, c, config_types, {.seed = seed, .kernel = kernel.get()},
                                [&](const std::string& message) { choice.warnings.push_back(message); });
  return choice;
}

TermOptions term_with(const std::string& selection, int n_sparse, std::map<std::string, int> quotas) {
  TermOptions term;
  term.name = "pair";
  term.selection = selection;
  term.n_sparse = n_sparse;
  term.config_type_n_sparse = std::move(quotas);
  return term;
}

std::vector<int> places_of(const Candidates& c, std::set<int> types) {
  std::vector<int> places;
  for (int i = 0; i < c.x.rows(); ++i)
    if (types.count(c.config_type[static_cast<std::size_t>(i)])) places.push_back(i);
  return places;
}

bool is_distinct(const std::vector<int>& places) {
  return std::set<int>(places.begin(), places.end()).size() == places.size();
}

}  // namespace

TEST_CASE("every selection: quotas come first in the order of the names, then n_sparse of the other config types") {
  for (const auto& kind : selection_kinds()) {
    CAPTURE(kind.name);
    const Candidates c = mixed_candidates(3);
    const Choice choice = choose(term_with(kind.name, 20, {{"liquid", 9}, {"gas", 5}}), c);
    CHECK(choice.warnings.empty());
    REQUIRE(choice.places.size() == 34);
    CHECK(is_distinct(choice.places));
    for (std::size_t m = 0; m < 34; ++m) CHECK(c.config_type[static_cast<std::size_t>(choice.places[m])] == (m < 5 ? 1 : m < 14 ? 2 : 0));
    CHECK(choose(term_with(kind.name, 20, {{"liquid", 9}, {"gas", 5}}), c).places == choice.places);

    // The first quota is the method's own choice among its candidates.
    const KernelKind& kernels = kernel_kind("squared_exponential");
    const auto kernel = kernels.make(complete_parameters({{"length_scale", 0.5}}, kernels.parameters, "test"));
    const std::vector<int> gas = places_of(c, {1});
    const std::vector<int> own = kind.choose(candidates_at(c, gas), {.count = 5, .seed = 3, .kernel = kernel.get()});
    for (std::size_t m = 0; m < 5; ++m) CHECK(choice.places[m] == gas[static_cast<std::size_t>(own[m])]);

    // Without quotas: the choice among all.
    const std::vector<int> all = kind.choose(c, {.count = 20, .seed = 3, .kernel = kernel.get()});
    CHECK(choose(term_with(kind.name, 20, {}), c).places == all);
  }
}

TEST_CASE("the numbers of the config types do not matter") {
  const Candidates c = mixed_candidates(3);
  Candidates renumbered = c;
  for (int& t : renumbered.config_type) t = 2 - t;
  const std::vector<std::string> reversed = {"liquid", "gas", "bulk"};
  const TermOptions term = term_with("cur", 20, {{"liquid", 9}, {"gas", 5}});
  const auto ignore = [](const std::string&) {};
  CHECK(choose_points(term, c, config_types, {.seed = 4}, ignore) == choose_points(term, renumbered, reversed, {.seed = 4}, ignore));
}

TEST_CASE("quotas and n_sparse above what there is: all are taken, with a warning") {
  const Candidates c = mixed_candidates(2);
  const auto gas = places_of(c, {1}), rest = places_of(c, {0, 2});
  Choice choice = choose(term_with("fps", 1000, {{"gas", 200}}), c);
  CHECK(choice.places.size() == 400);
  CHECK(is_distinct(choice.places));
  REQUIRE(choice.warnings.size() == 2);
  CHECK(choice.warnings[0].find("200 sparse points of 'gas', which has only " + std::to_string(gas.size())) != std::string::npos);
  CHECK(choice.warnings[1].find("n_sparse is 1000") != std::string::npos);
  CHECK(choice.warnings[1].find("only " + std::to_string(rest.size()) + " distinct") != std::string::npos);

  choice = choose(term_with("random", 500, {}), c);
  CHECK(choice.places.size() == 400);
  REQUIRE(choice.warnings.size() == 1);
  CHECK(choice.warnings[0].find("n_sparse is 500, but there are only 400") != std::string::npos);

  // Nothing is left for n_sparse.
  choice = choose(term_with("fps", 7, {{"bulk", 2}, {"gas", 3}, {"liquid", 4}}), c);
  CHECK(choice.places.size() == 9);
  CHECK(choice.warnings.size() == 1);
}

TEST_CASE("unknown config types are refused with the nearest name") {
  const std::string message = message_of<InputError>([] { check_quotas(term_with("cur", 1, {{"liqid", 3}}), config_types); });
  CHECK(message.find("'liqid'") != std::string::npos);
  CHECK(message.find("did you mean 'liquid'?") != std::string::npos);
  CHECK(message.find("term 'pair'") != std::string::npos);
}

TEST_CASE("candidates are kept in place as they are copied") {
  const Candidates c = mixed_candidates(3);
  const std::vector<int> places = {0, 1, 5, 17, 18, 399};
  const Candidates copied = candidates_at(c, places);
  Candidates kept = c;
  keep_candidates(kept, places);
  CHECK(kept.x == copied.x);
  CHECK(kept.cutoff == copied.cutoff);
  CHECK(kept.serial == std::vector<std::int64_t>{0, 1, 5, 17, 18, 399});
  CHECK(copied.serial == kept.serial);
  CHECK(copied.config_type == kept.config_type);
  for (std::size_t i = 0; i < places.size(); ++i) CHECK((kept.origin[i].frame == places[i] && copied.origin[i].frame == places[i]));
}

TEST_CASE("a fit's sparse points honour quotas and the cap") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  std::vector<std::string> type_of_frame;
  for (unsigned k = 0; k < 12; ++k) {
    type_of_frame.push_back(k < 8 ? "bulk" : k < 10 ? "liquid" : "gas");
    frames.push_back(labelled(random_triclinic(6, 100 + k), type_of_frame.back()));
  }
  FitConfiguration options =
      small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_soap(3, 2, 2, 6), small_two_body(0.6, 8)});
  for (TermOptions& term : options.terms) term.config_type_n_sparse = {{"liquid", 4}, {"gas", 3}};
  options.terms[0].selection = "fps";
  options.terms[0].max_candidates = 30;  // of 72: 12 of liquid, 12 of gas would be more than a third
  const FileDataset data(options.train);
  const DataScan scan = scan_training_data({data}, {}, options, {});
  std::vector<TermReport> reports;
  const std::vector<Term> terms = choose_sparse_points({data}, options, scan, reports, {});
  REQUIRE(terms.size() == 2);
  CHECK(reports[0].candidates == 30);
  for (std::size_t t = 0; t < 2; ++t) {
    CAPTURE(t);
    REQUIRE(reports[t].dropped == 0);
    CHECK(reports[t].asked == (t == 0 ? 13 : 15));
    REQUIRE(static_cast<int>(terms[t].sparse.origin.size()) == reports[t].asked);
    for (std::size_t m = 0; m < terms[t].sparse.origin.size(); ++m)
      CHECK(type_of_frame[static_cast<std::size_t>(terms[t].sparse.origin[m].frame)] == (m < 3 ? "gas" : m < 7 ? "liquid" : "bulk"));
  }

  // None of the other config types; every distinct environment.
  options.terms[0].n_sparse = 0;
  options.terms[1].config_type_n_sparse.clear();
  options.terms[1].selection = "all";
  const DataScan second_scan = scan_training_data({data}, {}, options, {});
  std::vector<TermReport> second_reports;
  const std::vector<Term> others = choose_sparse_points({data}, options, second_scan, second_reports, {});
  REQUIRE(others.size() == 2);
  CHECK(others[0].sparse.size() == 7);
  CHECK(second_reports[1].asked == second_reports[1].candidates - second_reports[1].duplicates);
  CHECK(others[1].sparse.size() + second_reports[1].dropped == second_reports[1].asked);
  CHECK(second_reports[1].asked > 100);
  CHECK(second_scan.plan.terms[1].sparse_points == second_reports[1].candidates);

  options.terms[1].config_type_n_sparse = {{"gaz", 3}};
  CHECK(message_of<InputError>([&] { plan_fit(options); }).find("did you mean 'gas'?") != std::string::npos);
}
