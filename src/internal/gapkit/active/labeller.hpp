#pragma once

#include <filesystem>
#include <gapkit/core/progress.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {

/// The label of one structure: the labelled structure, or the reason of the failure.
struct Label {
  /// The structure with energy, forces and, if it has a cell and the labeller gives one, virial: as targets and as fields or columns of
  /// these names, for output.
  std::optional<Structure> structure;
  std::string failure;  ///< a sentence; empty if there is a structure
  double seconds = 0;   ///< wall time of all attempts
  int attempts = 0;
};

/// Called for each label in the order of completion, with the index of the structure. May throw.
using LabelCallback = std::function<void(std::size_t, const Label&)>;

/// A source of energies and forces: a program, a batch system, a calculator of ASE, or a built-in potential.
class Labeller {
 public:
  virtual ~Labeller() = default;

  /// Its name in labeller_kinds().
  virtual std::string_view kind() const = 0;

  /// One label for each structure, in the order of the structures. An error with one structure is the failure of its label, not an
  /// exception. Calls `progress` often ("label", in structures; messages are warnings about failed attempts) and `done` for each label,
  /// both from this thread; if one throws, ends running programs and passes the exception on.
  virtual std::vector<Label> label(const std::vector<Structure>& structures, const ProgressCallback& progress = {},
                                   const LabelCallback& done = {}) = 0;
};

/// Options of a labeller.
struct LabellerOptions {
  std::string kind = {};  ///< a name in labeller_kinds()

  // command: any program that reads an extended-XYZ file of one structure and writes one with energy and forces
  /// Program and arguments, without a shell; {input} and {output} stand for the two files, {here} for `here`. The program runs in its own
  /// folder and may write files there.
  std::vector<std::string> command = {};

  // ase: a calculator of the Atomic Simulation Environment
  std::string calculator = {};            ///< ASE's name for it ("emt", "gpaw"), "xtb" (gapkit's own, runs the program), or "module:Class"
  std::string calculator_arguments = {};  ///< keyword arguments of its constructor, a JSON object; empty: none
  std::string python = "/usr/bin/python3";
  std::filesystem::path helper = {};  ///< gapkit_ase_label.py; empty: found from the path of the running program

  // batch: jobs of a batch system
  std::vector<std::string> submit = {};  ///< prints the number of the job; {input}, {output} and {here} as in `command`
  std::vector<std::string> status = {"squeue", "--noheader", "--format=%i", "--me"};  ///< a line for each job, its number first
  std::vector<std::string> cancel = {"scancel", "{job}"};
  double poll_interval = 30;  ///< s

  // command, ase and batch
  double timeout = 3600;  ///< s, of one attempt; then the program and its child processes are ended, or the job cancelled
  int retries = 1;        ///< further attempts after a failure
  int parallel_jobs = 1;  ///< programs that run, or jobs that are in the batch system, at the same time
  std::filesystem::path working_directory = "labels";  ///< created if absent; keeps the folders of failed attempts
  bool keep_files = false;                             ///< keeps the folders of successful attempts too
  std::filesystem::path here = ".";                    ///< a relative path of the program starts here

  // a built-in potential
  Parameters parameters = {};  ///< of the potential; missing ones have their defaults
};

/// One line of the table of labellers.
struct LabellerKind {
  std::string name;
  std::string description;
  std::function<std::unique_ptr<Labeller>(const LabellerOptions&)> make;
};

/// The table: command, ase, batch, given (existing targets of the structures), and every built-in potential.
const std::vector<LabellerKind>& labeller_kinds();

/// Throws InputError for an unknown kind (with the nearest name) or invalid options.
std::unique_ptr<Labeller> make_labeller(const LabellerOptions& options);

/// Sets the targets of a structure and the fields and columns `energy`, `forces` and `virial`; removes its other targets (stress,
/// REF_energy, …).
void set_targets(Structure& structure, double energy, const Positions& forces, const std::optional<Matrix3>& virial);

/// Removes every target, with its fields and columns; σ, mask and config_type stay.
void remove_targets(Structure& structure);

}  // namespace gapkit
