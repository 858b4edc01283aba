#include <fmt/format.h>

#include <gapkit/core/version.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common/progress_display.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/target_keys.hpp"
#include "common/text_file.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::string model, input, output, prefix = "gap_";
  std::string error_bars;
  bool no_forces = false, no_reference = false, raw = false;
  std::optional<std::string> json;
  std::optional<int> threads;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-predict {}", version));
  app.add_option("MODEL", arguments.model, "Model file, HDF5, as gap-fit writes it")->required();
  app.add_option("INPUT", arguments.input, "Structures, extended XYZ (Å)")->required();
  app.add_option("-o,--output", arguments.output, "The same structures with predictions, extended XYZ")->required()->type_name("OUTPUT");
  app.add_option(
         "--std", arguments.error_bars,
         "Error bars (standard deviations, eV), comma-separated: energy (of the frame), local (energy of each atom) (default: none)")
      ->type_name("NAMES");
  app.add_flag("--raw", arguments.raw, "Leave out the calibration of error bars (models of this version have none: no effect)");
  app.add_flag("--no-forces", arguments.no_forces, "Leave out forces (eV/Å), stress (eV/Å³) and virial (eV)");
  app.add_flag("--no-reference", arguments.no_reference, "Do not look for reference values in the input, and print no errors");
  app.add_option("--prefix", arguments.prefix, "Beginning of the names of the fields that are written")
      ->capture_default_str()
      ->type_name("TEXT");
  app.add_option("--json", arguments.json, "Write the error table as JSON")->type_name("FILE");
  app.add_option("--threads", arguments.threads, "Threads (default: OMP_NUM_THREADS, or all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
  app.footer(
      "Fields: gap_energy (eV), gap_forces (eV/Å), gap_stress (eV/Å³; xx yy zz yz xz xy, positive under tension), gap_virial (eV),\n"
      "gap_local_energy (eV). Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

PredictionRequest request_from(const Arguments& arguments) {
  PredictionRequest request;
  request.forces = !arguments.no_forces;
  const std::vector<std::string> known = {"energy", "local", "force", "stress"};
  std::istringstream names(arguments.error_bars);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "energy")
      request.energy_std = true;
    else if (name == "local")
      request.local_std = true;
    else if (name == "force" || name == "stress")
      throw InputError(
          fmt::format("--std {}: error bars of forces and stress are not available in this version; valid: energy, local", name));
    else
      throw InputError(fmt::format("--std: unknown name '{}'{}", name, suggestion(name, known)));
  }
  return request;
}

void check_arguments(const Arguments& arguments) {
  for (const char c : arguments.prefix)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-')
      throw InputError(fmt::format("--prefix '{}': only letters, digits, '_' and '-' can be part of a field's name", arguments.prefix));
  std::vector<std::pair<std::string, std::string>> outputs = {{"-o", arguments.output}};
  if (arguments.json) outputs.emplace_back("--json", *arguments.json);
  for (const auto& [option, path] : outputs) {
    apps::check_can_be_written(path, option);
    for (const std::string& input : {arguments.model, arguments.input}) apps::check_differs(path, option, input);
  }
}

std::vector<double> as_list(const auto& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// Puts the prediction beside what the frame holds.
void set_fields(Structure& frame, const Prediction& prediction, const std::optional<Voigt>& stress, const std::string& prefix) {
  frame.set_field(prefix + "energy", prediction.energy);
  if (prediction.energy_std) frame.set_field(prefix + "energy_std", *prediction.energy_std);
  if (prediction.energy_std_epistemic) frame.set_field(prefix + "energy_std_epistemic", *prediction.energy_std_epistemic);
  if (stress) {
    frame.set_field(prefix + "stress", as_list(*stress));
    frame.set_field(prefix + "virial", as_list(*prediction.virial));
  }
  if (prediction.energy_std_epistemic || prediction.local_energy_std_epistemic)
    frame.set_field(prefix + "calibration", std::string("uncalibrated"));
  frame.set_column(prefix + "local_energy", 1, as_list(prediction.local_energy));
  if (prediction.local_energy_std_epistemic)
    frame.set_column(prefix + "local_energy_std_epistemic", 1, as_list(*prediction.local_energy_std_epistemic));
  if (prediction.forces) frame.set_column(prefix + "forces", 3, as_list(*prediction.forces));
}

void run(const Arguments& arguments) {
  const apps::Stopwatch stopwatch;
  if (arguments.threads) set_thread_count(*arguments.threads);
  const PredictionRequest request = request_from(arguments);
  check_arguments(arguments);
  const auto model = std::make_shared<const Model>(load_model(arguments.model));
  const auto note = model->notes.find(apps::target_keys_note);
  const TargetKeys keys = note == model->notes.end() ? TargetKeys() : apps::target_keys_from_json(note->second);
  apps::ProgressDisplay display("gap-predict");
  const bool has_error_bars = request.energy_std || request.local_std;
  if (has_error_bars) display.message("the error bars are uncalibrated");

  ExtxyzReader reader(arguments.input);
  ExtxyzWriter writer(arguments.output);
  Predictor predictor(model);
  ErrorTable errors;
  std::set<std::size_t> warned;  // terms
  while (std::optional<Structure> frame = reader.next()) {
    if (!arguments.no_reference) {
      try {
        assign_targets(*frame, keys);
      } catch (const InputError& e) {
        throw InputError(fmt::format("{} (--no-reference predicts without comparing)", e.what()));
      }
    }
    const Prediction prediction = predictor.compute(*frame, request);
    for (const std::size_t t : prediction.unsampled_terms)
      if (warned.insert(t).second)
        display.warning(fmt::format("{} has {} environments of '{}', of which the training data had none: their energy is left out",
                                    frame->source, model->terms[t].descriptor_name, combination_name(model->terms[t].species)));
    std::optional<Voigt> stress;
    if (prediction.virial && frame->volume() > 0) stress = stress_of(*prediction.virial, frame->volume());
    errors.add(*frame, prediction.energy, prediction.forces ? &*prediction.forces : nullptr, stress ? &*stress : nullptr);
    set_fields(*frame, prediction, stress, arguments.prefix);
    writer.write(*frame);
    display.show({"predictions", static_cast<double>(reader.frame_count()), 0, "frames", "", false});
  }
  if (reader.frame_count() == 0) throw InputError(fmt::format("{}: the file holds no frames", arguments.input));
  writer.commit();
  display.finish();

  if (!errors.empty()) std::cout << errors.text() << std::flush;
  if (arguments.json) {
    auto json = nlohmann::ordered_json::parse(errors.json());
    json["calibration"] = has_error_bars ? nlohmann::ordered_json("uncalibrated") : nlohmann::ordered_json(nullptr);
    json["frames_predicted"] = reader.frame_count();
    json["seconds"] = stopwatch.seconds();
    json["peak_memory_gb"] = apps::peak_memory_gb();
    apps::write_text_file(*arguments.json, json.dump(2) + "\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Predicts energies, forces, stress and error bars with a model of gap-fit.", "gap-predict");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
