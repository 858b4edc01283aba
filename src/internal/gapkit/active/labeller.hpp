#pragma once

#include <filesystem>
#include <gapkit/core/progress.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {

/// The answer to one structure: either the labelled structure or the reason why there is none.
struct Label {
  /// The structure that was asked for with energy, forces and, if it has a cell and the labeller gives one, virial: as targets and as the
  /// field or column of that name, ready to be written.
  std::optional<Structure> structure;
  std::string failure;  ///< a sentence; empty if there is a structure
  double seconds = 0;   ///< wall time of all attempts
  int attempts = 0;
};

/// Told of each label as soon as it is there, in the order of completion: index of the structure, label. May throw.
using LabelCallback = std::function<void(std::size_t, const Label&)>;

/// Whoever knows energies and forces: a program, a calculator of ASE, or a built-in potential.
class Labeller {
 public:
  virtual ~Labeller() = default;

  /// Its name in labeller_kinds().
  virtual std::string_view kind() const = 0;

  /// One label for each structure, in the order of the structures whatever the order of completion. What goes wrong with one structure
  /// is the failure of its label, not an exception. `progress` is called often ("label", in structures; messages are warnings about
  /// attempts that failed), `done` for each label, both from this thread; if one throws, running programs are ended and the exception goes
  /// on.
  virtual std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress = {},
                                   const LabelCallback& done = {}) = 0;
};

/// Who labels, and how.
struct LabellerOptions {
  std::string kind = {};  ///< a name in labeller_kinds()

  // command: any program that reads an extended-XYZ file of one structure and writes one with energy and forces
  /// Program and arguments, no shell between; {input} and {output} stand for the two files, {here} for `here`. The program runs in a folder
  /// of its own, where it may leave what it wants.
  std::vector<std::string> command = {};

  // ase: a calculator of the Atomic Simulation Environment
  std::string calculator = {};            ///< ASE's name for it ("emt", "gpaw"), "xtb" (gapkit's own, runs the program), or "module:Class"
  std::string calculator_arguments = {};  ///< keyword arguments of its constructor, a JSON object; empty: none
  std::string python = "/usr/bin/python3";
  std::filesystem::path helper = {};  ///< gapkit_ase_label.py; empty: found from the place of the running program

  // command and ase
  double timeout = 3600;                               ///< s, of one attempt; then the program and all that it started are ended
  int retries = 1;                                     ///< further attempts after one that failed
  int parallel_jobs = 1;                               ///< programs that run at the same time
  std::filesystem::path working_directory = "labels";  ///< made if absent; folders of failed attempts stay there
  bool keep_files = false;                             ///< folders of successful attempts stay too
  std::filesystem::path here = ".";                    ///< a relative path of the program starts here

  // a built-in potential
  Parameters parameters = {};  ///< of the potential; those not given have their defaults
};

/// One line of the table of labellers.
struct LabellerKind {
  std::string name;
  std::string description;
  std::function<std::unique_ptr<Labeller>(const LabellerOptions&)> make;
};

/// The table: command, ase, given (the targets that the structures carry already), and every built-in potential.
const std::vector<LabellerKind>& labeller_kinds();

/// Throws InputError for an unknown kind (with the nearest name) or options that cannot work.
std::unique_ptr<Labeller> make_labeller(const LabellerOptions& options);

/// Makes these the targets of a structure, and the fields and columns `energy`, `forces` and `virial`; whatever else it carried as a target
/// (stress, REF_energy, …) is removed.
void set_targets(Structure& structure, double energy, const Positions& forces, const std::optional<Matrix3>& virial);

/// Removes every target, with its fields and columns; σ, mask and config_type stay.
void remove_targets(Structure& structure);

}  // namespace gapkit
