#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/checksum.hpp>
#include <limits>
#include <support/support.hpp>

#include "support/distributions.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937_64 random(seed);
  test::Normal normal;
  return Matrix::NullaryExpr(rows, cols, [&] { return normal(random); });
}

/// A small archive with every type of entry.
void write_sample(const std::filesystem::path& path, int version = 1, std::string_view format = "test-archive") {
  ArchiveWriter writer(path, format, version);
  writer.put("terms/0/sparse_points", random_matrix(4, 7, 1));
  writer.put("terms/0/name", "soap");
  writer.put("terms/1/numbers", std::vector<std::int64_t>{3, -1, std::numeric_limits<std::int64_t>::max()});
  writer.put("weights", std::vector<double>{0.5, -2.25e-300, -0.0});
  writer.put("text", std::string("first line\nμeV Å\n"));
  writer.put("delta", 0.1);
  writer.put("count", std::int64_t{42});
  writer.put("names", std::vector<std::string>{"a", "", "a longer one"});
  writer.put("none", std::vector<double>{});
  writer.commit();
}

/// Everything in the sample as text, bit by bit.
std::string read_sample(const std::filesystem::path& path) {
  const ArchiveReader reader(path, "test-archive", 1);
  std::ostringstream out;
  out << std::hexfloat << reader.format_version() << '\n' << reader.matrix("terms/0/sparse_points", 4, 7) << '\n';
  out << reader.string("terms/0/name") << '\n' << reader.string("text") << '\n';
  for (const auto i : reader.integers("terms/1/numbers", 3)) out << i << ' ';
  for (const auto x : reader.doubles("weights")) out << x << ' ';
  for (const auto& s : reader.strings("names")) out << '[' << s << ']';
  out << reader.doubles("none").size() << ' ' << reader.number("delta") << ' ' << reader.integer("count");
  return out.str();
}

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Changes some bytes in place.
void overwrite(const std::filesystem::path& path, std::size_t position, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(position));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::size_t file_count(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

std::string open_message(const std::filesystem::path& path) {
  return message_of<InputError>([&] { ArchiveReader(path, "test-archive", 1); });
}

/// Lets permissions count in tests that run as root.
class AsNobody {
 public:
  AsNobody() : is_root_(::geteuid() == 0) { is_nobody_ = is_root_ && ::seteuid(65534) == 0; }
  ~AsNobody() {
    if (is_nobody_ && ::seteuid(0) != 0) std::abort();
  }
  bool has_limits() const { return !is_root_ || is_nobody_; }

 private:
  bool is_root_, is_nobody_;
};

}  // namespace

TEST_CASE("archive: every type of entry reads back to the same bits") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sample.h5";
  const Matrix matrix = random_matrix(300, 1000, 3);
  const Matrix wide = random_matrix(2, 200000, 4);  // a row longer than what the checksum reads at once
  const Vector column = random_matrix(5, 1, 5);
  const std::string long_text(3000000, 'x');
  {
    ArchiveWriter writer(path, "test-archive", 3);
    writer.put("a/matrix", matrix);
    writer.put("a/part", matrix.block(10, 20, 30, 40));
    writer.put("a/row", matrix.block(10, 20, 1, 40));
    writer.put("wide", wide);
    writer.put("column", column);
    writer.put("empty_matrix", Matrix(0, 7));
    writer.put("long_text", long_text);
    writer.put("empty_text", "");
    writer.put("empty_list", std::vector<std::string>{});
    writer.put("nan", std::numeric_limits<double>::quiet_NaN());
    for (int i = 0; i < 100; ++i) writer.put("many/" + std::to_string(i), static_cast<std::int64_t>(i * i));
    writer.commit();
  }
  const ArchiveReader reader(path, "test-archive", 4);
  CHECK(reader.format_version() == 3);
  CHECK(reader.matrix("a/matrix") == matrix);
  CHECK(reader.matrix("a/part", 30, 40) == matrix.block(10, 20, 30, 40));
  CHECK(reader.matrix("a/row", 1, 40) == matrix.block(10, 20, 1, 40));
  CHECK(reader.matrix("wide") == wide);
  CHECK(reader.vector("column", 5) == column);
  CHECK(reader.matrix("empty_matrix", 0, 7).size() == 0);
  CHECK(reader.string("long_text") == long_text);
  CHECK(reader.string("empty_text").empty());
  CHECK(reader.strings("empty_list").empty());
  CHECK(std::isnan(reader.number("nan")));
  for (int i = 0; i < 100; ++i) CHECK(reader.integer("many/" + std::to_string(i)) == i * i);
  CHECK(reader.has("a/part"));
  CHECK_FALSE(reader.has("a"));
  CHECK_FALSE(reader.has("b"));

  const auto sample = folder.path() / "small.h5";
  write_sample(sample);
  const std::string text = read_sample(sample);
  CHECK(text.find("[a][][a longer one]") != std::string::npos);
  CHECK(text.find("μeV Å") != std::string::npos);
  const std::string bytes = read_bytes(sample);
  write_sample(sample);
  CHECK(read_bytes(sample) == bytes);  // the same contents give the same file
}

TEST_CASE("archive: a getter names file, entry, expected and found") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "s.h5";
  write_sample(path);
  const ArchiveReader reader(path, "test-archive", 1);
  const auto message = [&](auto f) { return message_of<InputError>([&] { f(reader); }); };
  const std::string file = path.string();
  CHECK(message([](auto& r) { r.number("sigma"); }) == file + ": the entry 'sigma' is missing");
  CHECK(message([](auto& r) { r.number("count"); }) == file + ": the entry 'count' is an integer, expected a real number");
  CHECK(message([](auto& r) { r.integer("delta"); }) == file + ": the entry 'delta' is a real number, expected an integer");
  CHECK(message([](auto& r) { r.string("names"); }) == file + ": the entry 'names' is a list of 3 texts, expected a text");
  CHECK(message([](auto& r) { r.strings("text"); }) == file + ": the entry 'text' is a text, expected a list of any number texts");
  CHECK(message([](auto& r) { r.vector("weights", 4); }) ==
        file + ": the entry 'weights' is a list of 3 real numbers, expected a list of 4 real numbers");
  CHECK(message([](auto& r) { r.integers("weights"); }) ==
        file + ": the entry 'weights' is a list of 3 real numbers, expected a list of any number integers");
  CHECK(message([](auto& r) { r.matrix("terms/0/sparse_points", -1, 8); }) ==
        file + ": the entry 'terms/0/sparse_points' is a 4 × 7 matrix of real numbers, expected a matrix of any number × 8 real numbers");
  CHECK(message([](auto& r) { r.matrix("weights"); }).find("expected a matrix") != std::string::npos);
  CHECK(message([](auto& r) { r.doubles("terms/0/sparse_points"); }).find("expected a list") != std::string::npos);
}

TEST_CASE("archive: files that are something else are refused in one sentence") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.h5";
  const std::string file = path.string();
  CHECK(open_message(path) == file + ": cannot be read: No such file or directory");
  write_bytes(path, "");
  CHECK(open_message(path) == file + ": the file is empty");
  write_bytes(path, "2\nProperties=species:S:1:pos:R:3\nSi 0 0 0\nSi 1 1 1\n");
  CHECK(open_message(path) == file + ": is not an HDF5 file, expected a file written by gapkit");
  CHECK(open_message(folder.path()) == folder.path().string() + ": is a folder, expected a file");
  write_sample(path, 9);
  CHECK(open_message(path) == file + ": format version 9 is later than 1, the newest this program reads; use a newer gapkit");
  write_sample(path, 1, "other-archive");
  CHECK(open_message(path) == file + ": is a 'other-archive', expected a 'test-archive'");
  write_sample(path, 0);
  CHECK(open_message(path).find("format version 0 cannot be") != std::string::npos);
  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(open_message(folder.path() / "pipe").find("is not a regular file") != std::string::npos);

  write_sample(path);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const AsNobody nobody;
  if (nobody.has_limits()) CHECK(open_message(path) == file + ": cannot be read: Permission denied");
}

TEST_CASE("archive: every flipped bit is refused or harmless") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sample.h5";
  write_sample(path);
  const std::string expected = read_sample(path);
  const std::string bytes = read_bytes(path);
  std::mt19937 random(17);
  int refused = 0, harmless = 0;
  for (std::size_t position = 0; position < bytes.size(); ++position) {
    CAPTURE(position);
    overwrite(path, position, std::string(1, static_cast<char>(bytes[position] ^ (1 << random() % 8))));
    std::string found;
    const std::string message = message_of<InputError>([&] { found = read_sample(path); });
    if (message.empty()) {
      REQUIRE(found == expected);
      ++harmless;
    } else {
      REQUIRE(message.starts_with(path.string() + ": "));
      ++refused;
    }
    overwrite(path, position, bytes.substr(position, 1));
  }
  CHECK(refused > harmless);
}

TEST_CASE("archive: overwritten stretches are refused or harmless") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sample.h5";
  write_sample(path);
  const std::string expected = read_sample(path);
  const std::string bytes = read_bytes(path);
  std::mt19937 random(23);
  for (int trial = 0; trial < 500; ++trial) {
    CAPTURE(trial);
    const std::size_t begin = random() % bytes.size(), length = std::min(1 + random() % 64, bytes.size() - begin);
    std::string damage(length, trial % 3 == 0 ? '\0' : '\xff');
    if (trial % 3 == 2)
      for (char& c : damage) c = static_cast<char>(random());
    overwrite(path, begin, damage);
    std::string found;
    const std::string message = message_of<InputError>([&] { found = read_sample(path); });
    if (message.empty()) REQUIRE(found == expected);
    overwrite(path, begin, bytes.substr(begin, length));
  }
}

TEST_CASE("archive: truncated files are refused") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sample.h5";
  write_sample(path);
  const std::string bytes = read_bytes(path);
  for (std::size_t length = 0; length < bytes.size(); length += length < 100 ? 1 : 37) {
    CAPTURE(length);
    write_bytes(path, bytes.substr(0, length));
    CHECK(open_message(path).starts_with(path.string() + ": the file is "));
  }
  write_bytes(path, bytes.substr(0, bytes.size() - 1));
  CHECK(open_message(path).find("the file is truncated or damaged: " + std::to_string(bytes.size() - 1) + " bytes are there of " +
                                std::to_string(bytes.size())) != std::string::npos);
}

TEST_CASE("archive: nothing appears without a commit, and an older file stays") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sample.h5";
  {
    ArchiveWriter writer(path, "test-archive", 1);
    writer.put("x", 1.0);
  }
  CHECK(file_count(folder.path()) == 0);
  write_sample(path);
  const std::string expected = read_sample(path);
  {
    ArchiveWriter writer(path, "test-archive", 1);
    writer.put("x", 1.0);
    CHECK(read_sample(path) == expected);
  }
  CHECK(read_sample(path) == expected);
  CHECK(file_count(folder.path()) == 1);

  std::filesystem::create_symlink("sample.h5", folder.path() / "link.h5");
  write_sample(folder.path() / "link.h5");  // replaces what the link points to, not the link
  CHECK(std::filesystem::is_symlink(folder.path() / "link.h5"));
  CHECK(file_count(folder.path()) == 2);
}

TEST_CASE("archive: a file that cannot be written is an input error with the system's reason") {
  const TemporaryFolder folder;
  const auto write_to = [](const std::filesystem::path& path) { return message_of<InputError>([&] { write_sample(path); }); };
  const auto missing = folder.path() / "nowhere" / "m.h5";
  CHECK(write_to(missing) == missing.string() + ": cannot be written: No such file or directory");
  CHECK(write_to(folder.path()) == folder.path().string() + ": is a folder, expected the name of a file");
  CHECK(write_to("/dev/full") == "/dev/full: is not a regular file and cannot be replaced");
  const auto protected_file = folder.path() / "old.h5";
  write_sample(protected_file);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::filesystem::permissions(protected_file, std::filesystem::perms::owner_read);
  const auto protected_folder = folder.path() / "closed";
  std::filesystem::create_directory(protected_folder);
  std::filesystem::permissions(protected_folder, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const AsNobody nobody;
  if (nobody.has_limits()) {
    CHECK(write_to(protected_file) == protected_file.string() + ": cannot be written: Permission denied");
    CHECK(write_to(protected_folder / "m.h5").find("cannot be written: Permission denied") != std::string::npos);
  }
}

TEST_CASE("archive: a disk that fills up at any byte is an input error and leaves nothing behind") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sample.h5";
  write_sample(path);
  const auto size = static_cast<rlim_t>(std::filesystem::file_size(path));
  std::filesystem::remove(path);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (rlim_t limit = 0; limit < size; limit += 211) {
    const rlimit limited{limit, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
    const std::string message = message_of<InputError>([&] { write_sample(path); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CAPTURE(limit);
    CHECK(message == path.string() + ": cannot be written: File too large");
    CHECK(file_count(folder.path()) == 0);
  }
  std::signal(SIGXFSZ, handler);
  write_sample(path);  // the library still works
  CHECK(!read_sample(path).empty());
}

TEST_CASE("archive: names are used once and are plain") {
  const TemporaryFolder folder;
  ArchiveWriter writer(folder.path() / "m.h5", "test-archive", 1);
  writer.put("a/b", 1.0);
  for (const auto* name : {"a/b", "a", "a/b/c", "", "/a", "a/", "a//c", "a/../c", "./x"}) {
    CAPTURE(name);
    CHECK(!message_of<Error>([&] { writer.put(name, 2.0); }).empty());
  }
  CHECK(!message_of<Error>([&] { writer.put("zero", std::string_view("a\0b", 3)); }).empty());
  writer.commit();
  CHECK(!message_of<Error>([&] { writer.put("late", 2.0); }).empty());
  CHECK(!message_of<Error>([&] { writer.commit(); }).empty());
  CHECK(ArchiveReader(folder.path() / "m.h5", "test-archive", 1).number("a/b") == 1.0);
}

TEST_CASE("checksum: any single change and any exchange of two words changes it") {
  std::mt19937_64 random(5);
  std::vector<std::uint64_t> words(50);
  for (auto& w : words) w = random();
  const auto checksum = [&] {
    Checksum c;
    for (const auto w : words) c.add(w);
    return c.value();
  };
  const std::uint64_t original = checksum();
  for (std::size_t i = 0; i < words.size(); ++i)
    for (int bit = 0; bit < 64; ++bit) {
      words[i] ^= std::uint64_t{1} << bit;
      CHECK(checksum() != original);
      if (i > 0) {  // the same bit in two neighbouring words
        words[i - 1] ^= std::uint64_t{1} << bit;
        CHECK(checksum() != original);
        words[i - 1] ^= std::uint64_t{1} << bit;
      }
      words[i] ^= std::uint64_t{1} << bit;
    }
  std::swap(words[3], words[4]);
  CHECK(checksum() != original);
}
