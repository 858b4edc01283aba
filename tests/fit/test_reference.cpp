// Fits with QUIP's sparse points and hyperparameters give QUIP's predictions. The stored numbers were made with QUIP caff154 + GAP
// 6c3375f; each fit's command line stands in its XML file under <command_line>.

#include <gapkit/config/config.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <sstream>

#include "support/reference.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;
namespace fs = std::filesystem;

namespace {

TermOptions soap_term(std::int64_t n, std::int64_t l, double cutoff, double width, double sigma, double weight, double zeta, double delta) {
  TermOptions t;
  t.name = t.descriptor = "soap";
  t.descriptor_parameters = {{"n_max", n},
                             {"l_max", l},
                             {"cutoff", cutoff},
                             {"cutoff_width", width},
                             {"atom_sigma", sigma},
                             {"central_weight", weight},
                             {"central_reference_all_species", false}};
  t.kernel = "dot_product";
  t.kernel_parameters = {{"zeta", zeta}};
  t.delta = delta;
  t.selection = "file";
  return t;
}

TermOptions low_term(const std::string& descriptor, double cutoff, double width, std::vector<double> length_scale, double delta) {
  TermOptions t;
  t.name = t.descriptor = descriptor;
  t.descriptor_parameters = {{"cutoff", cutoff}, {"cutoff_width", width}};
  t.kernel = "squared_exponential";
  t.kernel_parameters = {{"length_scale", std::move(length_scale)}};
  t.delta = delta;
  t.selection = "file";
  return t;
}

// Files "<stem>.sparseX.<label><n>" of an XML, in the order of their numbers: one for each term and combination.
std::vector<std::string> sparse_files(const fs::path& folder, const std::string& stem) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(stem + ".xml.sparseX.")) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

// two_body, three_body and soap as gap_fit was told for B_si_2b3bsoap and si_own_2b3bsoap; θ of three_body stands in the XML.
std::vector<TermOptions> two_three_soap(std::vector<double> theta, const fs::path& folder, const std::string& stem) {
  std::vector<TermOptions> terms = {low_term("two_body", 5.0, 1.0, {1.0}, 2.0), low_term("three_body", 3.5, 0.6, std::move(theta), 0.5),
                                    soap_term(6, 4, 5.0, 0.5, 0.5, 1, 4, 0.3)};
  const auto files = sparse_files(folder, stem);
  REQUIRE(files.size() == 3);
  for (std::size_t t = 0; t < 3; ++t) terms[t].sparse_file[""] = files[t];
  return terms;
}

FitConfiguration options_for(const fs::path& train, std::map<std::string, double> e0, SigmaOptions sigma, std::vector<TermOptions> terms) {
  FitConfiguration o;
  o.train = {train.string()};
  o.reference_energies.mode = ReferenceEnergyOptions::Mode::explicit_values;
  o.reference_energies.values = std::move(e0);
  o.regularization.standard = sigma;
  o.jitter_absolute = 1e-8;
  o.terms = std::move(terms);
  return o;
}

// A file of SOAP points whose two species stand in the order `species_Z={14 6}` (gap_fit lists them as they occur), written anew in
// ascending order: channel a = species · n + n' goes to (1 − species) · n + n'.
std::string with_species_swapped(const std::string& file, int n, int l, const TemporaryFolder& folder) {
  const int channels = 2 * n, terms = l + 1, size = terms * channels * (channels + 1) / 2;
  const Matrix theirs = read_sparse_points(file, size);
  const auto at = [&](int a, int b, int k) { return (std::max(a, b) * (std::max(a, b) + 1) / 2 + std::min(a, b)) * terms + k; };
  std::ostringstream text;
  text.precision(17);
  for (Eigen::Index i = 0; i < theirs.rows(); ++i)
    for (int a = 0; a < channels; ++a)
      for (int b = 0; b <= a; ++b)
        for (int k = 0; k < terms; ++k) text << theirs(i, at((a + n) % channels, (b + n) % channels, k)) << '\n';
  return folder.write(fs::path(file).filename().string(), text.str()).string();
}

void compare(const FitConfiguration& options, const fs::path& predictions, const TargetKeys& keys = {}) {
  CAPTURE(predictions.string());
  const FitResult result = fit(options);
  Predictor predictor(std::make_shared<const Model>(result.model));
  double largest_force = 0;  // perfect crystals among the cases have none
  for (const Structure& theirs : read_extxyz(predictions)) {
    Structure s = theirs;
    assign_targets(s, keys);
    REQUIRE(s.energy);
    REQUIRE(s.forces);
    REQUIRE(s.virial);
    const Prediction ours = predictor.compute(s);
    largest_force = std::max(largest_force, s.forces->cwiseAbs().maxCoeff());
    check_close(ours.energy / s.size(), *s.energy / s.size(), 1e-5);
    CHECK(largest_difference(*ours.forces, *s.forces) <= 1e-4);
    CHECK(largest_difference(*ours.virial, *s.virial) <= 1e-3);
    MESSAGE(predictions.filename().string(), ": energy ", (ours.energy - *s.energy) / s.size(), " eV/atom, forces ",
            largest_difference(*ours.forces, *s.forces), " eV/Å, virial ", largest_difference(*ours.virial, *s.virial), " eV");
  }
  CHECK(largest_force > 0.1);
}

}  // namespace

TEST_CASE("fits A to E with QUIP's sparse points predict as QUIP does" * doctest::test_suite(beside_checkout) *
          doctest::skip(is_missing(reference_folder(), "reference data"))) {
  const fs::path reference = reference_folder();
  const fs::path fits = reference / "fits", train = reference / "train", predictions = reference / "predictions";
  {
    TermOptions soap = soap_term(6, 4, 5.0, 0.5, 0.5, 1, 4, 1);
    soap.sparse_file[""] = sparse_files(fits, "A_si_soap").at(0);
    FitConfiguration o = options_for(train / "si_small.xyz", {{"Si", -0.79}}, {0.002, 0.05, 0.05}, {soap});
    compare(o, predictions / "A_si_soap.si8.xyz");
    compare(o, predictions / "A_si_soap.si64.xyz");
    o.terms[0].selection = "indices";
    o.terms[0].sparse_indices[""] = (fits / "A_si_soap.sparse_index").string();
    compare(o, predictions / "A_si_soap.si8.xyz");
  }
  {
    FitConfiguration o = options_for(train / "si_small.xyz", {{"Si", -0.79}}, {0.002, 0.05, 0.05},
                                     two_three_soap({1.3490390395388352, 1.0588647287564652, 2.4047885935456694}, fits, "B_si_2b3bsoap"));
    compare(o, predictions / "B_si_2b3bsoap.si8.xyz");
    compare(o, predictions / "B_si_2b3bsoap.si64.xyz");
  }
  {
    TermOptions soap = soap_term(8, 8, 5.2, 0.5, 0.5, 1, 4, 1);
    soap.sparse_file[""] = sparse_files(fits, "C_mo_soap").at(0);
    FitConfiguration o = options_for(train / "mo_small.xyz", {{"Mo", -4.04}}, {0.002, 0.05, 0.05}, {soap});
    o.regularization.config_type = {{"AIMD-NVT", {0.005, 0.1, 0.1}}, {"Elastic", {0.0005, 0.01, 0.02}}};
    compare(o, predictions / "C_mo_soap.mo16.xyz");
  }
  {
    const auto files = sparse_files(fits, "D_sic_2bsoap");
    REQUIRE(files.size() == 5);
    TermOptions pair = low_term("two_body", 4.0, 1.0, {0.8}, 2.0);
    // gap_fit's order, by the XML's descriptor strings: Si-Si, Si-C, C-C, then SOAP around Si and C
    pair.sparse_file = {{"Si-Si", files[0]}, {"C-Si", files[1]}, {"C-C", files[2]}};
    TermOptions soap = soap_term(4, 4, 4.0, 0.8, 0.5, 0.7, 2, 0.5);
    const TemporaryFolder folder;
    soap.sparse_file = {{"Si", with_species_swapped(files[3], 4, 4, folder)}, {"C", with_species_swapped(files[4], 4, 4, folder)}};
    FitConfiguration o = options_for(train / "sic_tersoff.xyz", {{"Si", -1.0}, {"C", -2.0}}, {0.002, 0.1, 0.1}, {pair, soap});
    compare(o, predictions / "D_sic_2bsoap.sic8.xyz");
  }
  {
    TermOptions soap = soap_term(4, 3, 4.0, 1.0, 0.6, 1, 2.5, 1.3);
    soap.sparse_file[""] = sparse_files(fits, "E_si_soap_zeta25").at(0);
    FitConfiguration o = options_for(train / "si_small.xyz", {{"Si", -0.79}}, {0.005, 0.1, 0.1}, {soap});
    compare(o, predictions / "E_si_soap_zeta25.si8.xyz");
    compare(o, predictions / "E_si_soap_zeta25.si64.xyz");
  }
}

TEST_CASE("the fit si_own_2b3bsoap with QUIP's sparse points predicts as QUIP does") {
  const fs::path folder = source_folder() / "tests" / "data" / "gap_models";
  FitConfiguration o = options_for(folder / "si_own_2b3bsoap.train.xyz", {{"Si", -0.85183004491289027}}, {0.002, 0.1, 0.1},
                                   two_three_soap({1.6030191937881839, 1.4527803885551072, 2.5966868592765429}, folder, "si_own_2b3bsoap"));
  TargetKeys quip;  // the labels stand there, too
  quip.name("energy", "energy");
  quip.name("forces", "force");
  quip.name("virial", "virial");
  compare(o, folder / "si_own_2b3bsoap.cases.xyz", quip);
}
