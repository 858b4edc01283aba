#include <gapkit/core/errors.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/io/extxyz.hpp>

#include "io/file_converter.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

constexpr const char* two_frames =
    "1\nenergy=-1 Properties=species:S:1:pos:R:3\nSi 0 0 0\n1\nenergy=-2 Properties=species:S:1:pos:R:3\nSi 0 0 1\n";

/// A converter for the time of a test.
struct Converter {
  explicit Converter(FileConverter converter) { set_file_converter(std::move(converter)); }
  ~Converter() { set_file_converter({}); }
};

}  // namespace

TEST_CASE("other formats: readers read what the converter gives, and messages name the file itself") {
  const TemporaryFolder folder;
  const std::filesystem::path xyz = folder.write("converted.xyz", two_frames),
                              traj = folder.write("train.traj", std::string("- of UlmASE\r\n\0", 14));
  CHECK(message_of<InputError>([&] { read_extxyz(traj); }).find("train.traj: the file is a trajectory of ASE") != std::string::npos);
  std::vector<std::string> asked;
  const Converter converter([&](const std::filesystem::path& file, const std::string& format) {
    asked.push_back(file.filename().string() + " as '" + format + "'");
    return xyz;
  });
  const std::vector<Structure> frames = read_extxyz(traj);
  REQUIRE(frames.size() == 2);
  CHECK(frames[1].source == traj.string() + " (frame 2)");
  CHECK(asked == std::vector<std::string>{"train.traj as ''"});
  const FileDataset data({traj.string(), xyz.string()});
  std::vector<std::string> findings;
  std::vector<double> energies;
  data.visit([&](const Structure& s, const FramePlace&) { energies.push_back(*s.energy); },
             {.finding = [&](const CheckFinding& finding) { findings.push_back(finding.message); }});
  CHECK(energies == std::vector<double>{-1, -2, -1, -2});
  CHECK(findings.empty());  // the carriage returns of a binary file are no line ends
  const std::vector<std::int64_t> some = {1, 2};
  energies.clear();
  data.visit([&](const Structure& s, const FramePlace&) { energies.push_back(*s.energy); }, {.numbers = &some});
  CHECK(energies == std::vector<double>{-2, -1});
  folder.write("converted.xyz", "1\nProperties=species:S:1:pos:R:3\nSi 0 zero 0\n");
  CHECK(message_of<InputError>([&] { read_extxyz(traj); }).starts_with(traj.string() + " (frame 1): column 'pos:R:3'"));
}

TEST_CASE("other formats: which files are given to the converter") {
  const TemporaryFolder folder;
  CHECK_FALSE(needs_converter(folder.write("a.traj", "- of Ulm")));  // there is none
  const Converter converter([](const std::filesystem::path&, const std::string& format) -> std::filesystem::path {
    throw InputError("failed: format '" + format + "'");
  });
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{{"a.xyz", two_frames},
                                                                                   {"OUTCAR", two_frames},
                                                                                   {"b.traj", two_frames},
                                                                                   {"bom.data", std::string("\xEF\xBB\xBF") + two_frames},
                                                                                   {"poscar.xyz", "comment\n1.0\n"},
                                                                                   {"c.XYZ", "not a number\n"},
                                                                                   {"d.traj.gz", "\x1f\x8b\x08"},
                                                                                   {"e.h5", "\x89HDF\r\n"},
                                                                                   {"f.dat", " \n\n"},
                                                                                   {"g.traj", ""}})
    CHECK_FALSE_MESSAGE(needs_converter(folder.write(name, text)), name);
  CHECK_FALSE(needs_converter("-"));
  CHECK_FALSE(needs_converter("/dev/null"));
  CHECK_FALSE(needs_converter(folder.path() / "missing.traj"));
  for (const auto& [name, text, format] :
       std::vector<std::tuple<std::string, std::string, std::string>>{{"a.traj", "- of Ulm", ""},
                                                                      {"named.xyz", "- of Ulm", ""},
                                                                      {"run1.OUTCAR", " vasp.6\n", "vasp-out"},
                                                                      {"any", "SQLite format 3", "db"},
                                                                      {"output.log", "Entering Gaussian System\n", ""}}) {
    const std::filesystem::path file = folder.write(name, text);
    CHECK_MESSAGE(needs_converter(file), name);
    const std::string message = message_of<InputError>([&] { ExtxyzReader reader(file); });
    CHECK_MESSAGE(message.starts_with(file.string() + ": the file is "), message);
    CHECK_MESSAGE(message.ends_with("; reading it through ASE failed: format '" + format + "'"), message);
  }
}
