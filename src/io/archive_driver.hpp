#pragma once

#include "io/archive_hdf5.hpp"

namespace gapkit::archive {

/// An open file that HDF5 writes to, with its first failure.
struct WriteTarget {
  int descriptor = -1;
  int error = 0;          ///< errno of the first failure; nothing is written after it
  std::uint64_t end = 0;  ///< bytes written so far
};

/// File access properties that make H5Fcreate write to `target`, which must outlive the file.
///
/// A failed write (full disk, quota) is recorded in `target` and hidden from HDF5: HDF5 1.10 cannot close a file whose writes fail
/// and crashes at the end of the program. Check target.error after closing.
Handle access_properties(WriteTarget& target);

}  // namespace gapkit::archive
