#include <gapkit/config/automatic.hpp>
#include <gapkit/config/config.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/report_pages.hpp>
#include <nlohmann/json.hpp>

#include "bindings.hpp"
#include "predict/frame_batch.hpp"
#include "progress.hpp"
#include "report/optimization_json.hpp"
#include "report/target_keys_note.hpp"

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

/// The errors of a model on the frames that come one after the other.
class Errors {
 public:
  /// `phase` and `total` (frames; 0: unknown) are told to `progress`.
  Errors(std::shared_ptr<const Model> model, std::string phase, std::int64_t total, const ProgressCallback& progress)
      : record(model->reference_energies, false),
        predictor_(std::move(model)),
        phase_(std::move(phase)),
        total_(total),
        progress_(progress),
        batch_(predictor_, {}, [this](const Structure& frame, const Prediction& prediction) { compare(frame, prediction); }) {}

  void add(Structure frame) { batch_.add(std::move(frame)); }
  void add_file(const std::string& file, const TargetKeys& keys) {
    ExtxyzReader reader(file);
    while (std::optional<Structure> frame = reader.next()) {
      assign_targets(*frame, keys);
      add(*std::move(frame));
    }
    if (reader.frame_count() == 0) throw InputError(file + ": the file holds no frames");
  }
  /// After the last frame.
  const ErrorTable& table() {
    batch_.flush();
    return table_;
  }

  PredictionRecord record;  ///< of all frames, without values

 private:
  void compare(const Structure& frame, const Prediction& prediction) {
    record.add(frame, prediction);
    std::optional<Voigt> stress;
    if (frame.volume() > 0) stress = stress_of(prediction.virial.value(), frame.volume());
    table_.add(frame, prediction.energy, &prediction.forces.value(), stress ? &*stress : nullptr);
    progress_({.phase = phase_, .done = static_cast<double>(++done_), .total = static_cast<double>(total_), .unit = "frames"});
  }

  ErrorTable table_;
  Predictor predictor_;
  std::string phase_;
  std::int64_t total_, done_ = 0;
  const ProgressCallback& progress_;
  FrameBatch<std::function<void(const Structure&, const Prediction&)>> batch_;
};

/// A fit that is prepared step by step: configuration, names of targets.
class FitJob {
 public:
  /// Both `toml` and `path` empty: a choice from the data.
  FitJob(Request request, const std::string& toml, const std::string& path)
      : request_(std::move(request)), is_automatic_(toml.empty() && path.empty()) {
    if (!toml.empty()) options_ = parse_fit_options(toml, "config", std::filesystem::current_path(), request_.files);
    if (!path.empty()) options_ = read_fit_options(path, request_.files);
  }

  TargetKeys keys() const { return options_.keys; }
  void set_keys(const TargetKeys& keys) { options_.keys = keys; }

  PythonModel run(const py::function& report) {
    return with_progress(report, [&](const ProgressCallback& progress) { return fit_with(progress); });
  }

 private:
  void choose(const ProgressCallback& progress) {
    AutomaticRequest request{.train = request_.files.train, .validation = request_.files.validation, .keys = options_.keys};
    if (request_.seconds) request.seconds = *request_.seconds;
    if (request_.seed) request.seed = *request_.seed;
    if (request_.memory) request.memory = *request_.memory;
    AutomaticChoice choice = choose_fit_options(request, progress);
    options_ = std::move(choice.options);
    for (const std::string& reason : choice.reasons) {
      constexpr std::string_view warning = "warning: ";
      const bool is_warning = reason.starts_with(warning);
      progress({.phase = "choice", .message = is_warning ? reason.substr(warning.size()) : reason, .is_warning = is_warning});
    }
  }

  PythonModel fit_with(const ProgressCallback& progress) {
    if (is_automatic_) choose(progress);
    if (request_.seed) options_.seed = *request_.seed;
    if (request_.memory) options_.memory = *request_.memory;
    if (request_.keep_statistics) options_.keep_statistics = true;
    options_.checkpoint_path.clear();
    options_.sparse_output.clear();
    options_.resolved = fit_options_to_toml(options_);
    FitResult result = fit(options_, progress);
    const auto model = std::make_shared<Model>(std::move(result.model));
    add_notes(*model, result.report, errors_of(model, options_.train, "training errors", result.report.plan.frames, progress),
              errors_of(model, options_.validation, "validation errors", 0, progress));
    PythonModel fitted;
    fitted.model = model;
    if (result.statistics) fitted.statistics = std::make_shared<const StoredStatistics>(std::move(*result.statistics));
    return fitted;
  }

  std::unique_ptr<Errors> errors_of(const std::shared_ptr<const Model>& model, const std::vector<std::string>& files, const char* phase,
                                    std::int64_t frames, const ProgressCallback& progress) const {
    auto errors = std::make_unique<Errors>(model, phase, frames, progress);
    for (const std::string& file : files) errors->add_file(file, options_.keys);
    return errors;
  }

  // Those that gap-fit adds.
  void add_notes(Model& model, const FitReport& report, const std::unique_ptr<Errors>& training,
                 const std::unique_ptr<Errors>& validation) const {
    model.notes["training_errors"] = training->table().json();
    if (!validation->table().empty()) model.notes["validation_errors"] = validation->table().json();
    TargetKeys keys = options_.keys;
    keys.set_use(options_.use_energy, options_.use_forces, options_.use_virial);
    model.notes[target_keys_note] = target_keys_to_json(keys);
    model.notes[sparse_counts_note] = sparse_counts_to_json(count_sparse_points(model, training->record));
    if (report.optimization) model.notes["optimization"] = optimization_json(*report.optimization).dump();
  }

  Request request_;
  bool is_automatic_;
  FitOptions options_;
};

std::string error_table(const PythonModel& model, const std::function<void(Errors&)>& add_frames, std::int64_t total,
                        const py::function& report) {
  return with_progress(report, [&](const ProgressCallback& progress) {
    Errors errors(model.model, "errors", total, progress);
    add_frames(errors);
    return errors.table().json();
  });
}

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
      .def_readwrite("seconds", &Request::seconds)
      .def_readwrite("seed", &Request::seed)
      .def_readwrite("memory", &Request::memory)
      .def_readwrite("keep_statistics", &Request::keep_statistics);
  py::class_<FitJob>(module, "FitJob")
      .def(py::init<Request, const std::string&, const std::string&>(), py::arg("request"), py::arg("toml"), py::arg("path"))
      .def_property("keys", &FitJob::keys, &FitJob::set_keys)
      .def("run", &FitJob::run, py::arg("report"));
  module.def(
      "error_table",
      [](const PythonModel& model, std::vector<Structure> frames, const py::function& report) {
        const auto add = [&](Errors& errors) {
          for (Structure& frame : frames) errors.add(std::move(frame));
        };
        return error_table(model, add, static_cast<std::int64_t>(frames.size()), report);
      },
      py::arg("model"), py::arg("frames"), py::arg("report"));
  module.def(
      "error_table_of_files",
      [](const PythonModel& model, const std::vector<std::string>& files, const TargetKeys& keys, const py::function& report) {
        const auto add = [&](Errors& errors) {
          for (const std::string& file : files) errors.add_file(file, keys);
        };
        return error_table(model, add, 0, report);
      },
      py::arg("model"), py::arg("files"), py::arg("keys"), py::arg("report"));
}

}  // namespace gapkit::python
