#include "fit/frame_source.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>

namespace gapkit {
namespace {

/// What the first bytes of a file tell about it.
struct FileBeginning {
  bool has_windows_line_ends = false;
  std::string explanation;  // why it cannot be extended XYZ; empty if it can
};

FileBeginning look_at(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(1 << 16, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  FileBeginning beginning;
  beginning.has_windows_line_ends = bytes.find("\r\n") != std::string::npos;
  if (bytes.starts_with("\x1f\x8b"))
    beginning.explanation = "the file is compressed with gzip; unpack it first (gunzip)";
  else if (bytes.starts_with("\xFD"
                             "7zXZ"))
    beginning.explanation = "the file is compressed with xz; unpack it first (unxz)";
  else if (bytes.starts_with("PK\x03\x04"))
    beginning.explanation = "the file is a ZIP archive; unpack it first";
  else if (bytes.starts_with("\x89HDF"))
    beginning.explanation = "the file is HDF5, expected extended XYZ";
  else if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF"))
    beginning.explanation = "the file is UTF-16 text; save it as UTF-8";
  else if (bytes.find('\n') == std::string::npos && bytes.find('\r') != std::string::npos)
    beginning.explanation = "the lines of the file end with a carriage return alone; convert it (tr '\\r' '\\n')";
  return beginning;
}

}  // namespace

std::int64_t read_frames(const std::vector<std::string>& files, const TargetKeys& keys, TargetReport* report, Findings& findings,
                         const std::function<void(const Structure&, const FramePlace&)>& visit) {
  std::int64_t lost = 0;
  FramePlace place;
  for (std::size_t f = 0; f < files.size(); ++f) {
    const FileBeginning beginning = look_at(files[f]);
    if (beginning.has_windows_line_ends)
      findings.note("line ends", files[f] + ": the lines end in the Windows way (CR LF), which is understood");
    place.file = static_cast<int>(f);
    std::optional<ExtxyzReader> reader;
    try {
      reader.emplace(files[f]);
    } catch (const InputError& e) {
      findings.error("unreadable file", e.what());
      ++lost;
      continue;
    }
    for (;;) {
      std::optional<Structure> frame;
      try {
        frame = reader->next();
      } catch (const InputError& e) {
        const bool is_explained = reader->frame_count() == 0 && !beginning.explanation.empty();
        findings.error("unreadable frame", is_explained ? files[f] + ": " + beginning.explanation : e.what());
        ++lost;
        break;
      }
      if (!frame) break;
      place.frame = reader->frame_count();
      try {
        assign_targets(*frame, keys, report);
        visit(*frame, place);
      } catch (const InputError& e) {
        findings.error("frame", e.what());
        ++lost;
      }
      ++place.number;
    }
  }
  return lost;
}

}  // namespace gapkit
