// Extrapolation grades of terms with all features beside terms of fewer: novelty, thresholds, files.

#include <cmath>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/model_file.hpp>
#include <gapkit/predict/predictor.hpp>

#include "extrapolation_setup.hpp"
#include "fit/near_copies.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// SOAP in fewer features, and a term with all of them.
struct FullTermSetup : LeftOutSetup {
  FullTermSetup() {
    TermOptions full = small_soap(3, 3, 6, 4);
    full.name = "soap_full";
    full.delta = 0.05;
    options.terms.front().compression.kind = "pca";
    options.terms.front().compression.rank = 3;
    options.terms.push_back(full);
  }
};

}  // namespace

TEST_CASE("full spectrum: novelty of the term with all features, left out with the points of the atom's own structure") {
  const FullTermSetup setup;
  const FileDataset data = setup.data();
  FitConfiguration options = setup.options;
  options.calibration.source = CalibrationOptions::Source::none;
  const FitResult fitted = fit({data}, options);
  const Model& model = fitted.model;
  const RelativeNovelty novelty(model);
  REQUIRE(novelty.has_full(14));
  REQUIRE(novelty.has_full(6));
  CHECK_FALSE(RelativeNovelty(two_elements(TwoTermSetup())).has_full(14));
  const NearCopies copies(model, {}, 1);  // no frame goes with another
  const std::vector<std::int64_t> numbers = all_numbers(data);
  LeftOutStructures left_out(model, fitted.statistics->rules, numbers, 0);
  left_out.add(rows_of(fitted, data, true));
  const std::vector<LeftOutStructure>& structures = left_out.finish();
  REQUIRE(structures.size() == 20);
  const LocalEnergies local(model);
  double largest = 0;
  for (const LeftOutStructure& structure : structures) {
    const auto number = static_cast<std::size_t>(structure.number);
    const LocalEnergies::Rows rows = local.of(setup.frames[number]);
    std::vector<LeftOutAtom> atoms = structure.local_energies;
    copies.add(structure.number, rows.rows, rows.prior, atoms);
    const Matrix spanned = novelty.spanned(rows.rows);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      check_close(atoms[i].full, atoms[i].full_around, 1e-9, 1e-6);
      // The one term of the element with all features.
      for (std::size_t t = 0; t < model.terms.size(); ++t) {
        if (model.terms[t].name != "soap_full" || model.terms[t].species.front() != atoms[i].element) continue;
        const auto column = static_cast<Eigen::Index>(t);
        const double prior = rows.prior(row, column), own = std::max(0.0, prior - spanned(row, column)) / prior;
        check_close(novelty.full_square(atoms[i].element, spanned.row(row), rows.prior.row(row)), own, 1e-12, 1e-9);
        CHECK(atoms[i].full >= own - 1e-9);
        largest = std::max(largest, atoms[i].full - own);
      }
    }
  }
  CHECK(largest > 0.001);  // points of the structure itself hide its novelty
}

TEST_CASE("full spectrum: its threshold is kept by the file, and its part of the grade counts") {
  const FullTermSetup setup;
  const Model fitted = fit(setup.options).model;
  REQUIRE(fitted.has_extrapolation());
  const std::string path = (setup.folder.path() / "model.h5").string();
  save_model(fitted, path);
  CHECK(open_model(path).format_version() == 15);
  auto model = std::make_shared<Model>(load_model(path));
  for (std::size_t i = 0; i < 2; ++i) {
    const ExtrapolationThreshold &a = model->calibration->extrapolation[i], &b = fitted.calibration->extrapolation[i];
    CHECK(a.full_novelty == b.full_novelty);
    CHECK(b.full_novelty > 0);
    CHECK(b.full_novelty <= 1);
  }
  const Structure& frame = setup.frames[0];
  const Vector grades = *Predictor(model).compute(frame, {.extrapolation = true}).extrapolation;
  const StructureEnvironments environments(frame, model->cutoff());
  const std::vector<Variance> variances = Covariance(*model).local_energies(environments.view(), frame.size());
  for (ExtrapolationThreshold& t : model->calibration->extrapolation) t.full_novelty = 1e-3;
  const Vector strict = *Predictor(model).compute(frame, {.extrapolation = true}).extrapolation;
  for (int i = 0; i < frame.size(); ++i) {
    check_close(strict[i], std::max(grades[i], std::sqrt(variances[static_cast<std::size_t>(i)].full) / 1e-3), 0, 1e-9);
  }
  CHECK((strict - grades).maxCoeff() > 0.1);
  // Models without such a term have no such threshold, and files of the earlier form.
  const TwoTermSetup plain;
  const Model without = fit(plain.options).model;
  for (const ExtrapolationThreshold& t : without.calibration.value().extrapolation) CHECK(t.full_novelty == no_threshold);
  save_model(without, path);
  CHECK(open_model(path).format_version() < 15);
  CHECK_FALSE(open_model(path).has("extrapolation/full_novelty"));
}

TEST_CASE("full spectrum: both thresholds together have the border of one, and each leaves out near copies by itself") {
  const FullTermSetup setup;
  const Model model = two_elements(setup);
  std::string said;
  const auto listen = [&](const ProgressEvent& e) { said += e.message + "\n"; };
  // Atoms that are novel in one way are not in the other: half of the atoms have either.
  std::vector<LeftOutAtom> atoms = many_atoms(1000, 14, 0.04, 0.09);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    atoms[i].full = i % 2 == 0 ? 4 * atoms[i].relative : 0;
    if (i % 2 == 0) atoms[i].relative = 0;
    atoms[i].relative_around = atoms[i].relative_random = atoms[i].relative;
    atoms[i].full_around = atoms[i].full_random = atoms[i].full;
  }
  const ExtrapolationThreshold apart = extrapolation_thresholds(model, atoms, true, listen).at(0);
  // Of squares i/n·max the largest but one, in either way.
  check_close(apart.novelty, 0.2, 0, 2e-3);
  check_close(apart.full_novelty, 0.4, 0, 2e-3);
  std::size_t above = 0;
  for (const LeftOutAtom& a : atoms) above += std::sqrt(a.relative) > apart.novelty || std::sqrt(a.full) > apart.full_novelty;
  CHECK(above <= 1);
  CHECK(said.find("nearly copies") == std::string::npos);
  for (LeftOutAtom& atom : atoms) atom.full_around = 2 * atom.full_random;
  const ExtrapolationThreshold copies = extrapolation_thresholds(model, atoms, true, listen).at(0);
  CHECK(said.find("nearly copies") != std::string::npos);
  check_close(copies.full_novelty, std::sqrt(2.0) * apart.full_novelty, 0, 2e-3);
  check_close(copies.novelty, apart.novelty, 0, 2e-3);
}
