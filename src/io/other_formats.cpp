#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/other_formats.hpp>

namespace gapkit {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  const char* sentence;
};

constexpr Signature signatures[] = {
    {"\x1f\x8b", "the file is compressed with gzip; unpack it first (gunzip)"},
    {"\xFD"
     "7zXZ",
     "the file is compressed with xz; unpack it first (unxz)"},
    {"BZh", "the file is compressed with bzip2; unpack it first (bunzip2)"},
    {"\x28\xB5\x2F\xFD", "the file is compressed with zstd; unpack it first (unzstd)"},
    {"PK\x03\x04", "the file is a ZIP archive; unpack it first"},
    {"\x89HDF", "the file is HDF5, expected extended XYZ"},
    {"\xFF\xFE", "the file is UTF-16 text; save it as UTF-8"},
    {"\xFE\xFF", "the file is UTF-16 text; save it as UTF-8"},
    {"\x93NUMPY", "the file is an array of NumPy, expected extended XYZ; write it with ase.io.write(..., format=\"extxyz\")"},
    {"BEGIN_CFG",
     "the file is a .cfg file of MLIP, expected extended XYZ; convert it with a script (each frame: cell, species, positions, "
     "energy, forces)"},
    {"ITEM: TIMESTEP",
     "the file is a dump of LAMMPS, expected extended XYZ; it names elements only if the dump has the column 'element'; "
     "convert it: lammps/dump-to-xyz (docs/lammps.md)"},
};

/// A format that `ase convert` reads.
struct Convertible {
  std::string_view bytes;                        // at the beginning; empty: known by the name of the file only
  std::initializer_list<std::string_view> ends;  // of the name in lower case
  std::initializer_list<std::string_view> begins;
  const char* name;
  const char* format;  // ASE's name of the format, where the name of the file does not suffice
  bool has_labels;
};

const Convertible convertibles[] = {
    {"- of Ulm"sv, {".traj"}, {}, "a trajectory of ASE", "", true},
    {"SQLite format 3"sv, {".db"}, {}, "a database of ASE (SQLite)", "db", true},
    {{}, {".json"}, {}, "JSON", "", true},
    {{}, {".poscar", ".vasp"}, {"poscar", "contcar"}, "a structure of VASP (POSCAR)", "vasp", false},
    {{}, {}, {"xdatcar"}, "a trajectory of VASP (XDATCAR)", "vasp-xdatcar", false},
    {{}, {"outcar"}, {"outcar"}, "an output of VASP (OUTCAR)", "vasp-out", true},
    {{}, {"vasprun.xml"}, {"vasprun"}, "an output of VASP (vasprun.xml)", "vasp-xml", true},
    {{}, {".cif"}, {}, "a structure in CIF", "cif", false},
    {{}, {".pdb"}, {}, "a structure of PDB", "", false},
    {{}, {".gen"}, {}, "a structure of DFTB+", "", false},
    {{}, {".xsf"}, {}, "a structure of XCrySDen", "", true},
    {{}, {".res"}, {}, "a structure of SHELX", "", false},
    {{}, {".cell"}, {}, "a structure of CASTEP", "", false},
    {{}, {".castep"}, {}, "an output of CASTEP", "", true},
    {{}, {"geometry.in"}, {}, "a structure of FHI-aims", "", false},
    {{}, {".lmp", ".lammps", ".lammpsdata"}, {}, "data of LAMMPS", "lammps-data", false},
};

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool is_of_kind(const Convertible& kind, const std::string& name, std::string_view beginning) {
  if (!kind.bytes.empty() && beginning.starts_with(kind.bytes)) return true;
  if (has_xyz_name(name)) return false;
  return std::any_of(kind.ends.begin(), kind.ends.end(), [&](std::string_view end) { return name.ends_with(end); }) ||
         std::any_of(kind.begins.begin(), kind.begins.end(), [&](std::string_view begin) { return name.starts_with(begin); });
}

}  // namespace

OtherFormat other_format(const std::filesystem::path& path, std::string_view beginning) {
  for (const Signature& signature : signatures)
    if (beginning.starts_with(signature.bytes)) return {signature.sentence};
  const bool is_text = beginning.find('\0') == std::string_view::npos;
  if (is_text && beginning.find('\n') == std::string_view::npos && beginning.find('\r') != std::string_view::npos)
    return {"the lines of the file end with a carriage return alone; convert it (tr '\\r' '\\n')"};
  const std::string name = lower_case(path.filename().string());
  for (const Convertible& kind : convertibles) {
    if (!is_of_kind(kind, name, beginning)) continue;
    const std::string file = path.filename().string(), option = *kind.format ? fmt::format("-i {} ", kind.format) : "";
    return {fmt::format("the file is {}, expected extended XYZ; convert it: ase convert {}-o extxyz {} {}.xyz{}", kind.name, option, file,
                        file, kind.has_labels ? "" : " (energies and forces are not in such a file)"),
            kind.name, kind.format};
  }
  return {};
}

bool has_xyz_name(const std::filesystem::path& path) {
  const std::string extension = lower_case(path.extension().string());
  return extension == ".xyz" || extension == ".extxyz" || extension == ".exyz";
}

std::string beginning_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(1 << 16, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

bool begins_with_atom_count(std::string_view beginning) {
  while (!beginning.empty()) {
    const std::size_t end = std::min(beginning.find('\n'), beginning.size());
    std::string_view line = beginning.substr(0, end);
    beginning.remove_prefix(std::min(end + 1, beginning.size()));
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::string_view word = extxyz::next_word(line);
    if (word.empty()) continue;
    std::int64_t count = 0;
    return extxyz::parse_integer(word, count) == extxyz::NumberStatus::good && extxyz::next_word(line).empty();
  }
  return false;
}

}  // namespace gapkit
