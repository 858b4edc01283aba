// Fits whose long range has charges that the same fit learns.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/long_range_gain.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/bound_fields.hpp>
#include <gapkit/model/sample.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/charged_clusters.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

double energy_error(const Model& model, const std::vector<Structure>& frames) {
  Predictor predictor(std::make_shared<const Model>(model));
  double sum = 0;
  for (const Structure& s : frames) sum += std::pow(predictor.compute(s).energy - *s.energy, 2);
  return std::sqrt(sum / static_cast<double>(frames.size()));
}

}  // namespace

TEST_CASE("learned charges: a fit with them knows the energies of clusters beyond the cutoff, without them it does not") {
  const std::vector<Structure> train = clusters(0, 24);
  std::vector<Structure> far;
  for (unsigned k = 0; k < 6; ++k) far.push_back(two_clusters(500 + k, 14 + 2.0 * k));
  const MemoryDataset data(train, "frames");
  const FitOptions options = learned_options();
  FitOptions none = options;
  none.baselines.clear();
  const FitResult with = fit({data}, options), without = fit({data}, none);
  CHECK(energy_error(with.model, far) < 0.02);
  CHECK(energy_error(without.model, far) > 0.3);

  // Its forces are the derivatives of its energy.
  Predictor predictor(std::make_shared<const Model>(with.model));
  const Structure& s = far.front();
  const Prediction p = predictor.compute(s);
  for (int i = 0; i < s.size(); ++i)
    for (int k = 0; k < 3; ++k) {
      Structure up = s, down = s;
      up.positions(i, k) += 1e-4;
      down.positions(i, k) -= 1e-4;
      check_close((*p.forces)(i, k), (predictor.compute(down).energy - predictor.compute(up).energy) / 2e-4, 1e-5);
    }
}

TEST_CASE("learned charges: the short range is fitted to the labels without the energy of the predicted charges") {
  const std::vector<Structure> train = clusters(0, 16);
  const MemoryDataset data(train, "frames");
  const FitOptions options = learned_options();
  const FitResult learned = fit({data}, options);
  const std::vector<PotentialPointer>& long_range = learned.model.baselines;
  std::vector<Structure> rest = train;
  for (Structure& s : rest) subtract_potentials(long_range, s);
  FitOptions of_rest = options;
  of_rest.baselines.clear();
  of_rest.properties.clear();
  const MemoryDataset rest_data(rest, "rest");
  const FitResult short_range = fit({rest_data}, of_rest);
  CHECK(largest_difference(learned.model.weights, short_range.model.weights) <= 1e-6 * largest_entry(short_range.model.weights));
}

TEST_CASE("learned charges: a missing isolated atom is an error before the charges are fitted") {
  const MemoryDataset data(clusters(0, 12), "frames");
  FitOptions options = learned_options();
  options.reference_energies = {.mode = ReferenceEnergyOptions::Mode::isolated, .values = {}};
  int events = 0;
  std::string message;
  try {
    fit({data}, options, {.progress = [&](const ProgressEvent&) { ++events; }});
  } catch (const InputError& error) {
    message = error.what();
  }
  CHECK(message.find("the training data have no isolated ") == 0);
  CHECK(events == 0);
}

TEST_CASE("learned charges: frames can be appended to a saved model, and a model with other charges is not merged") {
  const TemporaryFolder folder;
  const std::vector<Structure> all = clusters(0, 20);
  const FitOptions options = learned_options();
  const MemoryDataset first({all.begin(), all.begin() + 12}, "first"), second({all.begin() + 12, all.end()}, "second");
  const FitResult before = fit({first}, options);
  const auto path = folder.path() / "model.h5";
  save_model(before.model, *before.statistics, path);
  FittedModel fitted;
  fitted.model = load_model(path);
  fitted.stored = load_statistics(path, fitted.model);
  std::vector<std::string> messages;
  append(fitted, second, [&](const ProgressEvent& event) { messages.push_back(event.message); });
  CHECK(std::any_of(messages.begin(), messages.end(),
                    [](const std::string& m) { return m.find("local properties of the model stay as they are") != std::string::npos; }));
  CHECK(energy_error(fitted.model, {all.begin() + 12, all.end()}) < 0.02);
  FittedModel twice = fitted;
  messages.clear();
  append(twice, MemoryDataset(all, "all"), [&](const ProgressEvent& event) { messages.push_back(event.message); });
  CHECK(std::count(messages.begin(), messages.end(), "the model has 20 of the 20 new frames already: they now count twice") == 1);

  std::vector<Structure> silent = {two_clusters(900, 9), two_clusters(901, 9)};
  std::erase_if(silent[1].fields, [](const Field& f) { return f.key == "total_charge"; });
  messages.clear();
  append(twice, MemoryDataset(silent, "silent"), [&](const ProgressEvent& event) { messages.push_back(event.message); });
  CHECK(std::count(messages.begin(), messages.end(), "1 of the 2 new frames do not give their total charge: it is taken as 0 e") == 1);

  // Members of an ensemble have the charges of the model.
  save_model(sample_model(fitted.model, 3, 0), path);
  CHECK(energy_error(load_model(path), {all.begin() + 12, all.end()}) < 0.2);

  FittedModel other;
  const FitResult of_second = fit({second}, options);
  other.model = of_second.model;
  other.stored = *of_second.statistics;
  CHECK_THROWS_AS(merge(fitted, other), InputError);
}

TEST_CASE("learned charges: without the property the fit is refused by name") {
  FitOptions options = learned_options();
  options.properties.front().keys.name = "q";
  const MemoryDataset data(clusters(0, 4), "frames");
  CHECK(message_of<InputError>([&] { fit({data}, options); }) ==
        "[[long_range]]: 'coulomb' takes the property 'charge', expected a [[property]] of this name, found q");
}

TEST_CASE("learned charges: the comparison with and without them uses the charges of the model") {
  const MemoryDataset data(clusters(0, 30), "frames");
  FitOptions options = learned_options();
  options.baselines = fit({data}, options).model.baselines;
  std::map<int, double> energies;
  for (const int z : {6, 14}) energies[z] = lone_atom_energy(z);
  const std::optional<LongRangeGain> gain = long_range_gain({data}, options, energies);
  REQUIRE(gain);
  CHECK(!gain->has_fixed_charges);
  CHECK(gain->with.energy < 0.5 * gain->without.energy);
  CHECK(gain->warning().empty());
}

TEST_CASE("learned charges: the checks of labels know the total charge of each frame") {
  std::vector<Structure> frames;
  for (unsigned k = 0; k < 24; ++k) {
    const bool is_charged = k % 2 == 1;
    frames.push_back(two_clusters(k, 6 + 0.3 * k, is_charged ? 14 : 6));
    frames.back().config_type = is_charged ? "charged" : "neutral";
  }
  const MemoryDataset data(frames, "frames");
  const FitResult result = fit({data}, learned_options());
  REQUIRE(!result.report.agreement.empty());
  for (const LabelAgreement& agreement : result.report.agreement) {
    CAPTURE(agreement.config_type);
    check_close(agreement.slope, 1, 0.1);
    CHECK(agreement.explained > 0.9);
  }
}

TEST_CASE("learned charges: one structure unlike all others does not decide whether they help, and it is named") {
  std::vector<Structure> frames = clusters(0, 39);
  Structure odd = bare_clusters(700, 9, 6);
  odd.positions.row(1) = odd.positions.row(0) + Eigen::RowVector3d(0.9, 0, 0);  // unknown to all others
  frames.push_back(with_charges(odd));
  frames.back().source = "odd frame";
  const MemoryDataset data(frames, "frames");
  FitOptions options = learned_options();
  options.baselines = fit({data}, options).model.baselines;
  std::map<int, double> energies;
  for (const int z : {6, 14}) energies[z] = lone_atom_energy(z);
  const std::optional<LongRangeGain> gain = long_range_gain({data}, options, energies);
  REQUIRE(gain);
  CHECK(gain->structures == 40);
  CHECK(gain->left_out == 40);
  CHECK(gain->left_aside == 1);
  CHECK(gain->worst_energy.place.find("odd frame") != std::string::npos);
  CHECK(gain->worst_energy.with > 20 * gain->with.energy);
  CHECK(gain->with.energy < 0.5 * gain->without.energy);
  CHECK(gain->with.force < gain->without.force);
  CHECK(gain->warning().empty());
}
