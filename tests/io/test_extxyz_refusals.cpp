// Frames of extended XYZ that are refused.

#include "extxyz_frames.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("plain XYZ: values behind the positions are refused, with advice that fits them") {
  CHECK(error_of("2\nwater\nO 0 0 0 1 2 3\nH 0 0 1 4 5 6\n") ==
        "in.xyz:3 (frame 1): each row of the frame has 7 values, but the comment line has no Properties that name the values behind x y z; "
        "if they "
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

TEST_CASE("errors of a frame name file, line, frame, expected and found") {
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
  CHECK(error_of("1\n" + head + row + row)
            .starts_with("in.xyz:4 (frame 2): expected the number of atoms, found 'Si 0 0 0 0 0 0'; does the frame before have"));
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

TEST_CASE("a reader that failed keeps failing") {
  const TemporaryFolder folder;
  ExtxyzReader reader(folder.write("in.xyz", "1\n\nSi 0 0 0\n1\n\nSi 0 0\n1\n\nSi 0 0 0\n"));
  REQUIRE(reader.next().has_value());
  const std::string first = message_of<InputError>([&] { reader.next(); });
  CHECK(first != "");
  CHECK(message_of<InputError>([&] { reader.next(); }) == first);
  CHECK(reader.frame_count() == 1);
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

TEST_CASE("numbers from 1 without a gap are types of atoms, except in columns Z and numbers") {
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
