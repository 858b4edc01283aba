#include <fmt/format.h>

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/predict/known_elements.hpp>
#include <gapkit/predict/posterior_check.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <gapkit/serve/driver.hpp>
#include <utility>

#include "common/error_bar_names.hpp"
#include "common/error_bar_notes.hpp"
#include "common/outside_warnings.hpp"
#include "common/progress_display.hpp"
#include "common/run_main.hpp"
#include "common/threads.hpp"
#include "common/words.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::vector<std::string> models;
  std::optional<std::string> unix_name, frame;
  serve::Address address;
  std::string error_bars;
  int std_points = 0;
  double wait = 60;
  bool raw = false, members = false;
  std::optional<int> threads;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-serve {}", version));
  app.add_option("MODEL", arguments.models,
                 "Model file of gap-fit, HDF5, or a GAP potential of QUIP (.xml); of several the mean is sent (a committee)")
      ->required();
  CLI::Option* host =
      app.add_option("--host", arguments.address.host, "Host of the server (TCP)")->capture_default_str()->type_name("HOST");
  CLI::Option* port = app.add_option("--port", arguments.address.port, "Port of the server (TCP)")
                          ->capture_default_str()
                          ->type_name("N")
                          ->check(CLI::Range(1, 65535).description(""));
  app.add_option("--unix", arguments.unix_name,
                 "UNIX socket of the server in place of TCP: NAME stands for /tmp/ipi_NAME, a name with '/' is a path")
      ->type_name("NAME")
      ->excludes(host)
      ->excludes(port);
  app.add_option("--wait", arguments.wait, "How long to wait for the server, in seconds or such as 10m, 0: not at all (default: 60)")
      ->type_name("TIME")
      ->transform(apps::interval_in_seconds("--wait"));
  app.add_option("--template", arguments.frame,
                 "Extended XYZ whose first frame holds the atoms of the simulation in the same order, as the protocol sends no elements: "
                 "elements, pbc, config_type and sigma are taken from it; required unless the model knows one element only")
      ->type_name("FILE");
  app.add_option("--std", arguments.error_bars,
                 fmt::format("Send error bars (standard deviations) in the extra string, JSON; of several models their spread. Names, "
                             "comma-separated: {} (default: none, the extra string is empty)",
                             fmt::join(apps::error_bar_names(), ", ")))
      ->type_name("NAMES");
  app.add_option("--std-points", arguments.std_points,
                 "Error bars from the first N sparse points only: cheaper in proportion, and wider (docs/accuracy.md) (default: all)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000).description(""));
  app.add_flag("--raw", arguments.raw, "Error bars from the posterior and the fitted noise, without the calibration");
  app.add_flag("--members", arguments.members,
               "Send energy, forces and virial of each of several models too, in the extra string, as committees of i-PI read them");
  apps::add_threads_option(app, arguments.threads);
  app.footer(
      "A driver for the i-PI protocol: connects to a server (i-PI, SocketIOCalculator of ASE), and sends energy, forces and virial of\n"
      "every structure until the server says EXIT or closes the connection. docs/serve.md shows how to use it.\n"
      "\n"
      "Examples:\n"
      "  gap-serve silicon.h5 --unix silicon\n"
      "  gap-serve ethanol.h5 --host node1 --port 31415 --template ethanol.xyz\n"
      "  gap-serve first.h5 second.h5 third.h5 --unix silicon --std energy,force\n"
      "\n"
      "Directions are periodic as the pbc of a template with a Lattice says; without one, where the server's cell vector is not zero.\n"
      "ASE 3.22 accepts an empty extra string only: leave out --std and --members there.\n"
      "Units on the wire: bohr, hartree, hartree/bohr, also in the extra string.\n"
      "Exit codes: 0 good, 1 bug, 2 bad input, no server, or a server that was lost, 3 numerical failure.");
}

using Models = std::vector<std::shared_ptr<const Model>>;

serve::ExtraContents contents_from(const Arguments& arguments, const PredictionRequest& request) {
  return {.energy = request.energy_std,
          .local = request.local_std,
          .forces = request.force_std,
          .virial = request.stress_std,
          .extrapolation = request.extrapolation,
          .members = arguments.members};
}

void check_arguments(const Arguments& arguments, bool has_error_bars) {
  const bool is_committee = arguments.models.size() > 1;
  if (arguments.members && !is_committee) throw InputError("--members goes with several models");
  if (arguments.raw && (is_committee || !has_error_bars)) throw InputError("--raw goes with --std and one model");
  if (arguments.std_points > 0 && (is_committee || !has_error_bars)) throw InputError("--std-points goes with --std and one model");
  if (arguments.address.host.empty()) throw InputError("--host is empty, expected the name or address of a machine");
}

Models load(const Arguments& arguments, apps::ProgressDisplay& display) {
  Models models;
  for (const std::string& file : arguments.models)
    models.push_back(std::make_shared<const Model>(load_any_model(file, [&](const std::string& text) { display.message(text); })));
  for (std::size_t m = 0; m < models.size(); ++m)
    if (const BaseKeys& base = models[m]->base; base.is_used())
      throw InputError(
          fmt::format("{}: the model gives the difference from another one, {}, and servers do not send its values; in Python, "
                      "gapkit.Calculator(model, base=calculator) adds them",
                      arguments.models[m], base.text()));
  return models;
}

Structure read_template(const std::string& file, const Model& model) {
  std::optional<Structure> frame = ExtxyzReader(file).next();
  if (!frame) throw InputError(fmt::format("{}: the file holds no frames", file));
  const auto note = model.notes.find(target_keys_note);
  TargetKeys keys = note == model.notes.end() ? TargetKeys() : target_keys_from_json(note->second);
  keys.use = PerTarget<bool>(false);  // of its labels only config type and σ matter
  assign_targets(*frame, keys);
  return *std::move(frame);
}

void check_known_to_all(const Structure& structure, const Arguments& arguments, const Models& models) {
  for (std::size_t m = 0; m < models.size(); ++m) {
    try {
      check_elements(*models[m], structure);
    } catch (const InputError& e) {
      throw models.size() == 1 ? e : InputError(fmt::format("{} and {}", arguments.models[m], e.what()));
    }
  }
}

serve::KnownAtoms known_atoms(const Arguments& arguments, const Models& models) {
  if (arguments.frame) {
    Structure frame = read_template(*arguments.frame, *models.front());
    check_known_to_all(frame, arguments, models);
    return serve::KnownAtoms(std::move(frame));
  }
  std::string names;
  for (const auto& [element, e0] : models.front()->reference_energies) names += (names.empty() ? "" : ", ") + element_symbol(element);
  if (models.front()->reference_energies.size() != 1)
    throw InputError(
        fmt::format("{}: the model knows several elements ({}), and the protocol does not send which atom is which: --template "
                    "FILE says it",
                    arguments.models.front(), names));
  serve::KnownAtoms atoms(models.front()->reference_energies.begin()->first);
  check_known_to_all(atoms.structure(Matrix3::Zero(), Positions::Zero(1, 3), "structure without --template"), arguments, models);
  return atoms;
}

std::string description(const Structure& structure) {
  std::string periodic;
  for (std::size_t d = 0; d < 3; ++d)
    if (structure.pbc[d]) periodic += (periodic.empty() ? "" : ", ") + std::string(1, "abc"[d]);
  return fmt::format("{}: {}, {}", structure.source, apps::plural(structure.size(), "atom"),
                     periodic.empty() ? "not periodic" : "periodic along " + periodic);
}

/// Messages and warnings about the structures.
class Watch {
 public:
  Watch(const Arguments& arguments, const Models& models, apps::ProgressDisplay& display) : models_(models), display_(display) {
    for (std::size_t m = 0; m < models.size(); ++m) warnings_.emplace_back(*models[m], models.size() > 1 ? arguments.models[m] : "");
  }

  void look_at(const Structure& structure, std::span<const Prediction> members) {
    if (!std::exchange(has_seen_one_, true)) look_at_first(structure, members);
    for (std::size_t m = 0; m < members.size(); ++m) warnings_[m].look_at(structure.source, members[m], display_);
  }

 private:
  void look_at_first(const Structure& structure, std::span<const Prediction> members) {
    display_.message(description(structure));
    apps::NoiseNote noise(*models_.front());
    noise.look_at(structure, members.front());
    if (const std::string text = noise.given_rows(); !text.empty()) display_.message(text);
    if (const std::string text = noise.no_noise(); !text.empty()) display_.warning(text);
  }

  const Models& models_;
  apps::ProgressDisplay& display_;
  std::vector<apps::OutsideWarnings> warnings_;
  bool has_seen_one_ = false;
};

void run(Arguments arguments) {
  if (arguments.threads) apps::choose_threads(arguments.threads);
  serve::DriverOptions options;
  options.request.calibrated = !arguments.raw;
  apps::request_error_bars(arguments.error_bars, options.request);
  check_arguments(arguments, options.request.error_bars());
  options.extra = contents_from(arguments, options.request);
  if (arguments.unix_name) arguments.address = serve::unix_address(*arguments.unix_name);

  apps::ProgressDisplay display("gap-serve");
  const Models models = load(arguments, display);
  if (options.request.extrapolation) {
    if (models.size() > 1) throw InputError("--std extrapolation goes with one model: a committee has a spread in its place");
    require_extrapolation(*models.front());
  }
  if (models.size() > 1) {
    options.request = PredictionRequest();  // the spread takes the place of error bars
  } else if (options.request.error_bars() && !gives_quip_variance(*models.front(), options.request)) {
    require_posterior(*models.front());
    display.message(apps::calibration_message(*models.front(), options.request, arguments.std_points));
  }
  serve::Committee committee(models, arguments.std_points);
  serve::KnownAtoms atoms = known_atoms(arguments, models);
  Watch watch(arguments, models, display);
  options.look_at = [&](const Structure& structure, std::span<const Prediction> members) { watch.look_at(structure, members); };

  serve::IpiConnection connection(
      serve::connect_to(arguments.address, arguments.wait, [&](const std::string& text) { display.message(text); }));
  display.message(fmt::format("connected to {}", connection.peer()));
  const serve::DriverResult result = serve::drive(connection, committee, std::move(atoms), options);
  std::string text = fmt::format("{} {} after {}", connection.peer(), result.was_dismissed ? "says EXIT" : "closed the connection",
                                 apps::plural(result.structures, "structure"));
  if (result.structures > 0)
    text += fmt::format("; {:.3g} ms each for neighbours and prediction, {} made",
                        1e3 * result.time.wall / static_cast<double>(result.structures),
                        apps::plural(static_cast<std::int64_t>(committee.lists_made()), "neighbour list"));
  display.message(text);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves energies, forces and virials of a model to programs that speak the i-PI protocol.", "gap-serve");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
