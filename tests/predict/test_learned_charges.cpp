// Models whose energy has learned charges: reference numbers, error bars, files.

#include <Eigen/Cholesky>
#include <fstream>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/bound_fields.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <gapkit/predict/predictor.hpp>
#include <nlohmann/json.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Json = nlohmann::json;

const Json& reference() {
  static const Json all = [] {
    std::ifstream file(source_folder() / "tests" / "data" / "long_range" / "learned_charges.json");
    return Json::parse(file);
  }();
  return all;
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : reference().items())
    if (entry.is_object() && entry.contains("dE_dq0")) names.push_back(name);
  return names;
}

Matrix matrix_of(const Json& rows) {
  Matrix matrix(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.at(0).size()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i)
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) matrix(i, j) = rows.at(static_cast<std::size_t>(i)).at(static_cast<std::size_t>(j));
  return matrix;
}

Vector vector_of(const Json& numbers) {
  Vector vector(static_cast<Eigen::Index>(numbers.size()));
  for (Eigen::Index i = 0; i < vector.size(); ++i) vector[i] = numbers.at(static_cast<std::size_t>(i));
  return vector;
}

/// The charges of the reference: SOAP and a polynomial kernel with given points and weights; for error bars, every point was observed once.
std::shared_ptr<Model> field_of_reference() {
  const Json& all = reference();
  const double delta = all.at("covariance").at("delta");
  const std::vector<int> elements = all.at("soap").at("species");
  auto model = std::make_shared<Model>();
  std::vector<double> weights, jitter;
  for (const int z : elements) {
    const std::string symbol = element_symbol(z);
    model->reference_energies[z] = all.at("prior_means").at(symbol);
    Parameters parameters{{"radial_weight", std::int64_t{0}}};
    for (const auto& [name, value] : all.at("soap").items()) {
      if (name == "species") continue;
      if (value.is_number_integer())
        parameters.set(name, value.get<std::int64_t>());
      else
        parameters.set(name, value.get<double>());
    }
    Term term;
    term.name = "soap";
    term.descriptor_name = "soap";
    term.kernel_name = "dot_product";
    term.species = {z};
    term.elements = elements;
    const DescriptorKind& descriptor = descriptor_kind("soap");
    term.descriptor = descriptor.make(complete_parameters(parameters, descriptor.parameters, "reference"), term.species, elements);
    const KernelKind& kernel = kernel_kind("dot_product");
    term.kernel = kernel.make(complete_parameters({{"zeta", all.at("zeta").get<double>()}}, kernel.parameters, "reference"));
    term.delta = delta;
    term.sparse.x = matrix_of(all.at("sparse_features").at(symbol));
    term.sparse.covariance_cutoff = Vector::Ones(term.sparse.x.rows());
    for (const double c : all.at("weights").at(symbol)) weights.push_back(c / (delta * delta));
    jitter.push_back(1e-8 * delta * delta);
    model->terms.push_back(std::move(term));
  }
  model->weights = Eigen::Map<const Vector>(weights.data(), static_cast<Eigen::Index>(weights.size()));
  model->factor = SparseFactor::of(model->terms, jitter);
  // Whitened rows of the points themselves.
  const double noise = all.at("covariance").at("noise");
  Matrix rows = Matrix::Zero(model->weights.size(), model->weights.size());
  const auto offsets = sparse_offsets(model->terms);
  for (std::size_t t = 0; t < model->terms.size(); ++t) {
    const Matrix k = sparse_covariance(model->terms[t]);
    rows.block(offsets[t], offsets[t], k.rows(), k.rows()) = k;
  }
  model->factor.whiten(rows);
  const Matrix a = Matrix::Identity(rows.rows(), rows.rows()) + rows.transpose() * rows / (noise * noise);
  model->posterior.factor = Eigen::LLT<Eigen::MatrixXd>(a).matrixL();
  model->posterior.mean = Vector::Zero(rows.rows());
  model->posterior.delta_ratio.assign(model->terms.size(), 1.0);
  model->posterior.groups = {{Property::value, "default", false, noise, 0}};
  return model;
}

/// E_long, and a short range that is 0, with the error bars of the charges' terms. With `is_calibrated`, those of charges have a = 1.
Model model_of_reference(const Json& entry, bool is_calibrated = true) {
  const auto field = field_of_reference();
  Model model = *field;
  model.weights.setZero();
  for (auto& [z, energy] : model.reference_energies) energy = 0;
  if (is_calibrated) field->calibration = Calibration{.factors = {{.property = Property::value}}, .source = "leave_one_out"};
  std::string widths;
  for (const auto& [z, mean] : field->reference_energies)
    widths += (widths.empty() ? "" : ", ") + element_symbol(z) + " = " + std::to_string(entry.at("sigma").get<double>());
  model.baselines = {make_potential("coulomb", {{"charges", std::string("learned")}, {"widths", widths}, {"accuracy", 1e-13}})};
  model.properties = {{{.name = "charge", .unit = "e", .column = "charge"}, field}};
  bind_fields(model.baselines, model.properties);
  return model;
}

Structure structure_of(const Json& entry) {
  return read_extxyz(source_folder() / "tests" / "data" / "long_range" / entry.at("xyz").get<std::string>()).at(0);
}

}  // namespace

TEST_CASE("learned charges: charges, energies, forces and virials of the reference") {
  const std::vector<std::string> names = cases();
  REQUIRE(names.size() >= 5);
  for (const std::string& name : names) {
    CAPTURE(name);
    const Json& entry = reference().at(name);
    const Model model = model_of_reference(entry);
    Structure s = structure_of(entry);
    s.set_field("total_charge", entry.at("total_charge").get<double>());
    Predictor predictor(std::make_shared<const Model>(model));
    const Prediction p = predictor.compute(s, {.properties = true});
    CHECK(largest_difference(p.properties.front().values, vector_of(entry.at("charges_raw"))) <= 1e-9);
    const std::vector<double> q = charges_of(*model.baselines.front(), s);
    CHECK(largest_difference(Vector(Eigen::Map<const Vector>(q.data(), s.size())), vector_of(entry.at("charges"))) <= 1e-9);
    const Vector slopes = vector_of(entry.at("dE_dq0"));
    CHECK(largest_difference(field_dependence(*model.baselines.front())->slopes(s), slopes) <= 1e-9 * largest_entry(slopes));
    check_close(p.energy, entry.at("energy"), 0, 1e-9);
    const Matrix forces = matrix_of(entry.at("forces")), virial = matrix_of(entry.at("virial"));
    CHECK(largest_difference(*p.forces, forces) <= 1e-9 * largest_entry(forces));
    CHECK(largest_difference(*p.virial, virial) <= 1e-9 * largest_entry(virial));
    check_close(p.local_energy.sum(), p.energy, 1e-10);
  }
}

TEST_CASE("learned charges: error bars of energies and of their differences have the part of calibrated charges") {
  for (const std::string& name : cases()) {
    CAPTURE(name);
    const Json& entry = reference().at(name);
    Structure s = structure_of(entry);
    s.set_field("total_charge", entry.at("total_charge").get<double>());
    Predictor with(std::make_shared<const Model>(model_of_reference(entry))),
        without(std::make_shared<const Model>(model_of_reference(entry, false)));
    const PredictionRequest request{.energy_std = true, .force_std = true};
    const Prediction a = with.compute(s, request), b = without.compute(s, request);
    const double part = entry.at("energy_std_first_order");
    check_close(*a.energy_std_epistemic, std::hypot(*b.energy_std_epistemic, part), 0, 1e-6);
    check_close(*a.energy_std, std::hypot(*b.energy_std, part), 0, 1e-6);
    CHECK(largest_difference(*a.forces_std, *b.forces_std) == 0);
    const std::vector<Structure> both = {s, s};
    const std::vector<Prediction> together = with.compute(both, request);
    check_close(*together[1].energy_std, *a.energy_std, 0, 1e-9);

    // The difference from a structure far from all others has both parts; that from itself none.
    check_close(with.difference(s, s).std_epistemic, without.difference(s, s).std_epistemic, 1e-6);
    Structure moved = s;
    moved.positions.row(0) += Eigen::RowVector3d(0.05, 0, 0);
    const double small = with.difference(s, moved).std_epistemic;
    CHECK(small > without.difference(s, moved).std_epistemic);
    CHECK(small < part);
  }
}

TEST_CASE("learned charges: a saved model has format 10 and predicts the same; without its property it is refused by name") {
  const TemporaryFolder folder;
  const Json& entry = reference().at(cases().front());
  Model model = model_of_reference(entry);
  const auto path = folder.path() / "model.h5";
  save_model(model, path);
  const Model loaded = load_model(path);
  const Structure s = structure_of(entry);
  const Prediction a = Predictor(std::make_shared<const Model>(model)).compute(s);
  const Prediction b = Predictor(std::make_shared<const Model>(loaded)).compute(s);
  CHECK(a.energy == b.energy);
  CHECK(*a.forces == *b.forces);
  CHECK(field_dependence(*loaded.baselines.front())->field()->fingerprint() ==
        field_dependence(*model.baselines.front())->field()->fingerprint());
  CHECK(message_of<InputError>([&] { ArchiveReader(path, "gapkit-model", 9); }).find("10") != std::string::npos);
  CHECK_NOTHROW(ArchiveReader(path, "gapkit-model", 10));
  model.properties.clear();
  save_model(model, path);
  CHECK(message_of<InputError>([&] { load_model(path); }) ==
        path.string() + ": the part 'coulomb' takes the property 'charge', which the model does not have");
}

TEST_CASE("learned charges: several threads of control share a potential") {
  const Json& entry = reference().at(cases().front());
  const Model model = model_of_reference(entry);
  const Structure s = structure_of(entry);
  const Evaluation expected = evaluate(*model.baselines.front(), s);
  std::vector<Evaluation> results(16);
#pragma omp parallel for schedule(dynamic, 1) num_threads(4)
  for (std::size_t k = 0; k < 16; ++k) results[k] = evaluate(*model.baselines.front(), s);
  for (const Evaluation& result : results) {
    CHECK(is_close(result.energy, expected.energy, 1e-12));
    CHECK(largest_difference(result.forces, expected.forces) <= 1e-11);
  }
}
