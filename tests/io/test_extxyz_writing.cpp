// Extended XYZ, written and read back.

#include <sys/stat.h>
#include <unistd.h>

#include <gapkit/io/extxyz_values.hpp>

#include "extxyz_frames.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

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

TEST_CASE("the writer refuses frames that could not be read back") {
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
