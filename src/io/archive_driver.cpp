#include "io/archive_driver.hpp"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace gapkit::archive {
namespace {

/// HDF5 passes this back as an H5FD_t, which must be the first member.
struct DriverFile {
  H5FD_t base;
  WriteTarget* target;
  haddr_t end_of_allocation;
};

DriverFile& driver_file(H5FD_t* file) {
  return *reinterpret_cast<DriverFile*>(file);
}
const DriverFile& driver_file(const H5FD_t* file) {
  return *reinterpret_cast<const DriverFile*>(file);
}

H5FD_t* open_file(const char*, unsigned, hid_t properties, haddr_t) {
  const auto* target = static_cast<WriteTarget* const*>(H5Pget_driver_info(properties));
  if (!target) return nullptr;
  auto* file = new (std::nothrow) DriverFile{};
  if (file) file->target = *target;
  return reinterpret_cast<H5FD_t*>(file);
}

herr_t close_file(H5FD_t* file) {
  delete &driver_file(file);
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  if (flags) *flags = H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t get_end_of_allocation(const H5FD_t* file, H5FD_mem_t) {
  return driver_file(file).end_of_allocation;
}

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  driver_file(file).end_of_allocation = address;
  return 0;
}

haddr_t get_end_of_file(const H5FD_t* file, H5FD_mem_t) {
  return driver_file(file).target->end;
}

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size, void* buffer) {
  WriteTarget& target = *driver_file(file).target;
  auto* bytes = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t n = ::pread(target.descriptor, bytes, size, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      if (n < 0 && target.error == 0) target.error = errno;
      std::memset(bytes, 0, size);  // beyond the end, as HDF5 expects, or after a recorded failure
      return 0;
    }
    bytes += n;
    address += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size, const void* buffer) {
  WriteTarget& target = *driver_file(file).target;
  const auto* bytes = static_cast<const char*>(buffer);
  target.end = std::max<std::uint64_t>(target.end, address + size);
  while (size > 0 && target.error == 0) {
    const ssize_t n = ::pwrite(target.descriptor, bytes, size, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      target.error = n < 0 ? errno : ENOSPC;
      break;
    }
    bytes += n;
    address += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t truncate(H5FD_t* file, hid_t, hbool_t) {
  WriteTarget& target = *driver_file(file).target;
  const haddr_t end = driver_file(file).end_of_allocation;
  if (target.error == 0 && target.end != end && ::ftruncate(target.descriptor, static_cast<off_t>(end)) != 0) target.error = errno;
  target.end = end;
  return 0;
}

H5FD_class_t driver_class() {
  H5FD_class_t c{};
#if H5_VERSION_GE(1, 13, 0)
  c.version = H5FD_CLASS_VERSION;
  c.value = static_cast<H5FD_class_value_t>(600);  // from the range that is free for private drivers
#endif
  c.name = "gapkit_writer";
  c.maxaddr = static_cast<haddr_t>(1) << 62;
  c.fc_degree = H5F_CLOSE_STRONG;
  c.fapl_size = sizeof(WriteTarget*);
  c.open = open_file;
  c.close = close_file;
  c.query = query;
  c.get_eoa = get_end_of_allocation;
  c.set_eoa = set_end_of_allocation;
  c.get_eof = get_end_of_file;
  c.read = read;
  c.write = write;
  c.truncate = truncate;
  std::fill(std::begin(c.fl_map), std::end(c.fl_map), H5FD_MEM_SUPER);
  return c;
}

}  // namespace

Handle access_properties(WriteTarget& target) {
  static const H5FD_class_t cls = driver_class();
  // Never released: HDF5 releases the driver of a file before it calls the driver's close function.
  static const hid_t driver = H5FDregister(&cls);
  WriteTarget* info = &target;
  Handle properties(H5Pcreate(H5P_FILE_ACCESS));
  if (!properties.is_valid() || driver < 0 || H5Pset_driver(properties.get(), driver, &info) < 0) return Handle();
  return properties;
}

}  // namespace gapkit::archive
