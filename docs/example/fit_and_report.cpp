// Fits a potential as a configuration says, saves it, and writes the errors of its predictions for a file of labelled structures.
//
//     fit_and_report CONFIGURATION.toml TEST.xyz MODEL.h5 REPORT.html

#include <fstream>
#include <gapkit/config/config.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/report_pages.hpp>
#include <gapkit/report/uncertainty_table.hpp>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: fit_and_report CONFIGURATION.toml TEST.xyz MODEL.h5 REPORT.html\n";
    return 2;
  }
  const std::string test = argv[2], model_path = argv[3];
  try {
    const gapkit::FitConfiguration configuration = gapkit::read_fit_options(argv[1]);
    gapkit::FitResult result = gapkit::fit(configuration);
    const auto model = std::make_shared<const gapkit::Model>(std::move(result.model));
    gapkit::save_model(*model, model_path);

    gapkit::Predictor predictor(model);
    gapkit::ErrorTable errors;
    gapkit::UncertaintyTable uncertainties;
    gapkit::PredictionRecord record(model->reference_energies);
    gapkit::FileDataset(std::vector<std::string>{test}, configuration.used_keys())
        .visit([&](const gapkit::Structure& frame, const gapkit::FramePlace&) {
          const gapkit::Prediction prediction = predictor.compute(frame, {.energy_std = true, .force_std = true});
          errors.add(frame, prediction);
          uncertainties.add(frame, prediction);
          record.add(frame, prediction);
        });
    std::cout << errors.text() << uncertainties.text(model->calibration ? "calibrated" : "uncalibrated");
    std::ofstream(argv[4]) << gapkit::prediction_report({*model, model_path, gapkit::dimer_curves(model)}, {"test", test, record, ""}, {});
  } catch (const gapkit::InputError& e) {
    std::cerr << "fit_and_report: " << e.what() << '\n';
    return 2;
  }
}
