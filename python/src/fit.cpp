#include <gapkit/config/automatic.hpp>
#include <gapkit/config/config.hpp>

#include "bindings.hpp"
#include "progress.hpp"
#include "report/fitted_with_errors.hpp"

namespace gapkit::python {
namespace {

/// What the arguments of gapkit.fit() say beside the configuration.
struct Request {
  DataFiles files;
  std::optional<double> seconds;
  std::optional<std::uint64_t> seed;
  std::optional<double> memory;
  bool keep_statistics = false;
};

/// A fit that is prepared step by step: configuration, names of targets, frames in memory.
class FitJob {
 public:
  /// Both `toml` and `path` empty: a choice from the data.
  FitJob(Request request, const std::string& toml, const std::string& path)
      : request_(std::move(request)), is_automatic_(toml.empty() && path.empty()) {
    if (!toml.empty()) configuration_ = parse_fit_options(toml, "config", std::filesystem::current_path(), request_.files);
    if (!path.empty()) configuration_ = read_fit_options(path, request_.files);
    if (!is_automatic_) return;
    configuration_.train = absolute_paths(request_.files.train);
    configuration_.validation = absolute_paths(request_.files.validation);
  }

  TargetKeys keys() const { return configuration_.keys; }
  void set_keys(const TargetKeys& keys) { configuration_.keys = keys; }
  TargetKeys used_keys() const { return configuration_.used_keys(); }
  void set_train(std::vector<Structure> frames) { train_ = std::make_unique<MemoryDataset>(std::move(frames), "train"); }
  void set_validation(std::vector<Structure> frames) { validation_ = std::make_unique<MemoryDataset>(std::move(frames), "validation"); }

  PythonModel run(const py::function& report) {
    return with_progress(report, [&](const ProgressCallback& progress) { return fit_with(progress); });
  }

 private:
  FitData data() {
    if (!train_) train_ = std::make_unique<FileDataset>(configuration_.train, used_keys());
    if (!validation_ && !configuration_.validation.empty())
      validation_ = std::make_unique<FileDataset>(configuration_.validation, used_keys());
    return {.train = *train_, .validation = validation_.get()};
  }

  void choose(const ProgressCallback& progress) {
    AutomaticRequest request{.train = request_.files.train, .validation = request_.files.validation, .keys = configuration_.keys};
    if (request_.seconds) request.seconds = *request_.seconds;
    if (request_.seed) request.seed = *request_.seed;
    if (request_.memory) request.memory = *request_.memory;
    AutomaticChoice choice = choose_fit_options(data(), request, progress);
    configuration_ = std::move(choice.options);
    for (const std::string& reason : choice.reasons) {
      constexpr std::string_view warning = "warning: ";
      const bool is_warning = reason.starts_with(warning);
      progress({.phase = "choice", .message = is_warning ? reason.substr(warning.size()) : reason, .is_warning = is_warning});
    }
  }

  PythonModel fit_with(const ProgressCallback& progress) {
    if (is_automatic_) choose(progress);
    if (request_.seed) configuration_.seed = *request_.seed;
    if (request_.memory) configuration_.memory = *request_.memory;
    if (request_.keep_statistics) configuration_.keep_statistics = true;
    configuration_.checkpoint_path.clear();
    configuration_.sparse_output.clear();
    FitResult result = fit_configured(data(), configuration_, progress);
    const FittedWithErrors with_errors(data(), used_keys(), result, false, progress);
    PythonModel fitted;
    fitted.model = with_errors.model;
    if (result.statistics) fitted.statistics = std::make_shared<const StoredStatistics>(std::move(*result.statistics));
    return fitted;
  }

  Request request_;
  bool is_automatic_;
  FitConfiguration configuration_;
  std::unique_ptr<Dataset> train_, validation_;
};

}  // namespace

void add_fit(py::module_& module) {
  py::class_<Request>(module, "FitRequest")
      .def(py::init<>())
      .def_property(
          "train", [](const Request& r) { return r.files.train; },
          [](Request& r, std::vector<std::string> f) { r.files.train = std::move(f); })
      .def_property(
          "validation", [](const Request& r) { return r.files.validation; },
          [](Request& r, std::vector<std::string> f) { r.files.validation = std::move(f); })
      .def_property(
          "train_in_memory", [](const Request& r) { return r.files.train_in_memory; },
          [](Request& r, bool value) { r.files.train_in_memory = value; })
      .def_property(
          "validation_in_memory", [](const Request& r) { return r.files.validation_in_memory; },
          [](Request& r, bool value) { r.files.validation_in_memory = value; })
      .def_readwrite("seconds", &Request::seconds)
      .def_readwrite("seed", &Request::seed)
      .def_readwrite("memory", &Request::memory)
      .def_readwrite("keep_statistics", &Request::keep_statistics);
  py::class_<FitJob>(module, "FitJob")
      .def(py::init<Request, const std::string&, const std::string&>(), py::arg("request"), py::arg("toml"), py::arg("path"))
      .def_property("keys", &FitJob::keys, &FitJob::set_keys)
      .def_property_readonly("used_keys", &FitJob::used_keys)
      .def("set_train", &FitJob::set_train)
      .def("set_validation", &FitJob::set_validation)
      .def("run", &FitJob::run, py::arg("report"));
}

}  // namespace gapkit::python
