#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <set>

#include "io/archive_driver.hpp"

namespace gapkit {

using archive::EntryType;
using archive::Handle;
using archive::Session;

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw InputError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

/// The file to be replaced: the target of a symbolic link.
std::filesystem::path resolved_target(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status)) {
    if (std::filesystem::is_directory(status)) throw InputError(path.string() + ": is a folder, expected the name of a file");
    if (!std::filesystem::is_regular_file(status)) throw InputError(path.string() + ": is not a regular file and cannot be replaced");
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail(path, errno);
    const auto real = std::filesystem::canonical(path, error);
    return error ? path : real;
  }
  if (path.filename().empty()) throw InputError(fmt::format("'{}': is not the name of a file", path.string()));
  return path;
}

/// Only a plain "a/b/c" is allowed: other forms would give one entry two names.
void check_name(const std::string& name) {
  const std::string slashed = "/" + name + "/";
  if (name.empty() || name.find('\0') != std::string::npos || slashed.find("//") != std::string::npos ||
      slashed.find("/./") != std::string::npos || slashed.find("/../") != std::string::npos)
    throw Error(fmt::format("archive: '{}' cannot be the name of an entry", name));
}

Handle dataspace(const std::vector<std::uint64_t>& extents) {
  if (extents.empty()) return Handle(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  return Handle(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
}

Handle text_type(std::size_t width) {
  Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), width);
  H5Tset_strpad(type.get(), H5T_STR_NULLTERM);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

/// No time stamps: the same contents give the same bytes.
Handle properties_without_times(hid_t cls) {
  Handle properties(H5Pcreate(cls));
  H5Pset_obj_track_times(properties.get(), false);
  return properties;
}

}  // namespace

struct ArchiveWriter::State {
  std::filesystem::path path;  // as given, for messages
  std::filesystem::path target;
  std::filesystem::path temporary;
  std::string format;
  int format_version = 0;
  archive::WriteTarget file_target;
  Handle file;
  std::set<std::string> groups;
  std::map<std::string, std::pair<EntryType, std::uint64_t>> entries;  // with the checksum of the contents
  bool is_committed = false;

  ~State() {
    const Session session;
    file.close();
    if (file_target.descriptor >= 0) ::close(file_target.descriptor);
    if (!temporary.empty() && !is_committed) ::unlink(temporary.c_str());
  }

  void open_temporary() {
    remove_stale_temporaries(target);
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const auto candidate = fmt::format("{}.{}.{}.tmp", target.string(), ::getpid(), attempt);
      file_target.descriptor = ::open(candidate.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file_target.descriptor >= 0) {
        temporary = candidate;
        lock_temporary(file_target.descriptor);
        return;
      }
      if (errno != EEXIST) break;
    }
    fail(path, errno);
  }

  /// Throws if anything failed since the file was opened.
  void check(bool success) const {
    if (file_target.error != 0) fail(path, file_target.error);
    if (!success) throw InputError(fmt::format("{}: cannot be written: HDF5 reports a failure", path.string()));
  }

  void make_groups(const std::string& name) {
    for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
      const std::string group = name.substr(0, slash);
      if (entries.count(group)) throw Error(fmt::format("archive: '{}' cannot lie within '{}', which is an entry", name, group));
      if (!groups.insert(group).second) continue;
      const Handle properties = properties_without_times(H5P_GROUP_CREATE);
      const Handle made(H5Gcreate2(file.get(), group.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT));
      check(made.is_valid());
    }
  }

  /// `data` in rows of `row_stride` elements for matrices, otherwise without gaps.
  void write(const std::string& name, const EntryType& type, std::uint64_t contents, const void* data, std::uint64_t row_stride = 0) {
    if (is_committed) throw Error(fmt::format("archive: '{}' comes after the commit of {}", name, path.string()));
    check_name(name);
    if (entries.count(name) || groups.count(name)) throw Error(fmt::format("archive: the name '{}' is used twice", name));
    const Session session;
    check(true);
    make_groups(name);

    Handle stored, in_memory;
    if (type.kind == EntryType::Kind::text) {
      stored = text_type(type.width);
      in_memory = text_type(type.width);
    } else {
      const bool is_real = type.kind == EntryType::Kind::real;
      stored = Handle(H5Tcopy(is_real ? H5T_IEEE_F64LE : H5T_STD_I64LE));
      in_memory = Handle(H5Tcopy(is_real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64));
    }
    const Handle space = dataspace(type.extents);
    const Handle properties = properties_without_times(H5P_DATASET_CREATE);
    H5Pset_layout(properties.get(), H5D_CONTIGUOUS);
    H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER);
    Handle dataset(H5Dcreate2(file.get(), name.c_str(), stored.get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT));
    check(dataset.is_valid());
    if (type.count() > 0) {
      Handle memory_space;
      if (row_stride > 0) {
        memory_space = dataspace({type.extents[0], row_stride});
        const hsize_t start[2] = {0, 0};
        const hsize_t count[2] = {type.extents[0], type.extents[1]};
        check(H5Sselect_hyperslab(memory_space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr) >= 0);
      }
      check(H5Dwrite(dataset.get(), in_memory.get(), row_stride > 0 ? memory_space.get() : H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    }
    check(dataset.close());
    entries.emplace(name, std::pair(type, contents));
  }

  void write_attribute(const char* name, hid_t stored, hid_t in_memory, const void* data) const {
    const Handle space = dataspace({});
    Handle attribute(H5Acreate2(file.get(), name, stored, space.get(), H5P_DEFAULT, H5P_DEFAULT));
    check(attribute.is_valid() && H5Awrite(attribute.get(), in_memory, data) >= 0);
    check(attribute.close());
  }

  void put_texts(std::string_view name, std::span<const std::string_view> texts, bool is_list) {
    std::size_t longest = 0;
    for (const auto& text : texts) {
      longest = std::max(longest, text.size());
      if (text.find('\0') != std::string_view::npos) throw Error(fmt::format("archive: the text '{}' holds a zero byte", name));
    }
    EntryType type{EntryType::Kind::text, {}, longest + 1};
    if (is_list) type.extents = {texts.size()};
    std::vector<char> bytes(texts.size() * type.width, '\0');
    Checksum contents;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::copy(texts[i].begin(), texts[i].end(), bytes.begin() + static_cast<std::ptrdiff_t>(i * type.width));
      contents.add(std::string_view(bytes.data() + i * type.width, type.width));
    }
    write(std::string(name), type, contents.value(), bytes.data());
  }
};

ArchiveWriter::ArchiveWriter(const std::filesystem::path& path, std::string_view format, int format_version)
    : state_(std::make_shared<State>()) {
  State& s = *state_;
  s.path = path;
  s.target = resolved_target(path);
  s.format = format;
  s.format_version = format_version;
  s.open_temporary();

  const Session session;
  const Handle access = archive::access_properties(s.file_target);
  // Since HDF5 1.8 metadata have checksums, so that HDF5 finds damage to them.
  s.check(access.is_valid() && H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0);
  const Handle creation = properties_without_times(H5P_FILE_CREATE);
  s.file = Handle(H5Fcreate(s.temporary.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()));
  s.check(s.file.is_valid());
  const Handle type = text_type(s.format.size() + 1);
  s.write_attribute(archive::format_attribute, type.get(), type.get(), s.format.c_str());
  const auto version = static_cast<std::int64_t>(format_version);
  s.write_attribute(archive::version_attribute, H5T_STD_I64LE, H5T_NATIVE_INT64, &version);
}

ArchiveWriter::~ArchiveWriter() = default;

ArchiveWriter::ArchiveWriter(std::shared_ptr<State> state, std::string group) : state_(std::move(state)), group_(std::move(group)) {}

ArchiveWriter ArchiveWriter::within(std::string_view group) const {
  return {state_, full(group)};
}

void ArchiveWriter::put(std::string_view name, const MatrixView& value) {
  const EntryType type{EntryType::Kind::real, {static_cast<std::uint64_t>(value.rows()), static_cast<std::uint64_t>(value.cols())}};
  Checksum contents;
  for (Eigen::Index i = 0; i < value.rows(); ++i)
    for (Eigen::Index j = 0; j < value.cols(); ++j) contents.add(value(i, j));
  // A matrix of one row may come with any stride; it is not used.
  const auto stride = std::max(value.outerStride(), value.cols());
  state_->write(full(name), type, contents.value(), value.data(), static_cast<std::uint64_t>(stride));
}

void ArchiveWriter::put(std::string_view name, std::span<const double> value) {
  Checksum contents;
  for (const double x : value) contents.add(x);
  state_->write(full(name), {EntryType::Kind::real, {value.size()}}, contents.value(), value.data());
}

void ArchiveWriter::put(std::string_view name, std::span<const std::int64_t> value) {
  Checksum contents;
  for (const std::int64_t x : value) contents.add(x);
  state_->write(full(name), {EntryType::Kind::integer, {value.size()}}, contents.value(), value.data());
}

void ArchiveWriter::put(std::string_view name, std::string_view value) {
  state_->put_texts(full(name), {&value, 1}, false);
}

void ArchiveWriter::put(std::string_view name, double value) {
  Checksum contents;
  contents.add(value);
  state_->write(full(name), {EntryType::Kind::real, {}}, contents.value(), &value);
}

void ArchiveWriter::put(std::string_view name, std::int64_t value) {
  Checksum contents;
  contents.add(value);
  state_->write(full(name), {EntryType::Kind::integer, {}}, contents.value(), &value);
}

void ArchiveWriter::put(std::string_view name, std::span<const std::string> value) {
  const std::vector<std::string_view> texts(value.begin(), value.end());
  state_->put_texts(full(name), texts, true);
}

void ArchiveWriter::commit() {
  State& s = *state_;
  if (s.is_committed) throw Error(fmt::format("archive: {} is committed twice", s.path.string()));
  {
    const Session session;
    Checksum checksum = archive::begin_checksum(s.format, s.format_version);
    for (const auto& [name, entry] : s.entries) archive::add_entry(checksum, name, entry.first, entry.second);
    const std::uint64_t value = checksum.value();
    s.write_attribute(archive::checksum_attribute, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
    bool success = H5Fflush(s.file.get(), H5F_SCOPE_LOCAL) >= 0;
    success = s.file.close() && success;
    s.check(success);
  }
  if (::fsync(s.file_target.descriptor) != 0) fail(s.path, errno);
  if (::rename(s.temporary.c_str(), s.target.c_str()) != 0) fail(s.path, errno);
  s.is_committed = true;
  // The new name is safe once the folder is on disk; file systems that cannot flush a folder are no error.
  const auto folder = s.target.has_parent_path() ? s.target.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

}  // namespace gapkit
