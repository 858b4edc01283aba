// Frames of extended XYZ, read.

#include <gapkit/io/extxyz_values.hpp>

#include "extxyz_frames.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

template <class T>
T value_of(const std::string& text) {
  const FieldValue value = extxyz::parse_value(text);
  CAPTURE(text);
  REQUIRE(std::holds_alternative<T>(value));
  return std::get<T>(value);
}

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

TEST_CASE("byte-order mark, a missing final newline and lines longer than the buffer") {
  const std::string long_text(700000, 'x');
  const Structure s = parsed(
      "\xEF\xBB\xBF"
      "1\nProperties=species:S:1:pos:R:3 long=" +
      long_text + "\nSi 0 0 0.25");
  CHECK(std::get<std::string>(s.find_field("long")->value) == long_text);
  CHECK(s.positions(0, 2) == 0.25);
}
