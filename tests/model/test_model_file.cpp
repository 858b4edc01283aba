// Model files: a saved model is loaded to the last bit, and an inconsistent one is refused.

#include <fstream>
#include <functional>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/predict/predictor.hpp>
#include <limits>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

// A fit of two species, pairs and SOAP, with classes of config types and σ of single rows.
Model fitted_model(const TemporaryFolder& folder) {
  std::vector<Structure> frames = {lone_atom(14, "isolated"), lone_atom(6, "isolated")};
  for (unsigned seed = 1; seed <= 4; ++seed) frames.push_back(labelled(random_triclinic(4, seed, {6, 14}), seed % 2 ? "odd" : "default"));
  frames.back().set_field("energy_sigma", 0.004);
  TermOptions pair = small_two_body(0.7, 6), soap = small_soap(2, 2, 2, 7);
  soap.delta = 0.3;
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {pair, soap});
  options.regularization.config_type["odd"] = {0.02, 0.2, 0.3};
  options.reference_energies.mode = ReferenceEnergyOptions::Mode::isolated;
  options.seed = 7;
  Model model = fit(options).model;
  model.configuration = "[data]\n# Å, \"quotes\"\n";
  model.notes = {{"training_errors", "{\"energy\": 1}"}, {"empty", ""}};
  return model;
}

// The error message of loading after `alter` has changed a good model; "" if it loads.
std::string refusal_of(const Model& good, const TemporaryFolder& folder, const std::function<void(Model&)>& alter) {
  Model model = good;
  alter(model);
  const fs::path path = folder.path() / "altered.h5";
  save_model(model, path);
  return message_of<InputError>([&] { load_model(path); });
}

Matrix with_one_more_row(const Matrix& m) {
  Matrix larger = Matrix::Constant(m.rows() + 1, m.cols(), 0.5);
  larger.topRows(m.rows()) = m;
  return larger;
}

Vector with_one_more(const Vector& v) {
  Vector longer = Vector::Constant(v.size() + 1, 0.5);
  longer.head(v.size()) = v;
  return longer;
}

// The factor of the model with one block replaced.
SparseFactor with_block(const SparseFactor& factor, std::size_t t, const Matrix& block) {
  std::vector<Matrix> blocks = factor.blocks();
  blocks[t] = block;
  return SparseFactor(blocks, factor.jitter());
}

}  // namespace

TEST_CASE("a model that was saved and loaded predicts the same bits") {
  const TemporaryFolder folder;
  const Model model = fitted_model(folder);
  const fs::path path = folder.path() / "model.h5";
  save_model(model, path);
  const Model loaded = load_model(path);

  CHECK(loaded.reference_energies == model.reference_energies);
  CHECK(loaded.weights == model.weights);
  CHECK(loaded.configuration == model.configuration);
  CHECK(loaded.seed == model.seed);
  CHECK(loaded.data_fingerprint == model.data_fingerprint);
  CHECK(loaded.scale_with_atoms == model.scale_with_atoms);
  CHECK(loaded.notes == model.notes);
  REQUIRE(model.shortest_distances);
  CHECK(model.shortest_distances->size() == 3);
  CHECK(loaded.shortest_distances == model.shortest_distances);
  CHECK(loaded.posterior.mean == model.posterior.mean);
  CHECK(loaded.posterior.factor == model.posterior.factor);
  CHECK(loaded.posterior.delta_ratio == model.posterior.delta_ratio);
  CHECK(loaded.posterior.log_evidence == model.posterior.log_evidence);
  REQUIRE(loaded.posterior.groups.size() == model.posterior.groups.size());
  for (std::size_t i = 0; i < model.posterior.groups.size(); ++i) {
    CHECK(loaded.posterior.groups[i].same_rows(model.posterior.groups[i]));
    CHECK(loaded.posterior.groups[i].sigma == model.posterior.groups[i].sigma);
  }
  REQUIRE(loaded.terms.size() == 5);
  REQUIRE(loaded.terms.size() == model.terms.size());
  CHECK(loaded.factor.jitter() == model.factor.jitter());
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Term &a = loaded.terms[t], &b = model.terms[t];
    CHECK(a.label() == b.label());
    CHECK(a.elements == b.elements);
    CHECK(a.delta == b.delta);
    CHECK(a.sparse.x == b.sparse.x);
    CHECK(a.sparse.covariance_cutoff == b.sparse.covariance_cutoff);
    CHECK(loaded.factor.blocks()[t] == model.factor.blocks()[t]);
    REQUIRE(a.sparse.origin.size() == b.sparse.origin.size());
    for (std::size_t m = 0; m < a.sparse.origin.size(); ++m) {
      CHECK(a.sparse.origin[m].frame == b.sparse.origin[m].frame);
      CHECK(a.sparse.origin[m].atom == b.sparse.origin[m].atom);
      CHECK(a.sparse.origin[m].ordinal == b.sparse.origin[m].ordinal);
    }
  }

  Predictor before(std::make_shared<const Model>(model)), after(std::make_shared<const Model>(loaded));
  const PredictionRequest everything{.forces = true, .energy_std = true, .local_std = true};
  for (const unsigned seed : {1u, 99u}) {
    Structure s = random_triclinic(5, seed, {6, 14});
    s.config_type = "odd";
    const Prediction a = before.compute(s, everything), b = after.compute(s, everything);
    CHECK(a.forces->cwiseAbs().maxCoeff() > 0.01);
    CHECK(a.energy == b.energy);
    CHECK(a.local_energy == b.local_energy);
    CHECK(*a.forces == *b.forces);
    CHECK(*a.virial == *b.virial);
    CHECK(*a.energy_std > *a.energy_std_epistemic);
    CHECK(*a.energy_std == *b.energy_std);
    CHECK(*a.energy_std_epistemic == *b.energy_std_epistemic);
    CHECK(*a.local_energy_std_epistemic == *b.local_energy_std_epistemic);
  }
}

TEST_CASE("a model file with inconsistent entries is refused with a sentence that names it") {
  const TemporaryFolder folder;
  const Model good = fitted_model(folder);
  REQUIRE(refusal_of(good, folder, [](Model&) {}) == "");
  const std::vector<std::pair<std::string, std::function<void(Model&)>>> alterations = {
      {"weights too long", [](Model& m) { m.weights = with_one_more(m.weights); }},
      {"weights missing", [](Model& m) { m.weights.resize(0); }},
      {"mean too long", [](Model& m) { m.posterior.mean = with_one_more(m.posterior.mean); }},
      {"posterior factor too small", [](Model& m) { m.posterior.factor = Matrix(m.posterior.factor.topLeftCorner(5, 5)); }},
      {"scales too many", [](Model& m) { m.posterior.delta_ratio.push_back(1); }},
      {"cutoffs too long", [](Model& m) { m.terms[0].sparse.covariance_cutoff = with_one_more(m.terms[0].sparse.covariance_cutoff); }},
      {"features too many", [](Model& m) { m.terms[4].sparse.x = with_one_more_row(m.terms[4].sparse.x); }},
      {"features too wide", [](Model& m) { m.terms[4].sparse.x = Matrix::Zero(m.terms[4].sparse.size(), m.terms[4].sparse.x.cols() + 1); }},
      {"origins too few", [](Model& m) { m.terms[1].sparse.origin.pop_back(); }},
      {"sparse factor too large", [](Model& m) { m.factor = with_block(m.factor, 0, Matrix::Identity(9, 9)); }},
      {"unknown descriptor", [](Model& m) { m.terms[3].descriptor_name = "soup"; }},
      {"descriptor of another term", [](Model& m) { m.terms[3].descriptor_name = "two_body"; }},
      {"unknown kernel", [](Model& m) { m.terms[3].kernel_name = "dot_produkt"; }},
      {"kernel of another term", [](Model& m) { m.terms[0].kernel_name = "dot_product"; }},
      {"species that are none", [](Model& m) { m.terms[3].species = {0}; }},
      {"species that no element is", [](Model& m) { m.terms[3].species = {8}; }},
      {"no species", [](Model& m) { m.terms[3].species.clear(); }},
      {"species without reference energy", [](Model& m) { m.reference_energies.erase(6); }},
      {"NaN in weights", [](Model& m) { m.weights[0] = not_a_number; }},
      {"NaN in mean", [](Model& m) { m.posterior.mean[1] = not_a_number; }},
      {"NaN in posterior factor", [](Model& m) { m.posterior.factor(2, 1) = not_a_number; }},
      {"NaN in sparse points", [](Model& m) { m.terms[4].sparse.x(0, 0) = not_a_number; }},
      {"infinity in cutoffs", [](Model& m) { m.terms[0].sparse.covariance_cutoff[0] = std::numeric_limits<double>::infinity(); }},
      {"NaN in sparse factor", [](Model& m) { m.factor = with_block(m.factor, 0, not_a_number * m.factor.blocks()[0]); }},
      {"NaN in delta", [](Model& m) { m.terms[1].delta = not_a_number; }},
      {"NaN in reference energies", [](Model& m) { m.reference_energies[6] = not_a_number; }},
      {"NaN in scale", [](Model& m) { m.posterior.delta_ratio[0] = not_a_number; }},
      {"NaN in sigma", [](Model& m) { m.posterior.groups[0].sigma = not_a_number; }},
      {"sigma of zero", [](Model& m) { m.posterior.groups[0].sigma = 0; }},
      {"NaN in shortest distances", [](Model& m) { m.shortest_distances->begin()->second = not_a_number; }},
      {"shortest distance of zero",
       [](Model& m) {
         (*m.shortest_distances)[{6, 14}] = 0;
       }},
      {"elements of shortest distances in the wrong order",
       [](Model& m) {
         (*m.shortest_distances)[{14, 6}] = 2;
       }},
      {"shortest distance of no element",
       [](Model& m) {
         (*m.shortest_distances)[{0, 6}] = 2;
       }},
      {"zero on the diagonal of the posterior factor", [](Model& m) { m.posterior.factor(0, 0) = 0; }},
      {"zero on the diagonal of the sparse factor",
       [](Model& m) {
         Matrix block = m.factor.blocks()[1];
         block(0, 0) = 0;
         m.factor = with_block(m.factor, 1, block);
       }},
  };
  for (const auto& alteration : alterations) {
    CAPTURE(alteration.first);
    const std::string message = refusal_of(good, folder, alteration.second);
    CAPTURE(message);
    CHECK(message.find("altered.h5") != std::string::npos);
    CHECK(message.size() > (folder.path() / "altered.h5").string().size() + 10);
  }
}

TEST_CASE("a model without shortest distances (early versions) loads and predicts the same") {
  const TemporaryFolder folder;
  const Model model = fitted_model(folder);
  Model early = model;
  early.shortest_distances.reset();
  save_model(early, folder.path() / "early.h5");
  const Model loaded = load_model(folder.path() / "early.h5");
  CHECK(!loaded.shortest_distances);
  const Structure s = random_triclinic(4, 77, {6, 14});
  Predictor a(std::make_shared<const Model>(model)), b(std::make_shared<const Model>(loaded));
  const Prediction with = a.compute(s), without = b.compute(s);
  CHECK(with.energy == without.energy);
  CHECK(*with.forces == *without.forces);
  CHECK(with.closeness.ratio.has_value());
  CHECK(!without.closeness.ratio);
  // An empty list is valid: no atoms of the training data were within the cutoff.
  early.shortest_distances.emplace();
  save_model(early, folder.path() / "early.h5");
  CHECK(load_model(folder.path() / "early.h5").shortest_distances == ShortestDistances());
}

TEST_CASE("files that are no model, or a model of a later version, are refused with a sentence that names the file") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "other.h5";
  const auto message = [&] { return message_of<InputError>([&] { load_model(path); }); };
  CHECK(message().find("other.h5") != std::string::npos);
  folder.write("other.h5", "not HDF5");
  CHECK(message().find("other.h5") != std::string::npos);
  {
    ArchiveWriter archive(path, "gapkit-model", model_format_version + 1);
    archive.put("weights", 1.0);
    archive.commit();
  }
  CHECK(message().find("other.h5") != std::string::npos);
  CHECK(message().find("version") != std::string::npos);
  {
    ArchiveWriter archive(path, "gapkit-statistics", 1);
    archive.put("weights", 1.0);
    archive.commit();
  }
  CHECK(message().find("other.h5") != std::string::npos);
  {
    ArchiveWriter archive(path, "gapkit-model", model_format_version);
    archive.put("weights", 1.0);
    archive.commit();
  }
  CHECK(message().find("other.h5") != std::string::npos);
}

TEST_CASE("a model file that was cut short or changed in one byte is refused") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "model.h5";
  const Model original = fitted_model(folder);
  save_model(original, path);
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  REQUIRE(bytes.size() > 4000);
  for (const std::size_t length : {bytes.size() / 2, bytes.size() - 1}) {
    folder.write("model.h5", bytes.substr(0, length));
    CHECK(message_of<InputError>([&] { load_model(path); }).find("model.h5") != std::string::npos);
  }
  std::mt19937 random(5);
  for (int trial = 0; trial < 20; ++trial) {
    std::string changed = bytes;
    const std::size_t place = bytes.size() / 4 + random() % (bytes.size() / 2);
    changed[place] = static_cast<char>(changed[place] ^ 0x10);
    folder.write("model.h5", changed);
    CAPTURE(place);
    // A byte that HDF5 does not use may change; the loaded model must then be the same.
    try {
      const Model model = load_model(path);
      CHECK(model.weights == original.weights);
      CHECK(model.posterior.factor == original.posterior.factor);
      CHECK(model.terms.at(4).sparse.x == original.terms.at(4).sparse.x);
    } catch (const InputError& e) {
      CHECK(std::string(e.what()).find("model.h5") != std::string::npos);
    }
  }
}
