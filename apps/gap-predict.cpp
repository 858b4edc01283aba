#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/predict/frame_batch.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/extrapolation_table.hpp>
#include <gapkit/report/property_table.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <gapkit/report/tensor_table.hpp>
#include <gapkit/report/uncertainty_table.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/ase_files.hpp"
#include "common/closeness_warning.hpp"
#include "common/energy_differences.hpp"
#include "common/error_bar_names.hpp"
#include "common/error_bar_notes.hpp"
#include "common/html_reports.hpp"
#include "common/outside_warnings.hpp"
#include "common/predicted_fields.hpp"
#include "common/progress_display.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/sampled_fields.hpp"
#include "common/target_keys.hpp"
#include "common/text_file.hpp"
#include "common/threads.hpp"
#include "common/timing.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::string model, input, output, prefix = "gap_", precision = "double";
  std::string error_bars;
  std::vector<std::string> difference;
  int samples = 0, std_points = 0;
  std::uint64_t seed = 0;
  bool no_forces = false, tensor_derivatives = false, no_reference = false, raw = false, timing = false;
  std::optional<std::string> json, report;
  std::optional<int> threads;
  apps::NamedTargets named;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-predict {}", version));
  app.add_option("MODEL", arguments.model, "Model file of gap-fit, HDF5, or a GAP potential of QUIP (.xml)")->required();
  CLI::Option* input = app.add_option("INPUT", arguments.input,
                                      "Structures, extended XYZ (Å) or a format of ASE, - for stdin; required without --difference");
  CLI::Option* output = app.add_option("-o,--output", arguments.output,
                                       "The same structures with predictions, extended XYZ, - for stdout; required without --difference")
                            ->type_name("OUTPUT");
  app.add_option("--std", arguments.error_bars,
                 fmt::format("Error bars (standard deviations), comma-separated: {} (default: none)", apps::error_bar_names_text()))
      ->type_name("NAMES");
  app.add_option(
         "--std-points", arguments.std_points,
         "Error bars from the first N sparse points only (default: all): cheaper; forces are calibrated for a quarter of the points, else "
         "a message compares with all points for the first frame (docs/accuracy.md)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000).description(""));
  app.add_option("--difference", arguments.difference,
                 "Two files: energy of each frame of the second minus the first (eV) with its error bar; common uncertainty cancels")
      ->expected(2)
      ->type_name("A.xyz B.xyz")
      ->excludes(input)
      ->excludes(output);
  app.add_option("--samples", arguments.samples,
                 "Predict with N members of the posterior's ensemble too: gap_energy_samples (eV), gap_forces_samples (eV/Å)")
      ->type_name("N")
      ->check(CLI::Range(1, 10000).description(""));
  app.add_option("--seed", arguments.seed, "Seed of the members for --samples")->type_name("N")->capture_default_str();
  app.add_flag("--raw", arguments.raw, "Error bars from the posterior and the fitted noise, without the calibration");
  app.add_flag("--no-forces", arguments.no_forces, "Leave out forces (eV/Å), stress (eV/Å³) and virial (eV)");
  app.add_flag("--tensor-derivatives", arguments.tensor_derivatives,
               "Derivatives of dipoles and other tensors by the positions (gap_NAME_derivatives: all components for x, then y, z)");
  app.add_option("--precision", arguments.precision,
                 "double, or single: descriptors in single precision, faster, with errors of forces below 1e-4 eV/Å; no effect with --std")
      ->check(CLI::IsMember({"double", "single"}))
      ->type_name("NAME")
      ->capture_default_str()
      ->excludes("--difference");
  app.add_flag("--no-reference", arguments.no_reference, "Do not look for reference values in the input, and print no errors");
  apps::add_target_key_options(app, arguments.named);
  app.add_option("--prefix", arguments.prefix, "Prefix of the names of the output fields")->capture_default_str()->type_name("TEXT");
  app.add_option("--json", arguments.json, "Write the error table as JSON, with the metrics of the error bars")->type_name("FILE");
  app.add_option(
         "--report", arguments.report,
         "Write a page of figures (HTML, one file, docs/report.md): errors, error bars if --std names them, worst structures, dimers")
      ->type_name("FILE")
      ->excludes("--difference");
  app.add_flag("--timing", arguments.timing, "Print wall and CPU seconds of each phase")->excludes("--difference");
  apps::add_threads_option(app, arguments.threads);
  app.footer(
      "Fields: gap_energy (eV), gap_forces (eV/Å), gap_stress (eV/Å³; xx yy zz yz xz xy, positive under tension), gap_virial (eV),\n"
      "gap_local_energy (eV), gap_NAME of properties and tensors; with --std also gap_energy_std, … (the expected error)\n"
      "and …_std_epistemic (the part that more data reduce). Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

PredictionRequest request_from(const Arguments& arguments) {
  PredictionRequest request;
  request.single_precision = arguments.precision == "single";
  request.keep_not_finite = true;  // the other frames must be predicted
  request.properties = request.tensors = true;
  request.forces = !arguments.no_forces;
  request.tensor_derivatives = arguments.tensor_derivatives;
  request.calibrated = !arguments.raw;
  apps::request_error_bars(arguments.error_bars, request);
  return request;
}

void check_arguments(const Arguments& arguments) {
  if (arguments.difference.empty() && (arguments.input.empty() || arguments.output.empty()))
    throw InputError(fmt::format("{} is missing: gap-predict MODEL INPUT -o OUTPUT, or gap-predict MODEL --difference A.xyz B.xyz",
                                 arguments.input.empty() ? "INPUT" : "-o OUTPUT"));
  for (const char c : arguments.prefix)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-')
      throw InputError(fmt::format("--prefix '{}': only letters, digits, '_' and '-' can be part of a field's name", arguments.prefix));
  if (arguments.no_reference && arguments.named.any())
    throw InputError("--no-reference excludes --energy-key and the other keys of reference values");
  if (arguments.difference.size() == 2 && arguments.difference[0] == "-" && arguments.difference[1] == "-")
    throw InputError("--difference: only one of the two files can be the standard input");
  if (arguments.difference.empty() && apps::is_stdout(arguments.output) && arguments.json && apps::is_stdout(*arguments.json))
    throw InputError("-o and --json: only one of them can go to the standard output");
  std::vector<std::pair<std::string, std::string>> outputs;
  if (arguments.difference.empty()) outputs.emplace_back("-o", arguments.output);
  if (arguments.json) outputs.emplace_back("--json", *arguments.json);
  if (arguments.report) outputs.emplace_back("--report", *arguments.report);
  apps::check_distinct(outputs);
  for (const auto& [option, path] : outputs) {
    option == "--report" ? apps::check_can_be_written(path, option) : apps::check_text_output(path, option);
    for (const std::string& input : {arguments.model, arguments.input}) apps::check_differs(path, option, input);
    for (const std::string& input : arguments.difference) apps::check_differs(path, option, input);
  }
}

/// Clocks that run from the start of the program.
struct Clocks {
  Stopwatch total;
  PhaseClock phase;
};

/// Predictions of a file of structures.
class FilePredictions {
 public:
  FilePredictions(const Arguments& arguments, const PredictionRequest& request, std::shared_ptr<const Model> model,
                  apps::ProgressDisplay& display, const Clocks& clocks)
      : clocks_(clocks),
        arguments_(arguments),
        request_(request),
        model_(std::move(model)),
        display_(display),
        has_bars_(request.error_bars()),
        has_posterior_bars_(has_bars_ && model_->has_posterior()),
        is_reduction_shown_(arguments.std_points == 0 || !has_posterior_bars_),
        references_(keys_of(*model_, arguments)),
        samples_(*model_, arguments.samples, arguments.seed, !arguments.no_forces),
        noise_(*model_),
        left_out_(fmt::format("they are written without predictions ({}not_finite=T) and left out of all tables", arguments.prefix)),
        property_errors_(*model_) {
    if (has_bars_) {
      calibration_ = apps::calibration_state(*model_, request_, arguments.std_points);
      is_reduction_shown_ |= calibration_ == "calibrated";  // by errors: no comparison is needed
      calibration_message_ = apps::calibration_message(*model_, request_, arguments.std_points);
      learned_part_ = apps::learned_part_note(*model_, request_);
    }
    if (request_.extrapolation) require_extrapolation(*model_);
    if (arguments.report) reporter_.emplace(model_, arguments.model, arguments.input);
  }

  void run() {
    introduce_base();
    introduce_error_bars();
    predict_frames();
    show_messages();
    print_tables();
    if (arguments_.json) write_json();
    if (reporter_) write_report();
    closeness_.finish(display_, left_out_);
  }

 private:
  /// Names of reference values: from the training data, replaced by those on the command line.
  static TargetKeys keys_of(const Model& model, const Arguments& arguments) {
    const auto note = model.notes.find(target_keys_note);
    TargetKeys keys = note == model.notes.end() ? TargetKeys() : target_keys_from_json(note->second);
    keys.base = model.base;
    arguments.named.apply_to(keys);
    return keys;
  }

  void introduce_base() {
    if (!model_->base.is_used()) return;
    for (const TargetSource& source : target_sources())
      if (const std::string name = arguments_.prefix + source.name; model_->base.reads(name))
        throw InputError(fmt::format("--prefix '{}': the predictions would replace '{}', which the base {} needs", arguments_.prefix, name,
                                     model_->base.text()));
    display_.message(fmt::format("base: {}; the frames have its values, the model adds the difference", model_->base.text()));
    for (const TargetInfo& target : targets())
      if (!model_->base.has(target) && request_.forces)
        display_.message(fmt::format("the base has no {}, so none are predicted", target.shown.plural));
  }

  void introduce_error_bars() {
    if (has_posterior_bars_) display_.message(calibration_message_);
    if (has_posterior_bars_ && !learned_part_.empty()) display_.message(learned_part_);
    const bool is_imported = model_->notes.count("origin") > 0 && !model_->has_posterior();
    if (request_.local_std && is_imported)
      display_.message(fmt::format(
          "this model was imported and holds no posterior: --std local gives QUIP's variance of local energies ({}local_variance_quip, "
          "eV²), which does not depend on the data",
          arguments_.prefix));
  }

  /// Reads, predicts and writes the frames, in batches.
  void predict_frames() {
    ExtxyzReader reader(arguments_.input);
    ExtxyzWriter writer(arguments_.output);
    Predictor predictor(model_, arguments_.std_points);
    FrameBatch batch(predictor, request_, [&](Structure& frame, const Prediction& prediction) {
      take(frame, prediction);
      writer.write(frame);
      phases_["compare, write"] += clocks_.phase.lap();
    });
    phases_["start"] = clocks_.phase.lap();
    display_.show({"predictions", 0, 0, "frames", "", false});  // time counts from here
    while (std::optional<Structure> frame = reader.next()) {
      assign_base(*frame, model_->base);  // its errors are not those of reference values
      if (!arguments_.no_reference) compare([&] { references_.assign(*frame); });
      phases_["read"] += clocks_.phase.lap();
      batch.add(*std::move(frame));
    }
    batch.flush();
    if (reader.frame_count() == 0) throw InputError(fmt::format("{}: the file holds no frames", arguments_.input));
    arguments_.named.check_found(references_.report());
    writer.commit();
    display_.finish();
    phases_["predict"] = batch.time();
    phases_["compare, write"] += clocks_.phase.lap();
    phases_["compare, write"] -= batch.time();  // its laps began before the predictions
  }

  /// A comparison with reference values: its errors name the way to predict without it.
  static void compare(auto&& comparison) {
    try {
      comparison();
    } catch (const InputError& e) {
      throw InputError(fmt::format("{} (--no-reference predicts without comparing)", e.what()));
    }
  }

  /// Counts a prediction in the tables and adds its fields to the frame.
  void take(Structure& frame, const Prediction& prediction) {
    closeness_.look_at(frame.source, prediction.closeness, prediction.is_finite);
    display_.show({"predictions", static_cast<double>(++predicted_), 0, "frames", "", false});
    if (!prediction.is_finite) {
      apps::set_not_finite(frame, *model_, arguments_.prefix);
      return;
    }
    if (!std::exchange(is_reduction_shown_, true)) display_.message(apps::reduction_text(model_, frame, request_, prediction));
    if (reporter_) reporter_->add(frame, prediction);
    for (const std::string& text : unsampled_.look_at(frame.source, *model_, prediction)) display_.warning(text);
    for (const std::string& text : assumptions_.look_at(frame, *model_)) display_.warning(text);
    errors_.add(frame, prediction);
    if (!arguments_.no_reference) compare([&] { property_errors_.add(frame, prediction), tensor_errors_.add(frame, prediction); });
    uncertainties_.add(frame, prediction);
    extrapolation_.add(frame, prediction);
    novelty_.look_at(frame.source, prediction);
    noise_.look_at(frame, prediction);
    apps::set_predicted_fields(frame, prediction, calibration_, arguments_.prefix);
    samples_.set_fields(frame, arguments_.prefix);
  }

  void show_messages() {
    for (const std::string& line : references_.lines()) display_.message(line);
    if (novelty_.is_needed()) display_.warning(novelty_.text());
    if (closeness_.is_needed()) display_.warning(closeness_.text());
    if (const std::string text = noise_.given_rows(); !text.empty()) display_.message(text);
    if (const std::string text = noise_.no_noise(); !text.empty()) display_.warning(text);
  }

  void print_tables() const {
    if (!errors_.empty()) std::cout << errors_.text() << std::flush;
    if (!uncertainties_.empty()) std::cout << "\n" << uncertainties_.text(calibration_) << std::flush;
    for (const std::string& text : {property_errors_.text(), tensor_errors_.text()})
      if (!text.empty()) std::cout << "\n" << text << std::flush;
    if (!extrapolation_.empty()) std::cout << "\n" << extrapolation_.text() << std::flush;
    if (!arguments_.timing) return;
    std::cout << "\n" << apps::phase_heading() << "\n";
    for (const auto& [phase, time] : phases_) std::cout << apps::phase_line(phase, time) << "\n";
    std::cout << blas_description() << std::endl;
  }

  void write_json() const {
    using Json = nlohmann::ordered_json;
    Json json = Json::parse(errors_.json());
    json["calibration"] = has_posterior_bars_ ? Json(calibration_) : Json(nullptr);
    json["error_bars"] = uncertainties_.empty() ? Json(nullptr) : Json::parse(uncertainties_.json());
    json["properties"] = Json::parse(property_errors_.json());
    json["tensors"] = Json::parse(tensor_errors_.json());
    json["extrapolation"] = extrapolation_.empty() ? Json(nullptr) : Json::parse(extrapolation_.json());
    json["frames_outside_sparse_set"] = has_bars_ ? Json(novelty_.frames_outside()) : Json(nullptr);
    json["frames_with_close_atoms"] = closeness_.close_frames();
    json["frames_not_finite"] = closeness_.frames_not_finite();
    json["frames_predicted"] = predicted_ - closeness_.frames_not_finite();
    apps::add_phases(phases_, json);
    json["seconds"] = clocks_.total.seconds();
    json["peak_memory_gb"] = apps::peak_memory_gb();
    apps::write_text_file(*arguments_.json, json.dump(2) + "\n");
  }

  void write_report() {
    std::string remark = calibration_message_;
    for (const std::string& text : {learned_part_, noise_.given_rows(), noise_.no_noise()})
      if (!text.empty()) remark += (remark.empty() ? "" : "; ") + text;
    reporter_->say_left_out(closeness_.not_finite_text(left_out_));
    reporter_->show_properties(property_errors_);
    reporter_->show_tensors(tensor_errors_);
    reporter_->write(*arguments_.report, phases_.at("predict").wall, remark, clocks_.total);
  }

  Clocks clocks_;
  std::map<std::string, PhaseTime> phases_;
  const Arguments& arguments_;
  const PredictionRequest& request_;
  const std::shared_ptr<const Model> model_;
  apps::ProgressDisplay& display_;
  const bool has_bars_, has_posterior_bars_;
  bool is_reduction_shown_;  ///< the message of --std-points
  apps::ReferenceTargets references_;
  apps::SampledFields samples_;
  apps::NoiseNote noise_;
  const std::string left_out_;                                    ///< consequence for frames without a finite prediction
  std::string calibration_, calibration_message_, learned_part_;  ///< empty without error bars
  std::optional<apps::PredictionReporter> reporter_;
  PropertyTable property_errors_;
  TensorTable tensor_errors_;
  ErrorTable errors_;
  UncertaintyTable uncertainties_;
  ExtrapolationTable extrapolation_;
  apps::NoveltyWarning novelty_;
  apps::ClosenessWarning closeness_;
  apps::UnsampledWarning unsampled_;
  apps::AssumptionWarning assumptions_;
  std::int64_t predicted_ = 0;
};

void run(const Arguments& arguments) {
  const Clocks clocks;
  if (arguments.threads) apps::choose_threads(arguments.threads);
  const PredictionRequest request = request_from(arguments);
  check_arguments(arguments);
  const apps::TablesOnStderr tables_on_stderr(apps::is_stdout(arguments.output) || (arguments.json && apps::is_stdout(*arguments.json)));
  apps::ProgressDisplay display("gap-predict");
  const apps::AseFiles ase_files(display);
  const auto model =
      std::make_shared<const Model>(load_any_model(arguments.model, [&](const std::string& text) { display.message(text); }));
  if (!arguments.difference.empty()) {
    if (model->has_posterior()) display.message(apps::calibration_message(*model, {.energy_std = true, .calibrated = request.calibrated}));
    Predictor predictor(model);
    apps::print_energy_differences({arguments.difference[0], arguments.difference[1], request.calibrated, arguments.json}, predictor,
                                   display);
    return;
  }
  FilePredictions(arguments, request, model, display, clocks).run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Predicts energies, forces, stress and error bars with a model of gap-fit.", "gap-predict");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
