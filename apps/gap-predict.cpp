#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/model/sample.hpp>
#include <gapkit/predict/frame_batch.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <gapkit/report/uncertainty_table.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <sstream>
#include <utility>

#include "common/ase_files.hpp"
#include "common/closeness_warning.hpp"
#include "common/error_bar_notes.hpp"
#include "common/html_reports.hpp"
#include "common/predicted_fields.hpp"
#include "common/progress_display.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/target_keys.hpp"
#include "common/text_file.hpp"
#include "common/threads.hpp"
#include "common/timing.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::string model, input, output, prefix = "gap_";
  std::string error_bars;
  std::vector<std::string> difference;
  int samples = 0, std_points = 0;
  std::uint64_t seed = 0;
  bool no_forces = false, no_reference = false, raw = false, timing = false;
  std::optional<std::string> json, report;
  std::optional<int> threads;
  apps::NamedTargets named;
};

/// The names that --std understands: those of the targets, and that of the shares of the energy, which comes second.
std::vector<std::string> std_names() {
  std::vector<std::string> names;
  for (const TargetInfo& target : targets()) names.emplace_back(target.std_names.front());
  names.insert(names.begin() + 1, "local");
  return names;
}

/// "energy (of the frame, eV), …"
std::string std_names_text() {
  std::string text;
  for (const TargetInfo& target : targets()) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", target.std_names.front(), target.std_text);
    if (target.property == Property::energy) text += ", local (energy of each atom, eV)";
  }
  return text;
}

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-predict {}", version));
  app.add_option("MODEL", arguments.model, "Model file, HDF5, as gap-fit writes it, or a GAP potential of QUIP (.xml)")->required();
  CLI::Option* input = app.add_option("INPUT", arguments.input,
                                      "Structures, extended XYZ (Å) or what ASE reads, - for stdin; required without --difference");
  CLI::Option* output = app.add_option("-o,--output", arguments.output,
                                       "The same structures with predictions, extended XYZ, - for stdout; required without --difference")
                            ->type_name("OUTPUT");
  app.add_option("--std", arguments.error_bars,
                 fmt::format("Error bars (standard deviations), comma-separated: {} (default: none)", std_names_text()))
      ->type_name("NAMES");
  app.add_option("--std-points", arguments.std_points,
                 "Error bars from the first N sparse points only: faster in proportion, and wider (docs/accuracy.md); the first frame is "
                 "computed both ways and the difference told (default: all)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000).description(""));
  app.add_option("--difference", arguments.difference,
                 "Two files of structures, frame by frame: energy of the second minus the first (eV) with its error bar; what both have in "
                 "common cancels")
      ->expected(2)
      ->type_name("A.xyz B.xyz")
      ->excludes(input)
      ->excludes(output);
  app.add_option("--samples", arguments.samples,
                 "Predict with so many members of the posterior's ensemble too: gap_energy_samples (eV), gap_forces_samples (eV/Å, x y z "
                 "of each member)")
      ->type_name("N")
      ->check(CLI::Range(1, 10000).description(""));
  app.add_option("--seed", arguments.seed, "Of the members that --samples draws")->type_name("N")->capture_default_str();
  app.add_flag("--raw", arguments.raw, "Leave out the calibration of error bars: the posterior and the fitted noise as they are");
  app.add_flag("--no-forces", arguments.no_forces, "Leave out forces (eV/Å), stress (eV/Å³) and virial (eV)");
  app.add_flag("--no-reference", arguments.no_reference, "Do not look for reference values in the input, and print no errors");
  apps::add_target_key_options(app, arguments.named);
  app.add_option("--prefix", arguments.prefix, "Beginning of the names of the fields that are written")
      ->capture_default_str()
      ->type_name("TEXT");
  app.add_option("--json", arguments.json, "Write the error table as JSON, with the metrics of the error bars")->type_name("FILE");
  app.add_option(
         "--report", arguments.report,
         "Write a page of figures (HTML, one file, docs/report.md): errors, error bars if --std names them, worst structures, dimers")
      ->type_name("FILE")
      ->excludes("--difference");
  app.add_flag("--timing", arguments.timing, "Show where the time went")->excludes("--difference");
  apps::add_threads_option(app, arguments.threads);
  app.footer(
      "Fields: gap_energy (eV), gap_forces (eV/Å), gap_stress (eV/Å³; xx yy zz yz xz xy, positive under tension), gap_virial (eV),\n"
      "gap_local_energy (eV); with --std also gap_energy_std, gap_forces_std, gap_stress_std, … (the error to expect against a new\n"
      "reference value) and …_std_epistemic (what more data would remove). Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

PredictionRequest request_from(const Arguments& arguments) {
  PredictionRequest request;
  request.keep_not_finite = true;  // nothing of the other frames may be lost
  request.forces = !arguments.no_forces;
  request.calibrated = !arguments.raw;
  std::istringstream names(arguments.error_bars);
  for (std::string name; std::getline(names, name, ',');) {
    const auto is_named = [&](const TargetInfo& t) { return std::find(t.std_names.begin(), t.std_names.end(), name) != t.std_names.end(); };
    const auto found = std::find_if(targets().begin(), targets().end(), is_named);
    if (name == "local")
      request.local_std = true;
    else if (found != targets().end())
      request.std_of(found->property) = true;
    else
      throw InputError(fmt::format("--std: unknown name '{}'{}", name, suggestion(name, std_names())));
  }
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
    throw InputError("--no-reference looks for no reference values: it excludes --energy-key and its like");
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

/// Says at the end which frames the sparse set does not span.
class NoveltyWarning {
 public:
  void look_at(const Structure& frame, const Prediction& prediction) {
    ++frames_;
    if (!prediction.novelty || !(*prediction.novelty > limit)) return;
    ++outside_;
    if (*prediction.novelty > largest_) {
      largest_ = *prediction.novelty;
      worst_ = frame.source;
    }
  }
  bool is_needed() const { return outside_ > 0; }
  int frames_outside() const { return outside_; }
  std::string text() const {
    return fmt::format(
        "{} of {} frames hold something that the sparse set does not span (novelty above {:.0f} % of the prior variance; worst: {}, {:.0f} "
        "%): there the prediction is hardly more than the prior, and so is its error bar; add such structures to the training data",
        outside_, frames_, 100 * limit, worst_, 100 * largest_);
  }

 private:
  static constexpr double limit = 0.5;
  int frames_ = 0, outside_ = 0;
  double largest_ = 0;
  std::string worst_;
};

/// What there is to say of a model that sits on another one.
std::vector<std::string> base_lines(const Model& model, const PredictionRequest& request) {
  if (!model.base.is_used()) return {};
  std::vector<std::string> lines = {fmt::format("base: {}, which the frames bring and the model corrects", model.base.text())};
  for (const TargetInfo& target : targets())
    if (!model.base.has(target) && request.forces)
      lines.push_back(fmt::format("the base has no {}, so none are predicted", target.shown.plural));
  return lines;
}

/// The posterior's ensemble: one predictor for each member.
class Ensemble {
 public:
  Ensemble(const Model& model, const Arguments& arguments)
      : forces_(!arguments.no_forces && (!model.base.is_used() || model.base.has(target_info(Property::force)))),
        prefix_(arguments.prefix) {
    for (int i = 0; i < arguments.samples; ++i)
      members_.push_back(std::make_unique<Predictor>(std::make_shared<const Model>(sample_model(model, arguments.seed, i))));
  }

  void set_fields(Structure& frame) {
    if (members_.empty()) return;
    std::vector<double> energies;
    Matrix forces(frame.size(), 3 * static_cast<Eigen::Index>(members_.size()));
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const Prediction prediction = members_[m]->compute(frame, {.forces = forces_});
      energies.push_back(prediction.energy);
      if (forces_) forces.middleCols(3 * static_cast<Eigen::Index>(m), 3) = *prediction.forces;
    }
    frame.set_field(prefix_ + "energy_samples", energies);
    if (forces_) frame.set_column(prefix_ + "forces_samples", static_cast<int>(forces.cols()), apps::as_list(forces));
  }

 private:
  std::vector<std::unique_ptr<Predictor>> members_;
  bool forces_;
  std::string prefix_;
};

/// --difference: one line for each pair of frames.
void run_differences(const Arguments& arguments, Predictor& predictor, apps::ProgressDisplay& display) {
  apps::ClosenessWarning closeness;
  ExtxyzReader first(arguments.difference[0]), second(arguments.difference[1]);
  auto json = nlohmann::ordered_json::array();
  std::string table = fmt::format("{:>6}  {:>14}  {:>10}  {:>14}\n", "frame", "E(B) - E(A) eV", "std eV", "epistemic eV");
  while (true) {
    std::optional<Structure> a = first.next(), b = second.next();
    if (!a && !b) break;
    if (!a || !b)
      throw InputError(fmt::format("--difference: {} has {} frames, {} has more; they are compared frame by frame",
                                   arguments.difference[a ? 1 : 0], (a ? second : first).frame_count(), arguments.difference[a ? 0 : 1]));
    for (Structure* frame : {&*a, &*b}) assign_base(*frame, predictor.model().base);
    const EnergyDifference d = predictor.difference(*a, *b, !arguments.raw, true);
    closeness.look_at(a->source, d.closeness_a, d.is_finite_a);
    closeness.look_at(b->source, d.closeness_b, d.is_finite_b);
    if (d.is_finite()) {
      table += fmt::format("{:6}  {:14.6f}  {:10.6f}  {:14.6f}\n", first.frame_count(), d.energy, d.std, d.std_epistemic);
      json.push_back({{"frame", first.frame_count()}, {"energy", d.energy}, {"std", d.std}, {"std_epistemic", d.std_epistemic}});
    } else {
      table += fmt::format("{:6}  {:>14}  {:>10}  {:>14}\n", first.frame_count(), "not finite", "-", "-");
      json.push_back({{"frame", first.frame_count()}, {"energy", nullptr}, {"std", nullptr}, {"std_epistemic", nullptr}});
    }
  }
  if (json.empty()) throw InputError(fmt::format("{}: the file holds no frames", arguments.difference[0]));
  if (arguments.json) apps::write_text_file(*arguments.json, json.dump(2) + "\n");
  if (closeness.is_needed()) display.warning(closeness.text());
  std::cout << table << std::flush;
  closeness.finish(display, "their differences are left out");
}

/// How much wider the error bars of fewer points are in this frame.
std::string reduction_text(const std::shared_ptr<const Model>& model, const Structure& frame, const PredictionRequest& request,
                           const Prediction& reduced) {
  const Prediction exact = Predictor(model).compute(frame, request);
  std::string text;
  const auto add = [&](const char* name, double few, double all) {
    if (all > 0) text += fmt::format("{} {} {:.2f} times as large", text.empty() ? "" : ",", name, few / all);
  };
  const auto norm = [](std::span<const double> bars) { return std::sqrt(std::inner_product(bars.begin(), bars.end(), bars.begin(), 0.0)); };
  for (const TargetInfo& target : targets()) {
    const std::span<const double> all = exact.epistemic_of(target.property);
    if (!all.empty()) add(target.std_names.front(), norm(reduced.epistemic_of(target.property)), norm(all));
    if (target.property == Property::energy && exact.local_energy_std_epistemic)
      add("local", reduced.local_energy_std_epistemic->norm(), exact.local_energy_std_epistemic->norm());
  }
  return fmt::format("epistemic error bars of fewer sparse points, in the first frame (root mean square):{}", text);
}

void run(const Arguments& arguments) {
  const apps::Stopwatch stopwatch;
  PhaseClock clock;
  std::map<std::string, PhaseTime> phases;
  if (arguments.threads) apps::choose_threads(arguments.threads);
  const PredictionRequest request = request_from(arguments);
  check_arguments(arguments);
  const apps::TablesOnStderr tables_on_stderr(apps::is_stdout(arguments.output) || (arguments.json && apps::is_stdout(*arguments.json)));
  apps::ProgressDisplay display("gap-predict");
  const apps::AseFiles ase_files(display);
  const auto model =
      std::make_shared<const Model>(load_any_model(arguments.model, [&](const std::string& text) { display.message(text); }));
  const auto note = model->notes.find(target_keys_note);
  TargetKeys keys = note == model->notes.end() ? TargetKeys() : target_keys_from_json(note->second);
  keys.base = model->base;
  arguments.named.apply_to(keys);
  apps::ReferenceTargets references(keys);
  for (const std::string& line : base_lines(*model, request)) display.message(line);
  const bool has_error_bars = request.error_bars();
  const bool is_imported = model->notes.count("origin") > 0 && !model->has_posterior();
  if (!arguments.difference.empty()) {
    if (model->has_posterior()) display.message(apps::calibration_message(*model, {.energy_std = true, .calibrated = request.calibrated}));
    Predictor predictor(model);
    run_differences(arguments, predictor, display);
    return;
  }
  const std::string calibration_message = has_error_bars ? apps::calibration_message(*model, request) : "";
  if (has_error_bars && model->has_posterior()) display.message(calibration_message);
  if (request.local_std && is_imported)
    display.message(fmt::format(
        "this model was imported and holds no posterior: --std local gives QUIP's variance of local energies ({}local_variance_quip, eV²), "
        "which knows nothing of the data",
        arguments.prefix));
  Ensemble ensemble(*model, arguments);
  std::optional<apps::PredictionReporter> reporter;
  if (arguments.report) reporter.emplace(model, arguments.model, arguments.input);

  ExtxyzReader reader(arguments.input);
  ExtxyzWriter writer(arguments.output);
  Predictor predictor(model, arguments.std_points);
  ErrorTable errors;
  UncertaintyTable uncertainties;
  NoveltyWarning novelty;
  apps::ClosenessWarning closeness;
  apps::NoiseNote noise(*model);
  const std::string calibration = has_error_bars ? apps::calibration_state(*model, request) : "";
  std::set<std::size_t> warned;  // terms
  std::int64_t predicted = 0;
  bool compared = arguments.std_points == 0 || !has_error_bars || !model->has_posterior();
  FrameBatch batch(predictor, request, [&](Structure& frame, const Prediction& prediction) {
    closeness.look_at(frame.source, prediction.closeness, prediction.is_finite);
    display.show({"predictions", static_cast<double>(++predicted), 0, "frames", "", false});
    if (!prediction.is_finite) {
      apps::set_not_finite(frame, arguments.prefix);
      writer.write(frame);
      return;
    }
    if (!std::exchange(compared, true)) display.message(reduction_text(model, frame, request, prediction));
    if (reporter) reporter->add(frame, prediction);
    for (const std::size_t t : prediction.unsampled_terms)
      if (warned.insert(t).second)
        display.warning(fmt::format("{} has {} environments of '{}', of which the training data had none: their energy is left out",
                                    frame.source, model->terms[t].descriptor_name, combination_name(model->terms[t].species)));
    errors.add(frame, prediction);
    uncertainties.add(frame, prediction);
    novelty.look_at(frame, prediction);
    noise.look_at(frame, prediction);
    apps::set_predicted_fields(frame, prediction, calibration, arguments.prefix);
    ensemble.set_fields(frame);
    writer.write(frame);
    phases["compare, write"] += clock.lap();
  });
  const std::string left_out =
      fmt::format("they are written without predictions ({}not_finite=T) and left out of all tables", arguments.prefix);
  phases["start"] = clock.lap();
  display.show({"predictions", 0, 0, "frames", "", false});  // time counts from here
  while (std::optional<Structure> frame = reader.next()) {
    assign_base(*frame, model->base);  // what is wrong with it has nothing to do with references
    if (!arguments.no_reference) {
      try {
        references.assign(*frame);
      } catch (const InputError& e) {
        throw InputError(fmt::format("{} (--no-reference predicts without comparing)", e.what()));
      }
    }
    phases["read"] += clock.lap();
    batch.add(*std::move(frame));
  }
  batch.flush();
  if (reader.frame_count() == 0) throw InputError(fmt::format("{}: the file holds no frames", arguments.input));
  arguments.named.check_found(references.report());
  writer.commit();
  display.finish();
  for (const std::string& line : references.lines()) display.message(line);
  phases["predict"] = batch.time();
  phases["compare, write"] += clock.lap();
  phases["compare, write"] -= batch.time();  // its laps began before the predictions

  if (novelty.is_needed()) display.warning(novelty.text());
  if (closeness.is_needed()) display.warning(closeness.text());
  if (const std::string text = noise.given_rows(); !text.empty()) display.message(text);
  if (const std::string text = noise.no_noise(); !text.empty()) display.warning(text);
  if (!errors.empty()) std::cout << errors.text() << std::flush;
  if (!uncertainties.empty()) std::cout << "\n" << uncertainties.text(calibration) << std::flush;
  if (arguments.timing) {
    std::cout << "\n" << apps::phase_heading() << "\n";
    for (const auto& [phase, time] : phases) std::cout << apps::phase_line(phase, time) << "\n";
    std::cout << blas_description() << std::endl;
  }
  if (arguments.json) {
    auto json = nlohmann::ordered_json::parse(errors.json());
    json["calibration"] = has_error_bars && model->has_posterior() ? nlohmann::ordered_json(calibration) : nlohmann::ordered_json(nullptr);
    json["error_bars"] = uncertainties.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json::parse(uncertainties.json());
    json["frames_outside_sparse_set"] = has_error_bars ? nlohmann::ordered_json(novelty.frames_outside()) : nlohmann::ordered_json(nullptr);
    json["frames_with_close_atoms"] = closeness.close_frames();
    json["frames_not_finite"] = closeness.frames_not_finite();
    json["frames_predicted"] = reader.frame_count() - closeness.frames_not_finite();
    apps::add_phases(phases, json);
    json["seconds"] = stopwatch.seconds();
    json["peak_memory_gb"] = apps::peak_memory_gb();
    apps::write_text_file(*arguments.json, json.dump(2) + "\n");
  }
  if (reporter) {
    std::string remark = calibration_message;
    for (const std::string& text : {noise.given_rows(), noise.no_noise()})
      if (!text.empty()) remark += (remark.empty() ? "" : "; ") + text;
    reporter->say_left_out(closeness.not_finite_text(left_out));
    reporter->write(*arguments.report, batch.time().wall, remark, stopwatch);
  }
  closeness.finish(display, left_out);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Predicts energies, forces, stress and error bars with a model of gap-fit.", "gap-predict");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
