#include <gapkit/predict/frame_batch.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/prediction_record.hpp>
#include <gapkit/report/uncertainty_table.hpp>

#include "bindings.hpp"
#include "progress.hpp"

namespace gapkit::python {
namespace {

py::array_t<double> array(const std::vector<double>& values) {
  return array_of(values.data(), static_cast<Eigen::Index>(values.size()));
}

py::dict dict_of(const PredictionRecord::Values& values, const ErrorsWithBars& bars) {
  py::dict d;
  d["reference"] = array(values.reference);
  d["predicted"] = array(values.predicted);
  d["std"] = values.has_std() ? py::object(array(values.std)) : py::none();
  d["frame"] = py::array_t<int>(static_cast<py::ssize_t>(values.frame.size()), values.frame.data());
  d["bar_errors"] = array(bars.error);
  d["bar_stds"] = array(bars.std);
  return d;
}

/// Predictions beside the reference values of data, with the tables of gap-predict.
py::dict compare(const PythonModel& model, const Dataset& data, const PredictionRequest& request, const py::function& report) {
  ErrorTable errors;
  UncertaintyTable bars;
  PredictionRecord record(model.model->reference_energies);
  double done = 0;
  with_progress(report, [&](const ProgressCallback& progress) {
    Predictor predictor(model.model);
    FrameBatch batch(predictor, request, [&](const Structure& frame, const Prediction& prediction) {
      record.add(frame, prediction);
      errors.add(frame, prediction);
      bars.add(frame, prediction);
      progress({.phase = "errors", .done = ++done, .unit = "frames"});
    });
    data.visit([&](const Structure& frame, const FramePlace&) { batch.add(frame); });
    batch.flush();
    return 0;
  });
  py::dict d;
  d["errors"] = errors.json();
  d["error_bars"] = bars.empty() ? py::object(py::none()) : py::object(py::str(bars.json()));
  for (const TargetInfo& target : targets())
    d[target.shown.name] = dict_of(record.values(target.property), bars.all().rows[target.property]);
  return d;
}

py::array_t<double> fractions(const std::vector<double>& error, const std::vector<double>& std, const std::vector<double>& levels) {
  ErrorsWithBars data;
  if (error.size() != std.size())
    throw InputError("there are " + std::to_string(error.size()) + " errors and " + std::to_string(std.size()) +
                     " error bars, expected as many");
  for (std::size_t i = 0; i < error.size(); ++i) data.add(error[i], std[i], static_cast<int>(i));
  return array(observed_fractions(data, levels));
}

}  // namespace

void add_comparison(py::module_& module) {
  module.def("compare", &compare, py::arg("model"), py::arg("data"), py::arg("request"), py::arg("report"));
  module.def("observed_fractions", &fractions, py::arg("error"), py::arg("std"), py::arg("levels"));
}

}  // namespace gapkit::python
