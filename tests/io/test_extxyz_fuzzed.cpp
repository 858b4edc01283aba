// Frames that fuzzing found to be read but not written, or to come back changed; each named after what was wrong.

#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/extxyz_values.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string properties = "Properties=species:S:1:pos:R:3";

struct File {
  TemporaryFolder folder;
  Structure read(const std::string& text) const { return read_extxyz(folder.write("in.xyz", text)).at(0); }
  std::string refusal(const std::string& text) const {
    return message_of<InputError>([&] { read(text); });
  }
  Structure written_and_read(const Structure& structure) const {
    const auto path = folder.path() / "out.xyz";
    ExtxyzWriter writer(path);
    writer.write(structure);
    writer.commit();
    return read_extxyz(path).at(0);
  }
};

}  // namespace

TEST_CASE("an exponent near the largest integer, behind leading digits: too large, without overflow on the way") {
  double value = 1;
  CHECK(extxyz::parse_real("1.5e9223372036854775807", value) == extxyz::NumberStatus::out_of_range);
  CHECK(extxyz::parse_real("0.001e-9223372036854775808", value) == extxyz::NumberStatus::good);
  CHECK(value == 0);
}

TEST_CASE("a carriage return inside of a line could not be written again: refused; at its end it belongs to the line end") {
  const File file;
  const std::string word = "1\n" + properties + ":name:S:1\nSi 0 0 0 a";
  CHECK(file.refusal(word + "\rb\n").find("in.xyz:3 (frame 1): the line holds a carriage return") != std::string::npos);
  CHECK(file.refusal("1\n" + properties + ":na\rme:S:1\nSi 0 0 0 a\n").find("in.xyz:2 (frame 1): the line holds") != std::string::npos);
  CHECK(file.read(word + "\r\r\n").columns.at(0).values == file.read(word + "\n").columns.at(0).values);
}

TEST_CASE("a line break in the name of a column could not be written again: refused") {
  const File file;
  CHECK(file.refusal("1\nProperties=\"species:S:1:pos:R:3:a\\nb:S:1\"\nSi 0 0 0 a\n").find("has a line break in its column name") !=
        std::string::npos);
}

TEST_CASE("a second column under the name that species or positions are written with: refused") {
  const File file;
  CHECK(file.refusal("1\nProperties=pos:I:3:positions:R:3:species:S:1\n1 2 3 0 0 0 Si\n")
            .find("a column 'pos:I:3' beside the one that holds the positions") != std::string::npos);
  CHECK(file.refusal("1\nProperties=species:R:2:pos:R:3:element:S:1\n1 2 0 0 0 Si\n")
            .find("a column 'species:R:2' beside the one that holds the elements") != std::string::npos);
}

TEST_CASE("bare words whose meaning depends on what follows them in the line come back as they were") {
  const File file;
  for (const std::string last : {"a\\", "a\\\\\\", "'a", "\\"}) {
    CAPTURE(last);
    const Structure frame = file.read("1\n" + properties + " k=" + last + "\nSi 0 0 0\n");
    const Structure again = file.written_and_read(frame);
    REQUIRE(again.fields.size() == 1);
    CHECK(again.fields[0].key == "k");
    CHECK(again.fields[0].value == frame.fields.at(0).value);
  }
}

TEST_CASE("an empty key in quotes could not be written again: refused") {
  const File file;
  for (const std::string comment : {" \"\"", " \"\"=1", " a=1 \"\" b=2"}) {
    CAPTURE(comment);
    CHECK(file.refusal("1\n" + properties + comment + "\nSi 0 0 0\n").find("in.xyz:2 (frame 1): the comment line has an empty key: \"\"") !=
          std::string::npos);
  }
}

TEST_CASE("the remark of a plain XYZ file that looks like numbers comes back as it was") {
  const File file;
  for (const std::string remark : {"0", "007", "1 2 3", "T", "-1.50", "a 1", "it's 5", "back\\slash \"5\"", ""}) {
    CAPTURE(remark);
    const Structure frame = file.read("1\n" + remark + "\nSi 0 0 0\n");
    const Structure again = file.written_and_read(frame);
    REQUIRE(again.fields.size() == frame.fields.size());
    for (std::size_t i = 0; i < frame.fields.size(); ++i) {
      CHECK(again.fields[i].key == frame.fields[i].key);
      CHECK(again.fields[i].value == frame.fields[i].value);
    }
  }
  CHECK(file.read("1\nT 5\nSi 0 0 0\n").find_field("comment")->value == FieldValue(std::string("T 5")));
}
