#include "bad_inputs/bad_inputs.hpp"

namespace gapkit::test {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

}  // namespace

std::vector<BadInput> unreadable_files() {
  return {
      {"training file missing", [](Inputs& in) { in.configure("train.xyz", "trian.xyz"); }, Answer::refused, "trian.xyz"},
      {"training file missing, named on the command line",
       [](Inputs&) {},
       Answer::refused,
       "the file 'none.xyz' cannot be read: No such file or directory",
       {"--train", "none.xyz"}},
      {"training file is a folder", [](Inputs&) {}, Answer::refused, "the file '.' cannot be read: is a folder", {"--train", "."}},
      {"empty file", [](Inputs& in) { in.files["train.xyz"] = ""; }, Answer::error,
       "train.xyz: the file holds no frame, expected extended XYZ"},
      {"a file of blank lines", [](Inputs& in) { in.files["train.xyz"] = "\n\n  \n"; }, Answer::error, "the file holds no frame"},
      {"compressed file", [](Inputs& in) { in.files["train.xyz"] = "\x1f\x8b\x08\x01\x02\n\x03\n"; }, Answer::error,
       "train.xyz: the file is compressed with gzip; unpack it first (gunzip)"},
      {"UTF-16",
       [](Inputs& in) {
         in.files["train.xyz"] = std::string(
             "\xFF\xFE"
             "1\0\n\0",
             6);
       },
       Answer::error, "train.xyz: the file is UTF-16 text; save it as UTF-8"},
      {"HDF5 file", [](Inputs& in) { in.files["train.xyz"] = "\x89HDF\r\n\x1a\n"; }, Answer::error, "train.xyz: the file is HDF5"},
      {"JSON",
       [](Inputs& in) {
         in.files["train.json"] = "{}\n";
         in.configure("train.xyz", "train.json");
       },
       Answer::error, "train.json: the file is JSON, expected extended XYZ; reading it through ASE "},
      {"POSCAR",
       [](Inputs& in) {
         in.files["POSCAR"] = "Si\n1.0\n";
         in.configure("train.xyz", "POSCAR");
       },
       Answer::error, "POSCAR: the file is a structure of VASP (POSCAR), expected extended XYZ; reading it through ASE "},
      {"the standard input",
       [](Inputs&) {},
       Answer::refused,
       "'-' (the standard input) cannot be read, as a fit reads its data more than once",
       {"--train", "-"}},
      {"old Macintosh line ends", [](Inputs& in) { in.edit([](std::string& t) { replace_all(t, "\n", "\r"); }); }, Answer::error,
       "train.xyz: the lines of the file end with a carriage return alone; convert it"},
      {"Windows line ends", [](Inputs& in) { in.edit([](std::string& t) { replace_all(t, "\n", "\r\n"); }); }, Answer::note,
       "train.xyz: the lines end in the Windows way (CR LF), which is understood"},
  };
}

std::vector<BadInput> unreadable_frames() {
  return {
      {"atom count too large", [](Inputs& in) { in.edit_line(4, "8", "9"); }, Answer::error,
       "train.xyz:14 (frame 2): expected 9 atoms, found 8 before a line that holds only '8' (the next frame?)"},
      {"atom count too small", [](Inputs& in) { in.edit_line(4, "8", "7"); }, Answer::error,
       "does the frame before have more rows than its number of atoms?"},
      {"atom count is a word", [](Inputs& in) { in.edit_line(4, "8", "eight"); }, Answer::error,
       "train.xyz:4 (frame 2): expected the number of atoms, found 'eight'"},
      {"atom count 0", [](Inputs& in) { in.edit_line(4, "8", "0"); }, Answer::error,
       "train.xyz:4 (frame 2): the number of atoms is 0, expected at least 1"},
      {"atom count -8", [](Inputs& in) { in.edit_line(4, "8", "-8"); }, Answer::error, "the number of atoms is -8, expected at least 1"},
      {"atom count beyond all memory", [](Inputs& in) { in.edit_line(4, "8", "99999999999"); }, Answer::error,
       "the number of atoms is 99999999999, expected at most"},
      {"last line cut off", [](Inputs& in) { in.edit([](std::string& t) { t.resize(t.rfind('\n', t.size() - 2) + 1); }); }, Answer::error,
       "(frame 12): the file ends inside the frame: expected 8 atoms, found 7"},
      {"last row cut off", [](Inputs& in) { in.edit([](std::string& t) { t.resize(t.find_last_of(" ")); }); }, Answer::error,
       "(frame 12): column 'forces:R:3' has 2 values for atom 8, expected 3"},
      {"comment line cut off", [](Inputs& in) { in.files["train.xyz"] = "2\n"; }, Answer::error,
       "expected a comment line and 2 atoms, found neither"},
      {"blank line instead of an atom", [](Inputs& in) { in.edit_line(8, "", ""); }, Answer::error,
       "train.xyz:8 (frame 2): expected 8 atoms, found 2 before a blank line"},
      {"position is a word", [](Inputs& in) { in.edit_line(6, "", "Si 0 zero 0 0 0 0"); }, Answer::error,
       "train.xyz:6 (frame 2): column 'pos:R:3', atom 1: value 2 of 3 is 'zero', expected a number"},
      {"a row with too few values", [](Inputs& in) { in.edit_line(6, "", "Si 0 0 0 0 0"); }, Answer::error,
       "train.xyz:6 (frame 2): column 'forces:R:3' has 2 values for atom 1, expected 3"},
      {"a row with too many values", [](Inputs& in) { in.edit_line(6, "", "Si 0 0 0 0 0 0 0"); }, Answer::error,
       "the row of atom 1 has 8 values, expected 7"},
      {"NaN in a position", [](Inputs& in) { in.edit_line(6, "", "Si 0 nan 0 0 0 0"); }, Answer::error, "expected a finite position"},
      {"unknown element", [](Inputs& in) { in.edit_line(6, "Si", "Sj"); }, Answer::error, "unknown chemical element 'Sj'"},
      {"a key twice", [](Inputs& in) { in.edit_line(5, "energy=", "energy=1 energy="); }, Answer::error,
       "train.xyz:5 (frame 2): the comment line has the key 'energy' twice, expected each key once"},
      {"a quote without end", [](Inputs& in) { in.edit_line(5, "energy=", "name=\"x energy="); }, Answer::error, "train.xyz:5 (frame 2): "},
      {"Lattice of 8 numbers",
       [](Inputs& in) {
         in.frame(2).cell.reset();
         in.frame(2).pbc.fill(false);
         in.edit_line(5, "Properties", "Lattice=\"5 0 0 0 5 0 0 0\" Properties");
       },
       Answer::error, "train.xyz:5 (frame 2): "},
      {"infinity in Lattice",
       [](Inputs& in) {
         in.frame(2).cell.reset();
         in.frame(2).pbc.fill(false);
         in.edit_line(5, "Properties", "Lattice=\"5 0 0 0 5 0 0 0 inf\" Properties");
       },
       Answer::error, "train.xyz:5 (frame 2): "},
      {"Properties without a type", [](Inputs& in) { in.edit_line(5, "pos:R:3", "pos:3"); }, Answer::error, "train.xyz:5 (frame 2): "},
      {"Properties without positions", [](Inputs& in) { in.edit_line(5, "pos:R:3", "place:R:3"); }, Answer::error,
       "train.xyz:5 (frame 2): "},
      {"columns without Properties", [](Inputs& in) { in.edit_line(5, "Properties=species:S:1:pos:R:3:forces:R:3 ", ""); }, Answer::error,
       "train.xyz:6 (frame 2): each row of the frame has 7 values, but the comment line has no Properties"},
      {"validation file damaged",
       [](Inputs& in) { in.files["validation.xyz"] = "2\nenergy=1\nSi 0 0 0\n"; },
       Answer::error,
       "validation.xyz:3 (frame 1): the file ends inside the frame: expected 2 atoms, found 1",
       {"--validation", "validation.xyz"}},
  };
}

}  // namespace gapkit::test
