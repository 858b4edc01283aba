#include "active/answer.hpp"

#include <fmt/format.h>

#include <gapkit/active/labeller.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>

namespace gapkit {
namespace {

constexpr double tolerance = 1e-6;  // Å

void check_same_atoms(const Structure& asked, const Structure& answer) {
  const std::string& place = answer.source;
  if (answer.size() != asked.size()) throw InputError(fmt::format("{}: {} atoms, expected {}", place, answer.size(), asked.size()));
  for (int i = 0; i < asked.size(); ++i) {
    const int found = answer.atomic_numbers[static_cast<std::size_t>(i)], expected = asked.atomic_numbers[static_cast<std::size_t>(i)];
    if (found != expected)
      throw InputError(fmt::format("{}: atom {} is {}, expected {}: elements and positions must not change", place, i + 1,
                                   element_symbol(found), element_symbol(expected)));
    const double moved = (answer.positions.row(i) - asked.positions.row(i)).cwiseAbs().maxCoeff();
    if (!(moved <= tolerance))
      throw InputError(fmt::format("{}: atom {} moved by {:.3g} Å: elements and positions must not change", place, i + 1, moved));
  }
}

void check_same_cell(const Structure& asked, const Structure& answer) {
  if (!asked.cell) return;
  if (!answer.cell) throw InputError(answer.source + ": there is no Lattice, expected the Lattice of the input");
  const double changed = (*answer.cell - *asked.cell).cwiseAbs().maxCoeff();
  if (!(changed <= tolerance))
    throw InputError(fmt::format("{}: the Lattice differs by {:.3g} Å from the Lattice of the input", answer.source, changed));
  if (answer.pbc != asked.pbc) throw InputError(answer.source + ": pbc differs from the pbc of the input");
}

}  // namespace

Structure read_answer(const std::filesystem::path& path, const Structure& asked) {
  if (!std::filesystem::exists(path)) throw InputError("there is no output file " + path.string());
  ExtxyzReader reader(path);
  std::optional<Structure> answer = reader.next();
  if (!answer) throw InputError(path.string() + ": no frame, expected one");
  if (reader.next()) throw InputError(path.string() + ": more than one frame, expected one");
  assign_targets(*answer, {});
  check_same_atoms(asked, *answer);
  check_same_cell(asked, *answer);
  if (!answer->energy) throw InputError(answer->source + ": no energy");
  if (!answer->forces) throw InputError(answer->source + ": no forces");
  Structure labelled = asked;
  set_targets(labelled, *answer->energy, *answer->forces, asked.cell ? answer->virial : std::nullopt);
  return labelled;
}

}  // namespace gapkit
