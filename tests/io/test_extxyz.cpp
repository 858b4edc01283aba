#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/extxyz_values.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_bits(const double* a, const double* b, Eigen::Index n) {
  for (Eigen::Index i = 0; i < n; ++i)
    if (!same_bits(a[i], b[i])) return false;
  return true;
}

bool same_bits(const FieldValue& a, const FieldValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* real = std::get_if<double>(&a)) return same_bits(*real, std::get<double>(b));
  if (const auto* reals = std::get_if<std::vector<double>>(&a)) {
    const auto& other = std::get<std::vector<double>>(b);
    return reals->size() == other.size() && same_bits(reals->data(), other.data(), static_cast<Eigen::Index>(other.size()));
  }
  if (const auto* matrix = std::get_if<Matrix>(&a)) {
    const auto& other = std::get<Matrix>(b);
    return matrix->rows() == other.rows() && matrix->cols() == other.cols() && same_bits(matrix->data(), other.data(), other.size());
  }
  return a == b;
}

/// What two structures differ in; "" if they are the same to the last bit.
std::string difference(const Structure& a, const Structure& b) {
  if (a.cell.has_value() != b.cell.has_value() || (a.cell && !same_bits(a.cell->data(), b.cell->data(), 9))) return "cell";
  if (a.pbc != b.pbc) return "pbc";
  if (a.atomic_numbers != b.atomic_numbers) return "atomic numbers";
  if (a.positions.rows() != b.positions.rows() || !same_bits(a.positions.data(), b.positions.data(), a.positions.size()))
    return "positions";
  if (a.fields.size() != b.fields.size()) return "number of fields";
  for (std::size_t i = 0; i < a.fields.size(); ++i)
    if (a.fields[i].key != b.fields[i].key || !same_bits(a.fields[i].value, b.fields[i].value)) return "field " + a.fields[i].key;
  if (a.columns.size() != b.columns.size()) return "number of columns";
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const Column &x = a.columns[i], &y = b.columns[i];
    if (x.name != y.name || x.count != y.count || x.values.index() != y.values.index()) return "column " + x.name;
    if (const auto* reals = std::get_if<std::vector<double>>(&x.values)) {
      const auto& other = std::get<std::vector<double>>(y.values);
      if (reals->size() != other.size() || !same_bits(reals->data(), other.data(), static_cast<Eigen::Index>(other.size())))
        return "column " + x.name;
    } else if (x.values != y.values) {
      return "column " + x.name;
    }
  }
  return "";
}

Structure parsed(const std::string& text) {
  const TemporaryFolder folder;
  const auto frames = read_extxyz(folder.write("in.xyz", text));
  REQUIRE(frames.size() == 1);
  return frames.front();
}

std::string error_of(const std::string& text) {
  const TemporaryFolder folder;
  const auto path = folder.write("in.xyz", text);
  const std::string message = message_of<InputError>([&] { read_extxyz(path); });
  const std::string prefix = folder.path().string() + "/";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

void write_all(const std::filesystem::path& path, const std::vector<Structure>& frames) {
  ExtxyzWriter writer(path);
  for (const auto& frame : frames) writer.write(frame);
  writer.commit();
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

template <class T>
T value_of(const std::string& text) {
  const FieldValue value = extxyz::parse_value(text);
  CAPTURE(text);
  REQUIRE(std::holds_alternative<T>(value));
  return std::get<T>(value);
}

const std::string one_atom = "1\nLattice=\"4 0 0 0 5 0 0 0 6\" Properties=species:S:1:pos:R:3 ";
const std::string its_row = "\nSi 0 0 0\n";

}  // namespace

TEST_CASE("one word is an integer, a real, a logical or a string, whichever fits first") {
  for (const char* text : {"12", "+12", "012", "\"12\"", "{12}"}) CHECK(value_of<std::int64_t>(text) == 12);
  CHECK(value_of<std::int64_t>("-12") == -12);
  for (const char* text : {"12.0", "+12.", "1.2e1", "1.2E+1", "1.2d1", "1.2D+01", "120d-1", "120D-1", ".12e2", "+00012.0"})
    CHECK(value_of<double>(text) == 12.0);
  CHECK(value_of<double>("12345678901234567890") == 12345678901234567890.0);
  CHECK(same_bits(value_of<double>("-1e-999"), -0.0));
  CHECK(value_of<double>("0.000000001e-315") == doctest::Approx(0.0));
  CHECK(std::isnan(value_of<double>("nan")));
  for (const char* text : {"T", "true", "True", "TRUE", "\"T\""}) CHECK(value_of<bool>(text));
  for (const char* text : {"F", "false", "False", "FALSE"}) CHECK_FALSE(value_of<bool>(text));
  for (const char* text : {"TRuE", "1.3k7", "+-1", "1e", "1d", "d5", "1e999", "0x10", "V/V0=0.84", "6x6x6", "EMC(1):VC(1)", "'open"})
    CHECK(value_of<std::string>(text) == text);
  CHECK(value_of<std::string>(R"(a\ b)") == "a b");
  CHECK(value_of<std::string>(R"("abc\"def\\g\nh")") == "abc\"def\\g\nh");
  CHECK(value_of<std::string>("\"two  words, and more\"") == "two  words, and more");
  CHECK(value_of<std::string>("'two words'") == "two words");
  CHECK(value_of<std::string>("\"\"").empty());
}

TEST_CASE("old and new arrays and matrices") {
  for (const char* text : {"\"1 2 3\"", "{1 2 3}", "[1,2,3]", "[ 1, 2 ,3 ]", "\"  1\t2 3 \""})
    CHECK(value_of<std::vector<std::int64_t>>(text) == std::vector<std::int64_t>{1, 2, 3});
  for (const char* text : {"\"1 2.0 3\"", "{1.0 2 3d0}", "[1, 2, 0.3E1]"})
    CHECK(value_of<std::vector<double>>(text) == std::vector<double>{1, 2, 3});
  for (const char* text : {"\"T F True FALSE\"", "{T F true F}", "[T,F, T, false]"})
    CHECK(value_of<std::vector<bool>>(text) == std::vector<bool>{true, false, true, false});
  for (const char* text : {"{a b}", "[a,b]", "[ \"a\", b ]"})
    CHECK(value_of<std::vector<std::string>>(text) == std::vector<std::string>{"a", "b"});
  CHECK(value_of<std::vector<std::string>>("[\"a, b\", \"c]\"]") == std::vector<std::string>{"a, b", "c]"});
  CHECK(value_of<std::vector<std::string>>("[T, F, bob]") == std::vector<std::string>{"T", "F", "bob"});
  CHECK(value_of<std::vector<std::string>>("[\"1\", \"2\"]") == std::vector<std::string>{"1", "2"});
  CHECK(value_of<std::vector<std::int64_t>>("[7]") == std::vector<std::int64_t>{7});
  const Matrix m = value_of<Matrix>("[[1, 2.5, 3], [4, 5, 6d0]]");
  CHECK(m.rows() == 2);
  CHECK(m.cols() == 3);
  CHECK(m(0, 1) == 2.5);
  CHECK(m(1, 2) == 6);
  for (const char* text : {"[[1,2],[3]]", "[[[1]]]", "[[a,b],[c,d]]", "[1,[2]]", "[1,,2]"}) CHECK(value_of<std::string>(text) == text);
}

TEST_CASE("canonical values read back to the same type and bits") {
  Matrix wide(2, 3);
  wide << 1, -2.5e-300, 3, 0.1, 5, 1e22;
  const std::vector<FieldValue> values = {true,
                                          std::int64_t{-7},
                                          5.0,
                                          -0.0,
                                          0.1,
                                          1e22,
                                          4.9406564584124654e-324,
                                          std::string("word"),
                                          std::string("two words"),
                                          std::string("a=\"b\\c\"\nd, {e}"),
                                          std::string(),
                                          std::vector<bool>{true, false},
                                          std::vector<std::int64_t>{1, -2, 3},
                                          std::vector<std::int64_t>{4},
                                          std::vector<double>{1, -0.0, 1.0 / 3},
                                          std::vector<double>{2},
                                          std::vector<std::string>{"a", "b c", "7"},
                                          wide};
  for (const auto& value : values) {
    std::string text;
    extxyz::append_value(text, value);
    CAPTURE(text);
    CHECK(same_bits(extxyz::parse_value(text), value));
  }
  std::string text;
  extxyz::append_value(text, FieldValue(std::vector<double>{1, 2.5, -3}));
  CHECK(text == "\"1.0 2.5 -3.0\"");
  text.clear();
  extxyz::append_value(text, FieldValue(Matrix(Matrix::Identity(3, 3))));
  CHECK(text == "\"1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 1.0\"");
}

TEST_CASE("a frame with everything") {
  const Structure s = parsed(
      "2\r\n"
      "  Lattice=\"5.44 0.1 0.2 0 5.5 0.3 0 0 5.6\" Properties=species:S:1:pos:R:3:forces:R:3:fixed:L:1:id:I:2:tag:S:1 energy = -1.5d0 "
      "\"my key\"=7 flag pbc=\"T F T\" empty= note=\"a \\\"b\\\"\" K=[[1,2],[3,4]] \r\n"
      "Si 1.0D0 +2 3e-1 .5 -1 0 T 1 -2 x7\r\n"
      "\tsi\t0 0 1 0 0 1e-3 false +3 04 \"y\r\n"
      "\r\n"
      "  \r\n");
  CHECK(s.source.ends_with("in.xyz:1 (frame 1)"));
  CHECK((*s.cell)(0, 1) == 0.1);
  CHECK((*s.cell)(1, 2) == 0.3);
  CHECK(s.pbc == std::array<bool, 3>{true, false, true});
  CHECK(s.atomic_numbers == std::vector<int>{14, 14});
  CHECK(s.positions(0, 0) == 1.0);
  CHECK(s.positions(0, 1) == 2.0);
  CHECK(s.positions(0, 2) == 0.3);
  REQUIRE(s.fields.size() == 6);
  CHECK(s.fields[0].key == "energy");
  CHECK(std::get<double>(s.fields[0].value) == -1.5);
  CHECK(s.fields[0].text == "-1.5d0");
  CHECK(std::get<std::int64_t>(s.find_field("my key")->value) == 7);
  CHECK(std::get<bool>(s.find_field("flag")->value));
  CHECK(std::get<std::string>(s.find_field("empty")->value).empty());
  CHECK(std::get<std::string>(s.find_field("note")->value) == "a \"b\"");
  CHECK(s.find_field("K")->text == "[[1,2],[3,4]]");
  REQUIRE(s.columns.size() == 4);
  CHECK(std::get<std::vector<double>>(s.columns[0].values) == std::vector<double>{0.5, -1, 0, 0, 0, 1e-3});
  CHECK(std::get<std::vector<bool>>(s.columns[1].values) == std::vector<bool>{true, false});
  CHECK(std::get<std::vector<std::int64_t>>(s.columns[2].values) == std::vector<std::int64_t>{1, -2, 3, 4});
  CHECK(std::get<std::vector<std::string>>(s.columns[3].values) == std::vector<std::string>{"x7", "\"y"});

  const TemporaryFolder folder;
  write_all(folder.path() / "out.xyz", {s});
  CHECK(difference(read_extxyz(folder.path() / "out.xyz").front(), s) == "");
  CHECK(read_text(folder.path() / "out.xyz") ==
        "2\n"
        "Lattice=\"5.44 0.1 0.2 0 5.5 0.3 0 0 5.6\" Properties=species:S:1:pos:R:3:forces:R:3:fixed:L:1:id:I:2:tag:S:1 energy=-1.5d0 "
        "\"my key\"=7 flag=T empty={ } note=\"a \\\"b\\\"\" K=[[1,2],[3,4]] pbc=\"T F T\"\n"
        "Si 1 2 0.3 0.5 -1 0 T 1 -2 x7\n"
        "Si 0 0 1 0 0 0.001 F 3 4 \"y\n");
}

TEST_CASE("Lattice and pbc in all their forms") {
  const auto cell_of = [](const std::string& lattice) {
    return *parsed("1\nProperties=species:S:1:pos:R:3 Lattice=" + lattice + its_row).cell;
  };
  Matrix3 expected;
  expected << 1, 2, 3, 4, 5, 6, 7, 8, 10;
  for (const char* text :
       {"\"1 2 3 4 5 6 7 8 10\"", "{1 2 3 4 5 6 7 8 10.0}", "[[1,2,3],[4,5,6],[7,8,1d1]]", "[1, 2, 3, 4, 5, 6, 7, 8, 10]"})
    CHECK(cell_of(text) == expected);
  CHECK(cell_of("\"1 2 3\"") == Matrix3(Vector3(1, 2, 3).asDiagonal()));
  CHECK(cell_of("4") == Matrix3(4 * Matrix3::Identity()));
  CHECK(std::signbit(cell_of("\"1 -0 0 0 1 0 0 0 1\"")(0, 1)));

  const auto pbc_of = [](const std::string& extra) { return parsed(one_atom + extra + its_row).pbc; };
  CHECK(pbc_of("") == std::array<bool, 3>{true, true, true});
  CHECK(pbc_of("pbc=\"F T F\"") == std::array<bool, 3>{false, true, false});
  CHECK(pbc_of("pbc=[T,T,F]") == std::array<bool, 3>{true, true, false});
  CHECK(pbc_of("pbc=F") == std::array<bool, 3>{false, false, false});
  CHECK(pbc_of("pbc=\"1 0 1\"") == std::array<bool, 3>{true, false, true});
  const Structure molecule = parsed("1\nProperties=species:S:1:pos:R:3" + its_row);
  CHECK_FALSE(molecule.cell.has_value());
  CHECK(molecule.pbc == std::array<bool, 3>{false, false, false});
}

TEST_CASE("plain XYZ: species and positions, the comment is kept") {
  const Structure s = parsed("2\nwater, step 3 of 5\nO 0 0 0\n1 0 0 1");
  CHECK(s.atomic_numbers == std::vector<int>{8, 1});
  CHECK(std::get<std::string>(s.find_field("comment")->value) == "water, step 3 of 5");
  CHECK(s.columns.empty());
  CHECK(parsed("1\n\nH 0 0 0\n").fields.empty());
  CHECK(std::get<double>(parsed("1\nenergy=-1.5 Lattice=\"3 3 3\"\nH 0 0 0\n").find_field("energy")->value) == -1.5);
  CHECK(parsed("1\nsay \"hello\nH 0 0 0\n").find_field("comment") != nullptr);
  const TemporaryFolder folder;
  write_all(folder.path() / "out.xyz", {s});
  CHECK(difference(read_extxyz(folder.path() / "out.xyz").front(), s) == "");
}

TEST_CASE("plain XYZ: values behind the positions are refused, with advice that fits them") {
  CHECK(error_of("2\nwater\nO 0 0 0 1 2 3\nH 0 0 1 4 5 6\n") ==
        "in.xyz:3 (frame 1): each row of the frame has 7 values, but the comment line has no Properties to say what follows x y z; if they "
        "are forces (eV/Å), add Properties=species:S:1:pos:R:3:forces:R:3 to the comment line; if not, give them their name there, or cut "
        "the rows after four values");
  CHECK(error_of("1\nLattice=\"3 3 3\" energy=1\n14 0 0 0 1 2 3\n").find("Properties=Z:I:1:pos:R:3:forces:R:3") != std::string::npos);
  CHECK(error_of("1\n\nO 0 0 0 0.5\n").find("has 5 values") != std::string::npos);
  CHECK(error_of("1\n\nO 0 0 0 0.5\n").find("pos:R:3:NAME:R:1") != std::string::npos);
  CHECK(error_of("1\n\nO 0 0 0 a b c\n").find("pos:R:3:NAME:S:3") != std::string::npos);
  CHECK(error_of("3\n\nO 0 0 0\nH 0 0 1 1\nH 0 1 0 1 2 3\n").starts_with("in.xyz:4 (frame 1): the rows of the frame have 4 to 7 values"));
}

TEST_CASE("plain XYZ: types of atoms are not taken for elements") {
  const std::string rows = "1 0 0 0\n1 0 0 2\n";
  CHECK(error_of("2\nAtoms. Timestep: 500\n" + rows).starts_with("in.xyz:3 (frame 1): '1' is no element here but a type of atoms"));
  CHECK(error_of("2\nAtoms. Timestep: 500\n300 0 0 0\n301 0 0 2\n").find("'300' to '301' are no element here") != std::string::npos);
  CHECK(error_of("3\n\n1 0 0 0\n3 0 0 2\n2 0 0 4\n").find("'1' to '3' are no element here but types of atoms") != std::string::npos);
  // Hydrogen alone could be a type; water by atomic numbers; LAMMPS with symbols.
  CHECK(error_of("2\n\n" + rows).find("could be hydrogen or a type of atoms") != std::string::npos);
  CHECK(parsed("2\n\n1 0 0 0\n8 0 0 1\n").atomic_numbers == std::vector<int>{1, 8});
  CHECK(parsed("2\nAtoms. Timestep: 0\nSi 0 0 0\nSi 0 0 2\n").atomic_numbers == std::vector<int>{14, 14});
  CHECK(error_of("1\nProperties=species:S:1:pos:R:3\n1 0 0 0\n").find("'1' is no element; write its symbol, or call the column Z:I:1") !=
        std::string::npos);
}

TEST_CASE("a cell without Lattice, and periodic directions without a cell, are refused") {
  const auto error = [](const std::string& fields) { return error_of("1\nProperties=species:S:1:pos:R:3 " + fields + its_row); };
  const std::string nine = "\"9 0 0 0 9 0 0 0 9\"";
  CHECK(
      error("cell=" + nine + " pbc=\"T T T\"") ==
      "in.xyz:2 (frame 1): pbc is \"T T T\", there is no Lattice, but 'cell' has 9 numbers; if they are the cell vectors (Å), call the key "
      "Lattice instead of cell");
  for (const char* name : {"cell", "Cell", "unit_cell", "unitcell", "lattice_vectors", "box"}) {
    CAPTURE(name);
    CHECK(error(std::string(name) + "=" + nine).find("without which the frame is a molecule") != std::string::npos);
    CHECK(error(std::string(name) + "=\"9 9 9 90 90 90\"").find("write its vectors (Å) as Lattice=") != std::string::npos);
    CHECK(error(std::string(name) + "=" + nine + " pbc=\"F F F\"") == "");
    CHECK(error(std::string(name) + "=\"0 0 0 0 0 0 0 0 0\"") == "");
    CHECK(error(std::string(name) + "=conventional") == "");
    CHECK(error(std::string(name) + "=" + nine + " Lattice=" + nine) == "");
  }
  CHECK(error("pbc=\"F F T\"").find("pbc is \"F F T\", but there is no Lattice") != std::string::npos);
  CHECK(error("pbc=F") == "");
  // A remark beside pbc does not make the line free text.
  CHECK(error_of("1\npbc=\"T T T\" relaxed\nSi 0 0 0\n").find("there is no Lattice") != std::string::npos);
  Structure periodic = parsed("1\nProperties=species:S:1:pos:R:3" + its_row);
  periodic.pbc[1] = true;
  const TemporaryFolder folder;
  CHECK_THROWS_AS(write_all(folder.path() / "out.xyz", {periodic}), InputError);
}

TEST_CASE("cells under names that begin like one make no molecule") {
  for (const char* name : {"cell_parameters", "cellpar", "boxsize", "latt", "lattice_parameters", "simulation_cell", "cell_type"}) {
    CAPTURE(name);
    const std::string row = "1\nProperties=species:S:1:pos:R:3 " + std::string(name) + "=\"4 0 0 0 4 0 0 0 4\"";
    const bool is_known = std::string(name) != "simulation_cell";
    CHECK(!error_of(row + its_row).empty() == is_known);
    CHECK(error_of(row + " pbc=\"F F F\"" + its_row).empty());
  }
  CHECK(error_of("1\nProperties=species:S:1:pos:R:3 cell_volume=64" + its_row).empty());
}

TEST_CASE("a cell beside a Lattice that is another one is refused") {
  const auto error = [](const std::string& fields) {
    return error_of("1\nProperties=species:S:1:pos:R:3 Lattice=\"4 0 0 2 5 0 0 1 6\" " + fields + its_row);
  };
  CHECK(
      error("cell=\"5 0 0 0 5 0 0 0 5\"") ==
      "in.xyz:2 (frame 1): 'cell' is \"5 0 0 0 5 0 0 0 5\", but Lattice is another cell, with vectors of 4, 5.38516 and 6.08276 Å; correct "
      "one of them, or give 'cell' another name if it is not the cell of the frame");
  for (const char* name : {"cell", "Cell", "cell_vectors", "lattice-vectors", "box", "box_vectors"}) {
    CAPTURE(name);
    const auto refused = [&](const char* value) { return !error(std::string(name) + "=\"" + value + "\"").empty(); };
    // Another unit, another length, another angle, a strain of 1 %, no numbers.
    for (const char* value : {"7.559 0 0 3.779 9.448 0 0 1.89 11.338", "4 0 0 2 5 0 0 1 7", "4 5.38516 6.08276", "4 0 0 0 5 0 0 0 6",
                              "4.04 0 0 2.02 5 0 0 1 6", "nan 0 0 2 5 0 0 1 6", "4 5.38516 6.08276 90 90 90", "0 4 0 5 0 6"}) {
      CAPTURE(value);
      CHECK(refused(value) == (std::string(value) != "4 5.38516 6.08276"));
    }
    // Rows, columns, rounded, another orientation, lengths and angles, bounds of a box of the same lengths.
    for (const char* value : {"4 0 0 2 5 0 0 1 6", "4 2 0 0 5 1 0 0 6", "4.0004 0 0 2 5 0 0 1 6", "0 4 0 5 2 0 1 0 6",
                              "4 5.38516 6.08276 81.2198 90 68.1986", "1 5 -1 4.38516 0 6.08276", "0 0 0 0 0 0 0 0 0"}) {
      CAPTURE(value);
      CHECK(!refused(value));
    }
  }
  for (const char* other : {"unit_cell", "supercell", "cell_type"}) CHECK(error(std::string(other) + "=\"2 2 2\"") == "");
}

TEST_CASE("columns pos and positions that contradict each other are refused") {
  const auto error = [](const std::string& row) {
    return error_of("2\nProperties=species:S:1:pos:R:3:positions:R:3\nSi 0 0 0 0 0 0\n" + row + "\n");
  };
  CHECK(error("Si 1 2 3 1 2 3") == "");
  CHECK(error("Si 1 2 3 1.0000001 2 3") == "");
  CHECK(error("Si 1 2 3 1 2.5 3") ==
        "in.xyz:4 (frame 1): atom 2 has the y coordinate 2 in the column 'pos', but 2.5 in the column 'positions'; correct one of them, or "
        "call 'positions' something else");
  CHECK(error("Si 1 2 3 1 2 nan") != "");
}

TEST_CASE("symbols and atomic numbers that contradict each other are refused") {
  const auto error = [](const std::string& columns, const std::string& rows) {
    return error_of("2\nProperties=species:S:1:pos:R:3:" + columns + "\n" + rows);
  };
  CHECK(
      error("Z:I:1", "Si 0 0 0 14\nO 0 0 2 14\n") ==
      "in.xyz:4 (frame 1): atom 2 is O (8) in the column 'species', but '14' in the column 'Z'; correct one of them, or call 'Z' something "
      "else if it is no element");
  CHECK(error("numbers:I:1", "Si 0 0 0 1\nO 0 0 2 8\n").starts_with("in.xyz:3 (frame 1): atom 1 is Si (14)"));
  CHECK(error("element:S:1", "Si 0 0 0 Si\nO 0 0 2 H\n").find("but 'H' in the column 'element'") != std::string::npos);
  CHECK(error("symbols:S:1", "Si 0 0 0 Si\nO 0 0 2 H\n").find("but 'H' in the column 'symbols'") != std::string::npos);
  CHECK(error("numbers:I:1:Z:I:1", "Si 0 0 0 14 14\nO 0 0 2 8 7\n").find("but '7' in the column 'Z'") != std::string::npos);
  CHECK(error_of("1\nProperties=Z:I:1:numbers:I:1:pos:R:3\n14 8 0 0 0\n").find("but '8' in the column 'numbers'") != std::string::npos);
  CHECK(error("element:S:1", "Si 0 0 0 surface\nO 0 0 2 O\n") == "");
  CHECK(error("Z:I:1", "Si 0 0 0 14\nO 0 0 2 8\n") == "");
  CHECK(error("Z:R:1", "Si 0 0 0 1.5\nO 0 0 2 2\n") == "");
}

TEST_CASE("values that ASE would read on behind are written so that it finds their end, and come back equal") {
  const std::string head = "1\nProperties=species:S:1:pos:R:3 ";
  const auto written = [&](const std::string& fields) {
    const TemporaryFolder folder;
    const Structure s = parsed(head + fields + its_row);
    write_all(folder.path() / "out.xyz", {s});
    CHECK(difference(read_extxyz(folder.path() / "out.xyz").front(), s) == "");
    const std::string text = read_text(folder.path() / "out.xyz");
    const auto begin = text.find("pos:R:3 ") + 8;
    return text.substr(begin, text.find(" pbc=") - begin);
  };
  CHECK(written("comment= b=3") == "comment={ } b=3");
  CHECK(written("a=\"\" b={} c=''") == "a={ } b={ } c={ }");
  CHECK(written("a=[] b=3") == "a=[ ] b=3");
  CHECK(written("a=O'Brien b=it's") == "a=\"O'Brien\" b=\"it's\"");
  CHECK(written("a=[1,2.5] b=\"x y\" c={1 2} d='e f' g=[[1,2],[3,4]]") == "a=[1,2.5] b=\"x y\" c={1 2} d='e f' g=[[1,2],[3,4]]");
  CHECK(written("a=f{2+} b=\"it's\" c=\" \"") == "a=f{2+} b=\"it's\" c=\" \"");
}

TEST_CASE("elements from species, element, Z or numbers") {
  const auto frame = [](const std::string& properties, const std::string& row) {
    return parsed("1\nProperties=" + properties + "\n" + row + "\n");
  };
  for (const char* column : {"Z:I:1", "numbers:I:1", "species:I:1"}) {
    const Structure s = frame("pos:R:3:" + std::string(column), "0 0 1 6");
    CHECK(s.atomic_numbers == std::vector<int>{6});
    CHECK(s.columns.empty());
  }
  CHECK(frame("element:S:1:positions:R:3", "C 0 0 1").atomic_numbers == std::vector<int>{6});
  const Structure both = frame("species:S:1:pos:R:3:Z:I:1", "C 0 0 1 6");
  REQUIRE(both.columns.size() == 1);
  CHECK(both.columns.front().name == "Z");
}

TEST_CASE("every double survives the round trip to the bit") {
  std::mt19937_64 random(5);
  Structure s = random_triclinic(200, 3, {14, 6});
  std::vector<double> values;
  while (values.size() < 600) {
    const double v = std::bit_cast<double>(random());
    if (std::isfinite(v)) values.push_back(v);
  }
  values[0] = -0.0;
  values[1] = 5e-324;
  values[2] = std::numeric_limits<double>::max();
  values[3] = std::numeric_limits<double>::infinity();
  for (Eigen::Index i = 0; i < 600; ++i) s.positions.data()[i] = std::bit_cast<double>(random() & 0xBFEFFFFFFFFFFFFFu);
  (*s.cell)(0, 1) = -0.0;
  s.set_field("scalar", values[10]);
  s.set_field("vector", std::vector<double>(values.begin(), values.begin() + 20));
  s.set_column("wild", 3, values);
  const TemporaryFolder folder;
  write_all(folder.path() / "out.xyz", {s, s});
  const auto back = read_extxyz(folder.path() / "out.xyz");
  REQUIRE(back.size() == 2);
  CHECK(difference(back[0], s) == "");
  CHECK(difference(back[1], s) == "");
  CHECK(back[1].source.ends_with("out.xyz:203 (frame 2)"));
}

TEST_CASE("the project's data survive reading and writing") {
  for (const char* name : {"data/silicon", "data/mgo", "data/ethanol", "tests/data/gap_models"}) {
    const auto source = source_folder() / name;
    if (!std::filesystem::is_directory(source)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(source)) {
      if (entry.path().extension() != ".xyz") continue;
      CAPTURE(entry.path());
      const TemporaryFolder folder;
      const auto frames = read_extxyz(entry.path());
      write_all(folder.path() / "out.xyz", frames);
      const auto back = read_extxyz(folder.path() / "out.xyz");
      REQUIRE(back.size() == frames.size());
      for (std::size_t i = 0; i < frames.size(); ++i) {
        CHECK(difference(back[i], frames[i]) == "");
        for (std::size_t k = 0; k < frames[i].fields.size(); ++k) CHECK(back[i].fields[k].text == frames[i].fields[k].text);
      }
    }
  }
}

TEST_CASE("errors of a frame say file, line, frame, expected and found") {
  const std::string head = "Properties=species:S:1:pos:R:3:forces:R:3\n";
  const std::string row = "Si 0 0 0 0 0 0\n";
  CHECK(error_of("1\n" + head + row + "2\n" + head + row + "Si 0 0 1 0 0\n") ==
        "in.xyz:7 (frame 2): column 'forces:R:3' has 2 values for atom 2, expected 3");
  CHECK(error_of("1\n" + head + "Si 0 0 0 0 0 0 9\n") ==
        "in.xyz:3 (frame 1): the row of atom 1 has 8 values, expected 7 for Properties=species:S:1:pos:R:3:forces:R:3");
  CHECK(error_of("3\n" + head + row) == "in.xyz:3 (frame 1): the file ends inside the frame: expected 3 atoms, found 1");
  CHECK(error_of("3") == "in.xyz:1 (frame 1): the file ends inside the frame: expected a comment line and 3 atoms, found neither");
  CHECK(error_of("3\n" + head + row + "1\n" + head + row) ==
        "in.xyz:4 (frame 1): expected 3 atoms, found 1 before a line that holds only '1' (the next frame?)");
  CHECK(error_of("2\n" + head + row + "\n" + row) == "in.xyz:4 (frame 1): expected 2 atoms, found 1 before a blank line");
  CHECK(
      error_of("1\n" + head + row + row).starts_with("in.xyz:4 (frame 2): expected the number of atoms, found 'Si 0 0 0 0 0 0'; has the"));
  CHECK(error_of("1\n" + head + "Si 0 0 0 0 x 0\n") ==
        "in.xyz:3 (frame 1): column 'forces:R:3', atom 1: value 2 of 3 is 'x', expected a number");
  CHECK(error_of("1\n" + head + "Si 0 0 0 0 1e999 0\n") ==
        "in.xyz:3 (frame 1): column 'forces:R:3', atom 1: value 2 of 3 is '1e999', which is too large to be represented");
  CHECK(error_of("1\n" + head + "Xi 0 0 0 0 0 0\n").find("column 'species:S:1', atom 1: unknown chemical element 'Xi'") !=
        std::string::npos);
  for (const char* bad : {"nan", "-inf"})
    CHECK(error_of("1\n" + head + "Si 0 " + bad + " 0 0 0 0\n").find("column 'pos:R:3', atom 1: value 2 of 3 is ") != std::string::npos);
  CHECK(error_of("1\nProperties=pos:R:3:Z:I:1\n0 0 0 119\n") ==
        "in.xyz:3 (frame 1): column 'Z:I:1', atom 1: 119 is no atomic number, expected 1 to 118");
  CHECK(error_of("1\nProperties=species:S:1:pos:R:3:ok:L:1\nSi 0 0 0 2\n") ==
        "in.xyz:3 (frame 1): column 'ok:L:1', atom 1: value 1 of 1 is '2', expected T or F");
  CHECK(error_of("1\nProperties=species:S:1:pos:R:3:id:I:1\nSi 0 0 0 2.5\n") ==
        "in.xyz:3 (frame 1): column 'id:I:1', atom 1: value 1 of 1 is '2.5', expected an integer");
}

TEST_CASE("errors of the atom count") {
  CHECK(error_of("").ends_with("in.xyz: the file holds no frame, expected extended XYZ"));
  CHECK(error_of("\n  \n") == "in.xyz:2 (frame 1): the file holds no frame, expected extended XYZ");
  CHECK(error_of("0\n\n") == "in.xyz:1 (frame 1): the number of atoms is 0, expected at least 1");
  CHECK(error_of("-3\n\n") == "in.xyz:1 (frame 1): the number of atoms is -3, expected at least 1");
  CHECK(error_of("two\n\n") == "in.xyz:1 (frame 1): expected the number of atoms, found 'two'");
  CHECK(error_of("1 2\n\n") == "in.xyz:1 (frame 1): expected the number of atoms, found '1 2'");
  // Claims alone allocate nothing.
  CHECK(error_of("700000000\n\nSi 0 0 0\n") == "in.xyz:3 (frame 1): the file ends inside the frame: expected 700000000 atoms, found 1");
  CHECK(error_of("99999999999999999999\n\n").find("expected at most") != std::string::npos);
}

TEST_CASE("errors of the comment line") {
  const auto comment_error = [](const std::string& extra) { return error_of(one_atom + extra + its_row); };
  CHECK(comment_error("a=\"b c") == "in.xyz:2 (frame 1): the value of 'a' opens with \" but has no closing \": \"b c");
  CHECK(comment_error("a=[1, 2").find("opens with [ but has no closing ]") != std::string::npos);
  CHECK(comment_error("a={1 2").find("opens with { but has no closing }") != std::string::npos);
  CHECK(comment_error("a=\"b\"c=3").find("expected a space behind it, found 'c=3'") != std::string::npos);
  CHECK(comment_error("a=1 a=2") == "in.xyz:2 (frame 1): the comment line has the key 'a' twice, expected each key once");
  CHECK(comment_error("lattice=\"1 1 1\"").find("both 'Lattice' and 'lattice'") != std::string::npos);
  CHECK(comment_error("=3").find("'=' without a key") != std::string::npos);
  CHECK(comment_error("pbc=\"T T\"") == "in.xyz:2 (frame 1): pbc is \"T T\", expected three logicals as in pbc=\"T T F\"");

  const auto lattice_error = [](const std::string& lattice) {
    return error_of("1\nProperties=species:S:1:pos:R:3 Lattice=" + lattice + its_row);
  };
  CHECK(lattice_error("\"1 2 3 4 5 6 7 8\"").find("Lattice has 8 numbers, expected 9") != std::string::npos);
  CHECK(lattice_error("\"1 2 x\"").find("Lattice has no list of numbers, expected 9") != std::string::npos);
  CHECK(lattice_error("\"1 0 0 0 nan 0 0 0 1\"").find("Lattice has nan as entry 5, expected finite numbers") != std::string::npos);
  CHECK(lattice_error("\"1 0 0 0 inf 0 0 0 1\"").find("Lattice has inf as entry 5") != std::string::npos);

  const auto properties_error = [](const std::string& properties) { return error_of("1\nProperties=" + properties + its_row); };
  CHECK(properties_error("species:S:1:pos:R").find("has 5 parts, expected triplets") != std::string::npos);
  CHECK(properties_error("species:S:1:pos:R:3:x:Q:1").find("'x:Q:1' has the type 'Q', expected R (real)") != std::string::npos);
  CHECK(properties_error("species:S:1:pos:R:3:x:R:0").find("'x:R:0' has the count '0', expected 1") != std::string::npos);
  CHECK(properties_error("species:S:1:pos:R:3:x:R:99999999").find("has the count '99999999', expected 1") != std::string::npos);
  CHECK(properties_error("species:S:1:pos:R:3:pos:R:3").find("has the column 'pos' twice") != std::string::npos);
  CHECK(properties_error("species:S:1:pos:R:2").find("has no column pos:R:3") != std::string::npos);
  CHECK(properties_error("pos:R:3").find("has no column species:S:1") != std::string::npos);
  CHECK(properties_error("species:S:1::R:3").find("has no column name") != std::string::npos);
}

TEST_CASE("files that cannot be read or written: the system's reason") {
  const TemporaryFolder folder;
  CHECK(message_of<InputError>([&] { ExtxyzReader reader(folder.path() / "none.xyz"); }).find("No such file or directory") !=
        std::string::npos);
  CHECK(message_of<InputError>([&] { ExtxyzReader reader(folder.path()); }).find("found a directory") != std::string::npos);
  CHECK(message_of<InputError>([&] { ExtxyzWriter writer(folder.path()); }).find("it is a directory") != std::string::npos);
  CHECK(message_of<InputError>([&] { ExtxyzWriter writer(folder.path() / "no" / "out.xyz"); }).find("No such file or directory") !=
        std::string::npos);
  if (std::filesystem::exists("/dev/full")) {
    const Structure s = random_triclinic(4, 1);
    const std::string message = message_of<InputError>([&] { write_all("/dev/full", {s}); });
    CHECK(message == "/dev/full: cannot write the file: No space left on device");
  }
}

TEST_CASE("a reader that failed keeps failing") {
  const TemporaryFolder folder;
  ExtxyzReader reader(folder.write("in.xyz", "1\n\nSi 0 0 0\n1\n\nSi 0 0\n1\n\nSi 0 0 0\n"));
  REQUIRE(reader.next().has_value());
  const std::string first = message_of<InputError>([&] { reader.next(); });
  CHECK(first != "");
  CHECK(message_of<InputError>([&] { reader.next(); }) == first);
  CHECK(reader.frame_count() == 1);
}

TEST_CASE("nothing appears under the path without a commit") {
  const TemporaryFolder folder;
  const auto path = folder.write("out.xyz", "old");
  const Structure s = random_triclinic(4, 1);
  {
    ExtxyzWriter writer(path);
    writer.write(s);
    CHECK(files_in(folder.path()) == 2);
  }
  CHECK(read_text(path) == "old");
  CHECK(files_in(folder.path()) == 1);
  {
    ExtxyzWriter writer(path);
    writer.write(s);
    writer.commit();
    CHECK_THROWS_AS(writer.write(s), Error);
    CHECK_THROWS_AS(writer.commit(), Error);
  }
  CHECK(read_extxyz(path).size() == 1);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("the rename follows a symbolic link, devices are written directly") {
  const TemporaryFolder folder;
  const Structure s = random_triclinic(4, 1);
  const auto real = folder.write("real.xyz", "old");
  std::filesystem::create_symlink(real, folder.path() / "link.xyz");
  write_all(folder.path() / "link.xyz", {s});
  CHECK(std::filesystem::is_symlink(folder.path() / "link.xyz"));
  CHECK(read_extxyz(real).size() == 1);
  write_all("/dev/null", {s});
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("the writer refuses what could not be read back") {
  const TemporaryFolder folder;
  const Structure good = random_triclinic(4, 1);
  const auto refused = [&](auto&& spoil) {
    Structure s = good;
    spoil(s);
    ExtxyzWriter writer(folder.path() / "out.xyz");
    CHECK_THROWS_AS(writer.write(s), Error);
  };
  refused([](Structure& s) { s = Structure(); });
  refused([](Structure& s) { s.positions(2, 1) = std::nan(""); });
  refused([](Structure& s) { (*s.cell)(0, 0) = std::nan(""); });
  refused([](Structure& s) { s.columns.push_back({"pos", 1, std::vector<double>(4)}); });
  refused([](Structure& s) { s.columns.push_back({"a:b", 1, std::vector<double>(4)}); });
  refused([](Structure& s) { s.columns.push_back({"a", 1, std::vector<double>(3)}); });
  refused([](Structure& s) { s.columns.push_back({"a", 1, std::vector<std::string>(4, "two words")}); });
  refused([](Structure& s) { s.fields.push_back({"Lattice", 1.0, ""}); });
  refused([](Structure& s) { s.atomic_numbers[1] = 0; });
  ExtxyzWriter writer(folder.path() / "out.xyz");
  writer.write(good);
}

TEST_CASE("byte-order mark, a missing final newline and lines longer than the buffer") {
  const std::string long_text(700000, 'x');
  const Structure s = parsed(
      "\xEF\xBB\xBF"
      "1\nProperties=species:S:1:pos:R:3 long=" +
      long_text + "\nSi 0 0 0.25");
  CHECK(std::get<std::string>(s.find_field("long")->value) == long_text);
  CHECK(s.positions(0, 2) == 0.25);
}

TEST_CASE("damaged files throw InputError or are read, nothing else") {
  const std::string good =
      "2\nLattice=\"5.44 0 0 0 5.5 0 0 0 5.6\" Properties=species:S:1:pos:R:3:id:I:1:ok:L:1 a=[[1,2],[3,4]] b={x \"y\"} \"c d\"=\"e f\" "
      "g=[a, \"b\"]\nSi 1 2 3 4 T\nC 0 0 1d0 5 F\n";
  std::mt19937 random(11);
  const TemporaryFolder folder;
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text = good + good;
    for (int k = 0; k < 1 + trial % 3; ++k) {
      const std::size_t at = random() % text.size();
      const std::string_view letters = "\"\\[]{}=:, \n\t\r19e-+.TNS\xff";
      switch (random() % 3) {
        case 0:
          text[at] = letters[random() % letters.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, 1, letters[random() % letters.size()]);
      }
    }
    const auto path = folder.write("in.xyz", text);
    try {
      read_extxyz(path);
    } catch (const InputError& e) {
      ++refused;
      CHECK(std::string(e.what()).find("in.xyz:") != std::string::npos);
    }
  }
  CHECK(refused > 500);
}

TEST_CASE("numbers from 1 without a gap are types of atoms unless the column says otherwise") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) { return read_extxyz(folder.write("in.xyz", text)).size(); };
  const auto complaint_of = [&](const std::string& text) -> std::string {
    try {
      read(text);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  const std::string lattice = "Lattice=\"9 0 0 0 9 0 0 0 9\"";
  const std::string hydrogen = complaint_of("1\n" + lattice + "\n1 0 0 0\n2\n" + lattice + "\n1 0 0 0\n1 2 0 0\n");
  CHECK(hydrogen.find("in.xyz:1 (frame 1): '1' stands for all elements of the file and could be hydrogen or a type of atoms as in LAMMPS; "
                      "write symbols of elements (H if hydrogen is meant)") != std::string::npos);
  const std::string integers = "2\nProperties=species:I:1:pos:R:3\n";
  CHECK(complaint_of(integers + "1 0 0 0\n1 2 0 0\n").find("could be hydrogen") != std::string::npos);
  CHECK(complaint_of(integers + "1 0 0 0\n2 2 0 0\n").find("'1' to '2' stand for the elements") != std::string::npos);
  // An atom of hydrogen among numbers that are elements; columns that are called after atomic numbers; symbols in another frame.
  CHECK(read("1\nProperties=species:I:1:pos:R:3\n1 0 0 0\n" + integers + "1 0 0 0\n6 2 0 0\n") == 2);
  CHECK(read("1\nProperties=Z:I:1:pos:R:3\n1 0 0 0\n") == 1);
  CHECK(read("2\nProperties=numbers:I:1:pos:R:3\n1 0 0 0\n2 2 0 0\n") == 1);
  CHECK(read("1\nProperties=species:I:1:pos:R:3\n1 0 0 0\n1\nProperties=species:S:1:pos:R:3\nSi 0 0 0\n") == 2);
}
