#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>

#include "io/archive_hdf5.hpp"

namespace gapkit {

using archive::EntryType;
using archive::Handle;
using archive::Session;
using Kind = EntryType::Kind;

namespace {

constexpr std::uint64_t piece_size = 1 << 20;  // bytes read at once while the checksum is verified

std::string describe(const EntryType& type) {
  const char* names[] = {"", "real number", "integer", "text"};
  const std::string name = names[static_cast<std::size_t>(type.kind)];
  if (type.extents.empty()) return (type.kind == Kind::integer ? "an " : "a ") + name;
  if (type.extents.size() == 1) return fmt::format("a list of {} {}s", type.extents[0], name);
  return fmt::format("a {} × {} matrix of {}s", type.extents[0], type.extents[1], name);
}

std::string extent_text(Eigen::Index extent) {
  return extent < 0 ? "any number" : std::to_string(extent);
}

/// Size of a file. Throws unless it can be opened and may be an archive.
std::uint64_t checked_file_size(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw InputError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) throw InputError(path.string() + ": is a folder, expected a file");
  if (!S_ISREG(status.st_mode)) throw InputError(path.string() + ": is not a regular file");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw InputError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  unsigned char head[36] = {};  // start of HDF5's superblock, version 2: signature, version, …, end of the file
  const ssize_t n = ::pread(descriptor, head, sizeof head, 0);
  ::close(descriptor);
  if (n < 0) throw InputError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  if (status.st_size == 0) throw InputError(path.string() + ": the file is empty");
  if (std::memcmp(head, "\x89HDF\r\n\x1a\n", std::min<std::size_t>(8, static_cast<std::size_t>(n))) != 0)
    throw InputError(path.string() + ": is not an HDF5 file, expected a file written by gapkit");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t claimed = 0;
  for (int i = 0; i < 8; ++i) claimed |= static_cast<std::uint64_t>(head[28 + i]) << (8 * i);
  const bool tells_end = n == sizeof head && head[8] >= 2 && head[9] == 8;
  if (n < static_cast<ssize_t>(sizeof head) || (tells_end && claimed > size))
    throw InputError(fmt::format("{}: the file is truncated or damaged: {} bytes are there{}; restore it from a copy or write it again",
                                 path.string(), size, tells_end ? fmt::format(" of {}", claimed) : ""));
  return size;
}

}  // namespace

struct ArchiveReader::State {
  std::filesystem::path path;
  std::uint64_t file_size = 0;
  std::string format;
  int version = 0;
  Handle file;
  std::map<std::string, EntryType> entries;

  ~State() {
    const Session session;
    file.close();
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw InputError(fmt::format("{}: the file is damaged: {}; restore it from a copy or write it again", path.string(), what));
  }

  // --- opening ---

  void open() {
    const Session session;
    const Handle properties(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_fclose_degree(properties.get(), H5F_CLOSE_STRONG);
    H5Pset_file_locking(properties.get(), false, true);  // archives are replaced whole; some network file systems cannot lock
    file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, properties.get()));
    if (!file.is_valid()) damaged("HDF5 cannot open it");
  }

  void check_format(std::string_view expected, int newest_version) {
    const Session session;
    const Handle attribute(H5Aopen(file.get(), archive::format_attribute, H5P_DEFAULT));
    const Handle type(H5Aget_type(attribute.get()));
    const Handle space(H5Aget_space(attribute.get()));
    const std::size_t width = H5Tget_size(type.get());
    // An attribute lies within an object header, which is smaller than 64 kB.
    const bool is_text = type.is_valid() && H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0 &&
                         H5Sget_simple_extent_npoints(space.get()) == 1 && width < 65536;
    std::vector<char> text(is_text ? width + 1 : 1, '\0');
    if (!is_text || H5Aread(attribute.get(), type.get(), text.data()) < 0)
      throw InputError(fmt::format("{}: is an HDF5 file, but not one that gapkit wrote (no text 'format'), expected format '{}'",
                                   path.string(), expected));
    format = text.data();
    if (format != expected) throw InputError(fmt::format("{}: is a '{}', expected a '{}'", path.string(), format, expected));
    const auto stored = integer_attribute(archive::version_attribute);
    if (stored < 1 || stored > 1000000) damaged(fmt::format("format version {} cannot be", stored));
    version = static_cast<int>(stored);
    if (version > newest_version)
      throw InputError(fmt::format("{}: format version {} is later than {}, the newest this program reads; use a newer gapkit",
                                   path.string(), version, newest_version));
  }

  std::int64_t integer_attribute(const char* name) const {
    const Handle attribute(H5Aopen(file.get(), name, H5P_DEFAULT));
    if (!attribute.is_valid()) damaged(fmt::format("the attribute '{}' is missing", name));
    const Handle type(H5Aget_type(attribute.get()));
    const Handle space(H5Aget_space(attribute.get()));
    const bool is_unsigned = H5Tget_sign(type.get()) == H5T_SGN_NONE;
    std::int64_t value = 0;
    if (H5Tget_class(type.get()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.get()) != 1 ||
        H5Aread(attribute.get(), is_unsigned ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64, &value) < 0)
      damaged(fmt::format("the attribute '{}' is not an integer", name));
    return value;
  }

  void list_entries() {
    const Session session;
    struct Visit {
      State* state;
      std::string problem;
    } visit{this, {}};
    const auto callback = [](hid_t, const char* name, const H5O_info_t* info, void* data) -> herr_t {
      auto& v = *static_cast<Visit*>(data);
      try {  // no exception may pass through HDF5
        if (info->type == H5O_TYPE_DATASET)
          v.state->entries.emplace(name, EntryType());
        else if (info->type != H5O_TYPE_GROUP)
          v.problem = fmt::format("'{}' is neither a group nor an array", name);
      } catch (const std::exception& e) {
        v.problem = e.what();
      }
      return v.problem.empty() ? 0 : 1;
    };
    const herr_t result = H5Ovisit(file.get(), H5_INDEX_NAME, H5_ITER_NATIVE, callback, &visit);
    if (!visit.problem.empty()) damaged(visit.problem);
    if (result != 0) damaged("its table of entries cannot be read");
    for (auto& [name, type] : entries) type = stored_type(name);
  }

  /// Type of an entry, compared with the size of the file.
  EntryType stored_type(const std::string& name) const {
    const Handle dataset(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT));
    const Handle type(H5Dget_type(dataset.get()));
    const Handle space(H5Dget_space(dataset.get()));
    const Handle properties(H5Dget_create_plist(dataset.get()));
    if (!dataset.is_valid() || !type.is_valid() || !space.is_valid() || !properties.is_valid())
      damaged(fmt::format("entry '{}' cannot be opened", name));
    if (H5Pget_layout(properties.get()) != H5D_CONTIGUOUS || H5Pget_external_count(properties.get()) != 0)
      damaged(fmt::format("entry '{}' is not stored as one plain block", name));

    EntryType result;
    if (H5Tequal(type.get(), H5T_IEEE_F64LE) > 0)
      result.kind = Kind::real;
    else if (H5Tequal(type.get(), H5T_STD_I64LE) > 0)
      result.kind = Kind::integer;
    else if (H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0 && H5Tget_strpad(type.get()) == H5T_STR_NULLTERM)
      result.kind = Kind::text;
    else
      damaged(fmt::format("entry '{}' is neither of reals nor of integers nor of text", name));
    result.width = H5Tget_size(type.get());

    const H5S_class_t shape = H5Sget_simple_extent_type(space.get());
    const int rank = H5Sget_simple_extent_ndims(space.get());
    hsize_t extents[2] = {0, 0};
    if ((shape != H5S_SCALAR && shape != H5S_SIMPLE) || rank < 0 || rank > 2 ||
        (rank > 0 && H5Sget_simple_extent_dims(space.get(), extents, nullptr) < 0))
      damaged(fmt::format("entry '{}' has a shape that gapkit does not write", name));
    result.extents.assign(extents, extents + rank);

    // Each extent is compared first: the product cannot overflow then, and an absurd extent beside a 0 is found.
    std::uint64_t bytes = result.width;
    for (const std::uint64_t extent : result.extents) {
      if (extent > file_size || (extent > 0 && bytes > file_size / extent))
        damaged(fmt::format("entry '{}' claims to be {}, more than the file of {} bytes can hold", name, describe(result), file_size));
      bytes *= extent;
    }
    const hsize_t storage = H5Dget_storage_size(dataset.get());
    const haddr_t offset = H5Dget_offset(dataset.get());
    if (result.width == 0 || storage != bytes || bytes > file_size || (bytes > 0 && (offset == HADDR_UNDEF || offset > file_size - bytes)))
      damaged(fmt::format("entry '{}' claims to be {}, but {} bytes are stored", name, describe(result), storage));
    return result;
  }

  void verify_checksum() const {
    const Session session;
    Checksum checksum = archive::begin_checksum(format, version);
    for (const auto& [name, type] : entries) archive::add_entry(checksum, name, type, checksum_of(name, type));
    if (static_cast<std::uint64_t>(integer_attribute(archive::checksum_attribute)) != checksum.value())
      damaged("the contents do not have the checksum that was stored with them");
  }

  /// Reads the entry in pieces of about piece_size: some rows, or for long rows a part of one row.
  std::uint64_t checksum_of(const std::string& name, const EntryType& type) const {
    const std::size_t rank = type.extents.size();
    const std::uint64_t rows = rank == 2 ? type.extents[0] : 1;
    const std::uint64_t cols = rank == 0 ? 1 : type.extents[rank - 1];
    Checksum contents;
    if (rows == 0 || cols == 0) return contents.value();
    const std::uint64_t piece = std::max<std::uint64_t>(1, piece_size / type.width);
    const std::uint64_t piece_cols = std::min(cols, piece);
    const std::uint64_t piece_rows = std::clamp<std::uint64_t>(piece / piece_cols, 1, rows);

    const Handle dataset(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT));
    const Handle in_memory = memory_type(dataset, type);
    const Handle space(H5Dget_space(dataset.get()));
    std::vector<std::uint64_t> buffer((piece_rows * piece_cols * type.width + 7) / 8);
    for (std::uint64_t i = 0; i < rows; i += piece_rows)
      for (std::uint64_t j = 0; j < cols; j += piece_cols) {
        const hsize_t start[2] = {i, j};
        const hsize_t count[2] = {std::min(piece_rows, rows - i), std::min(piece_cols, cols - j)};
        const hsize_t total = count[0] * count[1];
        const Handle memory(H5Screate_simple(1, &total, nullptr));
        const std::size_t skip = rank == 2 ? 0 : 1;
        if ((rank > 0 && H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start + skip, nullptr, count + skip, nullptr) < 0) ||
            H5Dread(dataset.get(), in_memory.get(), memory.get(), space.get(), H5P_DEFAULT, buffer.data()) < 0)
          damaged(fmt::format("entry '{}' cannot be read", name));
        if (type.kind == Kind::text)
          for (hsize_t k = 0; k < total; ++k)
            contents.add(std::string_view(reinterpret_cast<const char*>(buffer.data()) + k * type.width, type.width));
        else
          for (hsize_t k = 0; k < total; ++k) contents.add(buffer[k]);
      }
    return contents.value();
  }

  static Handle memory_type(const Handle& dataset, const EntryType& type) {
    if (type.kind == Kind::real) return Handle(H5Tcopy(H5T_NATIVE_DOUBLE));
    if (type.kind == Kind::integer) return Handle(H5Tcopy(H5T_NATIVE_INT64));
    return Handle(H5Dget_type(dataset.get()));
  }

  // --- reading ---

  const EntryType& find(std::string_view name) const {
    const auto it = entries.find(std::string(name));
    if (it == entries.end()) throw InputError(fmt::format("{}: the entry '{}' is missing", path.string(), name));
    return it->second;
  }

  [[noreturn]] void mismatch(std::string_view name, const std::string& expected, const EntryType& found) const {
    throw InputError(fmt::format("{}: the entry '{}' is {}, expected {}", path.string(), name, describe(found), expected));
  }

  const EntryType& find_single(std::string_view name, Kind kind) const {
    const EntryType& type = find(name);
    if (type.kind != kind || !type.extents.empty()) mismatch(name, describe({kind, {}}), type);
    return type;
  }

  /// A list, or a matrix of one column, which is how Eigen vectors are stored.
  const EntryType& find_list(std::string_view name, Kind kind, Eigen::Index size) const {
    const EntryType& type = find(name);
    const bool is_list = type.extents.size() == 1 || (type.extents.size() == 2 && type.extents[1] == 1);
    if (type.kind != kind || !is_list || (size >= 0 && type.extents[0] != static_cast<std::uint64_t>(size))) {
      const char* plural = kind == Kind::real ? "real numbers" : kind == Kind::integer ? "integers" : "texts";
      mismatch(name, fmt::format("a list of {} {}", extent_text(size), plural), type);
    }
    return type;
  }

  /// `data` has room for the whole entry.
  void read(std::string_view name, const EntryType& type, void* data) const {
    if (type.count() == 0) return;
    const Session session;
    const Handle dataset(H5Dopen2(file.get(), std::string(name).c_str(), H5P_DEFAULT));
    const Handle in_memory = memory_type(dataset, type);
    if (H5Dread(dataset.get(), in_memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
      damaged(fmt::format("entry '{}' cannot be read", name));
  }

  std::vector<std::string> read_texts(std::string_view name, const EntryType& type) const {
    std::vector<char> bytes(type.count() * type.width);
    read(name, type, bytes.data());
    std::vector<std::string> texts(type.count());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const char* begin = bytes.data() + i * type.width;
      texts[i].assign(begin, ::strnlen(begin, type.width));
    }
    return texts;
  }
};

ArchiveReader::ArchiveReader(const std::filesystem::path& path, std::string_view format, int newest_version)
    : state_(std::make_shared<State>()) {
  state_->path = path;
  state_->file_size = checked_file_size(path);
  state_->open();
  state_->check_format(format, newest_version);
  state_->list_entries();
  state_->verify_checksum();
}

ArchiveReader::~ArchiveReader() = default;

ArchiveReader::ArchiveReader(std::shared_ptr<State> state, std::string group) : state_(std::move(state)), group_(std::move(group)) {}

ArchiveReader ArchiveReader::within(std::string_view group) const {
  return {state_, full(group)};
}

int ArchiveReader::format_version() const {
  return state_->version;
}

bool ArchiveReader::has(std::string_view name) const {
  return state_->entries.count(full(name)) > 0;
}

Matrix ArchiveReader::matrix(std::string_view name, Eigen::Index rows, Eigen::Index cols) const {
  const EntryType& type = state_->find(full(name));
  if (type.kind != Kind::real || type.extents.size() != 2 || (rows >= 0 && type.extents[0] != static_cast<std::uint64_t>(rows)) ||
      (cols >= 0 && type.extents[1] != static_cast<std::uint64_t>(cols)))
    state_->mismatch(full(name), fmt::format("a matrix of {} × {} real numbers", extent_text(rows), extent_text(cols)), type);
  Matrix result(static_cast<Eigen::Index>(type.extents[0]), static_cast<Eigen::Index>(type.extents[1]));
  state_->read(full(name), type, result.data());
  return result;
}

std::vector<double> ArchiveReader::doubles(std::string_view name, Eigen::Index size) const {
  const EntryType& type = state_->find_list(full(name), Kind::real, size);
  std::vector<double> result(type.count());
  state_->read(full(name), type, result.data());
  return result;
}

Vector ArchiveReader::vector(std::string_view name, Eigen::Index size) const {
  const EntryType& type = state_->find_list(full(name), Kind::real, size);
  Vector result(static_cast<Eigen::Index>(type.count()));
  state_->read(full(name), type, result.data());
  return result;
}

std::vector<std::int64_t> ArchiveReader::integers(std::string_view name, Eigen::Index size) const {
  const EntryType& type = state_->find_list(full(name), Kind::integer, size);
  std::vector<std::int64_t> result(type.count());
  state_->read(full(name), type, result.data());
  return result;
}

std::string ArchiveReader::string(std::string_view name) const {
  return state_->read_texts(full(name), state_->find_single(full(name), Kind::text)).front();
}

std::vector<std::string> ArchiveReader::strings(std::string_view name) const {
  return state_->read_texts(full(name), state_->find_list(full(name), Kind::text, -1));
}

double ArchiveReader::number(std::string_view name) const {
  double value = 0;
  state_->read(full(name), state_->find_single(full(name), Kind::real), &value);
  return value;
}

std::int64_t ArchiveReader::integer(std::string_view name) const {
  std::int64_t value = 0;
  state_->read(full(name), state_->find_single(full(name), Kind::integer), &value);
  return value;
}

}  // namespace gapkit
