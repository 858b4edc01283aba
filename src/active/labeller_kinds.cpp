#include "active/labeller_kinds.hpp"

#include <gapkit/core/kind_table.hpp>

namespace gapkit {

const std::vector<LabellerKind>& labeller_kinds() {
  static const std::vector<LabellerKind> kinds = [] {
    std::vector<LabellerKind> table = {
        {"command", "any program: extended XYZ in, extended XYZ out", make_command_labeller},
        {"ase", "a calculator of the Atomic Simulation Environment", make_ase_labeller},
        {"batch", "jobs of a batch system (Slurm): submitted, polled, collected", make_batch_labeller},
        {"given", "the targets that the structures carry already", make_given_labeller},
    };
    for (const PotentialKind& potential : potential_kinds())
      table.push_back({potential.name, potential.description,
                       [name = potential.name](const LabellerOptions& options) { return make_potential_labeller(name, options); }});
    return table;
  }();
  return kinds;
}

std::unique_ptr<Labeller> make_labeller(const LabellerOptions& options) {
  return find_kind(labeller_kinds(), options.kind, "labeller").make(options);
}

}  // namespace gapkit
