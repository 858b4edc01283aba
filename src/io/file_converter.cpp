#include "io/file_converter.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <mutex>

#include "io/other_formats.hpp"

namespace gapkit {
namespace {

struct CurrentConverter {
  std::mutex mutex;
  FileConverter converter;
};

CurrentConverter& current() {
  static CurrentConverter converter;
  return converter;
}

FileConverter file_converter() {
  const std::lock_guard lock(current().mutex);
  return current().converter;
}

bool has_text(std::string_view beginning) {
  return beginning.find_first_not_of(" \t\r\n") != std::string_view::npos;
}

}  // namespace

void set_file_converter(FileConverter converter) {
  const std::lock_guard lock(current().mutex);
  current().converter = std::move(converter);
}

bool has_file_converter() {
  return file_converter() != nullptr;
}

bool needs_converter(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!has_file_converter() || file == "-" || !std::filesystem::is_regular_file(file, ignored)) return false;
  std::string beginning = beginning_of(file);
  if (beginning.starts_with("\xEF\xBB\xBF")) beginning.erase(0, 3);
  if (!has_text(beginning) || begins_with_atom_count(beginning)) return false;
  const OtherFormat other = other_format(file, beginning);
  return other.is_read_by_ase || (other.sentence.empty() && !has_xyz_name(file));
}

std::filesystem::path readable_file(const std::filesystem::path& file) {
  if (!needs_converter(file)) return file;
  const OtherFormat other = other_format(file, beginning_of(file));
  try {
    return file_converter()(file, other.ase_format);
  } catch (const InputError& e) {
    const std::string what =
        other.sentence.empty() ? "the file is no extended XYZ, as it does not begin with a number of atoms" : other.sentence;
    throw InputError(file.string() + ": " + what + "; reading it through ASE " + e.what());
  }
}

}  // namespace gapkit
