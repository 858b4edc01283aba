#include "target_keys.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>

#include "io/look_alikes.hpp"

namespace gapkit::apps {

void NamedTargets::apply_to(TargetKeys& keys) const {
  if (!energy.empty()) keys.energy = energy;
  if (!forces.empty()) keys.forces = forces;
  if (virial.empty() && stress.empty()) return;
  keys.virial = virial;
  keys.stress = stress;
}

void NamedTargets::check_found(const TargetReport& report) const {
  const auto check = [&](const std::string& name, const char* flag, const char* what, const std::map<std::string, long>& used) {
    if (!name.empty() && used.empty())
      throw InputError(fmt::format("{} names '{}', but no frame of {} has this {}", flag, name, report.frames, what));
  };
  check(energy, "--energy-key", "key", report.energy_keys);
  check(forces, "--forces-key", "column", report.forces_keys);
  check(virial, "--virial-key", "key", report.virial_keys);
  check(stress, "--stress-key", "key", report.stress_keys);
}

ReferenceTargets::ReferenceTargets(const TargetKeys& keys) : keys_(keys), look_alikes_(std::make_unique<LookAlikes>(keys)) {}

ReferenceTargets::~ReferenceTargets() = default;

void ReferenceTargets::assign(Structure& frame) {
  assign_targets(frame, keys_, &report_);
  look_alikes_->add(frame);
}

std::vector<std::string> ReferenceTargets::lines() const {
  std::vector<std::string> lines = report_.same_value_lines();
  if (report_.targets_left_out > 0)
    lines.push_back(fmt::format("not compared: {}; the model was not fitted to this target{}", report_.first_left_out,
                                report_.targets_left_out > 1 ? fmt::format(" (and {} more like it)", report_.targets_left_out - 1) : ""));
  for (const Target target : {Target::energy, Target::forces, Target::virial})
    if (look_alikes_->could_be_named(target))
      lines.push_back("not compared: " + look_alikes_->lost_sentence({target}, LookAlikes::Reader::prediction));
  return lines;
}

void add_target_key_options(CLI::App& app, NamedTargets& named) {
  app.add_option("--energy-key", named.energy, "Key of the energy (eV) in the data (default: found among the usual names)")
      ->type_name("NAME");
  app.add_option("--forces-key", named.forces, "Column of the forces (eV/Å)")->type_name("NAME");
  app.add_option("--virial-key", named.virial, "Key of the virial (eV)")->type_name("NAME");
  app.add_option("--stress-key", named.stress, "Key of the stress (eV/Å³)")->type_name("NAME");
}

}  // namespace gapkit::apps
