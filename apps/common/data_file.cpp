#include "data_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/errors.hpp>

#include "io/file_converter.hpp"
#include "io/other_formats.hpp"

namespace gapkit::apps {

bool is_data(const std::string& file) {
  if (has_xyz_name(file)) return true;
  std::error_code ignored;
  std::string extension = std::filesystem::path(file).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (extension == ".toml" || !std::filesystem::is_regular_file(file, ignored)) return false;
  const std::string beginning = beginning_of(file);
  if (begins_with_atom_count(beginning)) return true;
  const OtherFormat other = other_format(file, beginning);
  if (other.is_read_by_ase && has_file_converter()) return true;
  if (!other.sentence.empty())
    throw InputError(fmt::format("{}: a configuration (TOML) or data (extended XYZ) is expected; {}", file, other.sentence));
  if (is_xml(file))
    throw InputError(
        fmt::format("{}: a configuration (TOML) or data (extended XYZ) is expected, this is a GAP potential of QUIP (XML), "
                    "which gap-convert reads",
                    file));
  return false;
}

}  // namespace gapkit::apps
