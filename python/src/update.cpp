#include <gapkit/core/errors.hpp>
#include <gapkit/report/model_update.hpp>

#include "bindings.hpp"
#include "progress.hpp"

namespace gapkit::python {
namespace {

/// What the arguments of gapkit.append(), refit(), merge() and recalibrate() say.
struct Update {
  std::shared_ptr<Dataset> appended, validation, training;  ///< or null
  std::optional<bool> cautious;
  double memory = 4;  ///< GB
  std::vector<PythonModel> merged;
  RefitOptions refit;
  TargetKeys keys;  ///< of the targets in appended and validation

  void add_sigma(const std::string& target, const std::string& config_class, double sigma) {
    for (const TargetInfo& info : targets())
      if (target == info.name) refit.sigma.push_back({info.property, config_class, sigma});
  }
  void set_objective(const std::string& name) {
    const auto& names = objective_names();
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError("optimize: unknown objective '" + name + "'" + suggestion(name, names));
    refit.optimize.objective = objective_of(name);
  }
};

FittedModel fitted_model(const PythonModel& model) {
  return {*model.model, *model.statistics};
}

PythonModel update(const PythonModel& model, const Update& request, const py::function& report) {
  return with_progress(report, [&](const ProgressCallback& progress) {
    ModelUpdate update;
    update.appended = request.appended.get();
    update.refit = request.refit;
    update.validation = request.validation.get();
    update.validation_option = "validation=frames";
    update.training = request.training.get();
    update.training_option = "gapkit.recalibrate";
    update.cautious = request.cautious;
    update.memory = request.memory;
    for (std::size_t k = 0; k < request.merged.size(); ++k)
      update.merged.push_back({"model " + std::to_string(k + 1), [&other = request.merged[k]] { return fitted_model(other); }});
    FittedModel fitted = fitted_model(model);
    const TargetKeys keys_before = fitted.stored.rules.keys;
    fitted.stored.rules.keys = request.keys;
    update_model(fitted, update, progress);
    fitted.stored.rules.keys = keys_before;  // other names were those of these frames
    PythonModel result;
    result.model = std::make_shared<const Model>(std::move(fitted.model));
    result.statistics = std::make_shared<const StoredStatistics>(std::move(fitted.stored));
    return result;
  });
}

}  // namespace

void add_update(py::module_& module) {
  py::class_<Dataset, std::shared_ptr<Dataset>>(module, "Data")
      .def_static(
          "of_files",
          [](std::vector<std::string> files, const TargetKeys& keys) -> std::shared_ptr<Dataset> {
            return std::make_shared<FileDataset>(std::move(files), keys);
          },
          py::arg("files"), py::arg("keys"))
      .def_static(
          "of_frames",
          [](std::vector<Structure> frames, const std::string& name) -> std::shared_ptr<Dataset> {
            return std::make_shared<MemoryDataset>(std::move(frames), name);
          },
          py::arg("frames"), py::arg("name"));
  py::class_<Update>(module, "Update")
      .def(py::init<>())
      .def_readwrite("appended", &Update::appended)
      .def_readwrite("validation", &Update::validation)
      .def_readwrite("training", &Update::training)
      .def_readwrite("cautious", &Update::cautious)
      .def_readwrite("memory", &Update::memory)
      .def_readwrite("merged", &Update::merged)
      .def_readwrite("keys", &Update::keys)
      .def("add_sigma", &Update::add_sigma, py::arg("target"), py::arg("config_class"), py::arg("sigma"))
      .def("set_delta", [](Update& u, const std::string& term, double delta) { u.refit.delta[term] = delta; })
      .def("set_objective", &Update::set_objective, py::arg("name"));
  module.def("update", &update, py::arg("model"), py::arg("update"), py::arg("report"));
}

}  // namespace gapkit::python
