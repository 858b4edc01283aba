#include "bad_inputs/bad_inputs.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"

namespace gapkit::test {
namespace {

/// Moves atom b so that it is `distance` Å from atom a; the labels stay.
void bring_together(Structure& s, int a, int b, double distance) {
  s.positions.row(b) = s.positions.row(a) + Eigen::RowVector3d(distance, 0, 0);
}

}  // namespace

std::vector<BadInput> bad_cells_and_positions() {
  return {
      {"a periodic frame without a cell", [](Inputs& in) { in.edit_line(5, "Lattice=", "Cell="); }, Answer::error,
       "train.xyz:5 (frame 2): pbc is \"T T T\", there is no Lattice, but 'Cell' has 9 numbers"},
      {"a column of atomic numbers that contradicts the symbols",
       [](Inputs& in) {
         in.frame(2).columns.push_back({"Z", 1, std::vector<std::int64_t>{14, 14, 14, 8, 14, 14, 14, 14}});
       },
       Answer::error, "train.xyz:9 (frame 2): atom 4 is Si (14) in the column 'species', but '8' in the column 'Z'"},
      {"cell without volume", [](Inputs& in) { in.frame(2).cell->row(2) = in.frame(2).cell->row(1); }, Answer::error,
       "train.xyz:4 (frame 2): the cell has a volume of 0 Å³ for 8 atoms"},
      {"a periodic direction without a vector",
       [](Inputs& in) {
         in.frame(2).cell->row(2).setZero();
         in.frame(2).pbc = {false, false, true};
       },
       Answer::error, "train.xyz:4 (frame 2): "},
      {"Lattice in nm", [](Inputs& in) { *in.frame(2).cell /= 10; }, Answer::error, "is the Lattice not in Å?"},
      {"left-handed cell",
       [](Inputs& in) {
         Matrix3& cell = *in.frame(4).cell;
         const Eigen::RowVector3d first = cell.row(0);
         cell.row(0) = cell.row(1);
         cell.row(1) = first;
       },
       Answer::note, "train.xyz:24 (frame 4): the cell is left-handed (a·(b×c) = -"},
      {"two atoms in one place", [](Inputs& in) { bring_together(in.frame(3), 1, 4, 0); }, Answer::error,
       "train.xyz:14 (frame 3): atoms 2 (Si) and 5 (Si) are 0 Å apart, expected at least 0.1 Å"},
      {"atoms on top of each other", [](Inputs& in) { bring_together(in.frame(3), 1, 4, 0.05); }, Answer::error,
       "train.xyz:14 (frame 3): atoms 2 (Si) and 5 (Si) are 0.05 Å apart, expected at least 0.1 Å"},
      {"atoms too close", [](Inputs& in) { bring_together(in.frame(3), 1, 4, 0.4); }, Answer::warning,
       "train.xyz:14 (frame 3): atoms 2 (Si) and 5 (Si) are 0.4 Å apart, 18 % of the sum of their covalent radii"},
      {"positions in nm", [](Inputs& in) { in.frame(3).positions /= 10; }, Answer::warning, "train.xyz:14 (frame 3): atoms"},
      {"fractional positions",
       [](Inputs& in) {
         in.frame(4).positions << 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.9,
             0.9, 0.9, 0.9;
       },
       Answer::warning, "train.xyz:24 (frame 4): all positions lie between 0 and 1"},
      {"a virial without periodicity",
       [](Inputs& in) {
         in.frame(4).pbc = {false, false, false};
       },
       Answer::warning, "train.xyz:24 (frame 4): the frame has a virial or stress, but pbc is F F F"},
  };
}

std::vector<BadInput> bad_isolated_atoms() {
  return {
      {"an atom far from the others",
       [](Inputs& in) {
         Structure s = lone_atom(14);
         s.atomic_numbers = {14, 14, 14};
         s.positions = Positions::Zero(3, 3);
         s.positions(1, 0) = 2.4;
         s.positions(2, 0) = 30;
         s.columns.clear();
         in.frames.push_back(labelled(s, "cluster"));
       },
       Answer::note, "train.xyz:114 (frame 13): 1 atom in frames of several atoms has no neighbour within the largest cutoff"},
      {"no isolated atom", [](Inputs& in) { in.frames.erase(in.frames.begin()); }, Answer::error,
       "the training data have no isolated Si atom with an energy"},
      {"isolated atom without energy", [](Inputs& in) { in.edit_line(2, " energy=-0.84", ""); }, Answer::error,
       "the training data have no isolated Si atom with an energy"},
      {"isolated atom in a small cell",
       [](Inputs& in) {
         in.frame(1).cell = 4 * Matrix3::Identity();
         in.frame(1).pbc = {true, true, true};
       },
       Answer::error, "the training data have no isolated Si atom with an energy"},
      {"two isolated atoms with different energies",
       [](Inputs& in) {
         in.frames.push_back(in.frame(1));
         in.frames.back().set_field("energy", -0.7);
       },
       Answer::error, "train.xyz:114 (frame 13): a second isolated Si atom with energy -0.7"},
      {"an element without isolated atom",
       [](Inputs& in) {
         Structure s = random_triclinic(8, 77, {14, 6});
         in.frames.push_back(labelled(s));
       },
       Answer::error, "the training data have no isolated C atom with an energy"},
  };
}

std::vector<BadInput> repeated_structures() {
  return {
      {"the same structure with another energy",
       [](Inputs& in) {
         in.frames.push_back(in.frame(4));
         in.frames.back().set_field("energy", -7.5);
       },
       Answer::warning, "with another energy: -7.5 eV against"},
      {"the same structure with other forces",
       [](Inputs& in) {
         in.frames.push_back(in.frame(4));
         std::vector<double> forces(24, 0.0);
         in.frames.back().set_column("forces", 3, forces);
       },
       Answer::warning, "with other forces; keep the right one"},
      {"the same structure twice", [](Inputs& in) { in.frames.push_back(in.frame(4)); }, Answer::note,
       "train.xyz:114 (frame 13): the same structure as frame 4 of"},
      {"validation data that are also training data",
       [](Inputs&) {},
       Answer::warning,
       "the same structure as training frame 2 of",
       {"--validation", "train.xyz"}},
      {"validation data with an element that is never trained",
       [](Inputs& in) { in.files["validation.xyz"] = "2\npbc=\"F F F\"\nSi 0 0 0\nGe 2.4 0 0\n"; },
       Answer::error,
       "validation.xyz:1 (frame 1): the validation frame has Ge, which the training data do not have",
       {"--validation", "validation.xyz"}},
      {"all atoms beyond the cutoff",
       [](Inputs& in) {
         for (Structure& s : in.frames) {
           s.positions *= 10;
           if (s.cell) *s.cell *= 10;
         }
       },
       Answer::error, "no atom of 11 frames with several atoms has a neighbour within the largest cutoff"},
  };
}

}  // namespace gapkit::test
