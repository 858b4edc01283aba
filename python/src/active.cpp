#include <gapkit/active/choose.hpp>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/active/threshold.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/sample.hpp>
#include <gapkit/predict/frame_batch.hpp>

#include "bindings.hpp"
#include "progress.hpp"

namespace gapkit::python {
namespace {

template <class Value>
Value named(const std::string& option, const std::string& name, const std::vector<std::pair<std::string, Value>>& values) {
  std::vector<std::string> names;
  for (const auto& [known, value] : values) {
    if (known == name) return value;
    names.push_back(known);
  }
  std::string list;
  for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
  throw InputError(option + ": unknown name '" + name + "'" + suggestion(name, names) + "; valid: " + list);
}

/// What the arguments of gapkit.choose_batch() say.
struct BatchRequest {
  ChooseOptions options;
  ThresholdOptions::Quantity quantity = ThresholdOptions::Quantity::force;
  std::vector<double> stds;  ///< of the structures; empty: computed
  std::uint64_t seed = 0;

  void set_method(const std::string& name) {
    using enum ChooseOptions::Method;
    options.method = named<ChooseOptions::Method>("method", name, {{"variance", variance}, {"top", top}, {"random", random}});
  }
  void set_covariance(const std::string& name) {
    using enum ChooseOptions::Covariance;
    options.covariance =
        named<ChooseOptions::Covariance>("covariance", name, {{"energy", energy}, {"local_energy", local_energy}, {"forces", forces}});
  }
  void set_criterion(const std::string& name) {
    using enum ChooseOptions::Criterion;
    options.criterion = named<ChooseOptions::Criterion>("criterion", name, {{"largest", largest}, {"total", total}});
  }
  void set_quantity(const std::string& name) {
    using enum ThresholdOptions::Quantity;
    quantity = named<ThresholdOptions::Quantity>(
        "quantity", name, {{"force", force}, {"local_energy", local_energy}, {"energy", energy}, {"extrapolation", extrapolation}});
  }
};

std::vector<Proposal> proposals_of(const PythonModel& model, std::vector<Structure> structures, const BatchRequest& request,
                                   const ProgressCallback& progress) {
  std::vector<Proposal> proposals;
  const bool is_random = request.options.method == ChooseOptions::Method::random;
  if (!request.stds.empty() || is_random) {
    for (std::size_t k = 0; k < structures.size(); ++k)
      proposals.push_back({std::move(structures[k]), request.stds.empty() ? 0.0 : request.stds[k]});
    return proposals;
  }
  Predictor predictor(model.model);
  PredictionRequest wanted = request_of(request.quantity);
  wanted.difference = true;  // only error bars are used
  const auto total = static_cast<double>(structures.size());
  FrameBatch batch(predictor, wanted, [&](const Structure& frame, const Prediction& prediction) {
    proposals.push_back({frame, error_bar(prediction, request.quantity)});
    progress({.phase = "error bars", .done = static_cast<double>(proposals.size()), .total = total, .unit = "frames"});
  });
  for (Structure& structure : structures) batch.add(std::move(structure));
  batch.flush();
  return proposals;
}

std::vector<std::tuple<int, double, double>> choose(const PythonModel& model, std::vector<Structure> structures, int count,
                                                    const BatchRequest& request, const py::function& report) {
  return with_progress(report, [&](const ProgressCallback& progress) {
    const std::vector<Proposal> proposals = proposals_of(model, std::move(structures), request, progress);
    std::vector<std::tuple<int, double, double>> chosen;
    for (const Choice& choice : choose_batch(*model.model, proposals, request.options, count, request.seed))
      chosen.emplace_back(choice.proposal, choice.std, choice.score);
    return chosen;
  });
}

PythonModel sample(const PythonModel& model, std::uint64_t seed, int member) {
  const py::gil_scoped_release without_gil;
  PythonModel result;
  result.model = std::make_shared<const Model>(sample_model(*model.model, seed, member));
  return result;
}

/// Total energy (eV) before and after each step of gap-active's own dynamics, without a thermostat: what other integrators are compared
/// with. `velocities`: [atoms, 3] Å/fs.
py::array_t<double> nve_energies(const PythonModel& model, const Structure& structure,
                                 const py::array_t<double, py::array::c_style>& velocities, double time_step, int steps) {
  if (velocities.ndim() != 2 || velocities.shape(0) != structure.size() || velocities.shape(1) != 3)
    throw InputError("velocities do not have the shape (atoms, 3)");
  MdState state;
  state.structure = structure;
  state.velocities = Eigen::Map<const Positions>(velocities.data(), structure.size(), 3);
  std::vector<double> energies;
  {
    const py::gil_scoped_release without_gil;
    Predictor predictor(model.model);
    const ForceProvider forces = forces_of(predictor);
    state.evaluation = forces(structure);
    for (int step = 0; step <= steps; ++step) {
      if (step > 0) advance(state, {.ensemble = Ensemble::nve, .time_step = time_step}, forces, 1);
      energies.push_back(state.evaluation->energy + kinetic_energy(state));
    }
  }
  return array_of(energies.data(), static_cast<Eigen::Index>(energies.size()));
}

}  // namespace

void add_active(py::module_& module) {
  py::class_<BatchRequest>(module, "BatchRequest")
      .def(py::init<>())
      .def("set_method", &BatchRequest::set_method)
      .def("set_covariance", &BatchRequest::set_covariance)
      .def("set_criterion", &BatchRequest::set_criterion)
      .def("set_quantity", &BatchRequest::set_quantity)
      .def_property(
          "candidates", [](const BatchRequest& r) { return r.options.candidates; },
          [](BatchRequest& r, int candidates) { r.options.candidates = candidates; })
      .def_readwrite("stds", &BatchRequest::stds)
      .def_readwrite("seed", &BatchRequest::seed);
  module.def("choose_batch", &choose, py::arg("model"), py::arg("structures"), py::arg("count"), py::arg("request"), py::arg("report"));
  module.def("sample", &sample, py::arg("model"), py::arg("seed"), py::arg("member"));
  module.def("nve_energies", &nve_energies, py::arg("model"), py::arg("structure"), py::arg("velocities"), py::arg("time_step"),
             py::arg("steps"));
}

}  // namespace gapkit::python
