#include "fit/frame_source.hpp"

#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>

#include "io/other_formats.hpp"

namespace gapkit {

std::int64_t read_frames(const std::vector<std::string>& files, const TargetKeys& keys, TargetReport* report, Findings& findings,
                         const std::function<void(const Structure&, const FramePlace&)>& visit) {
  std::int64_t lost = 0;
  FramePlace place;
  for (std::size_t f = 0; f < files.size(); ++f) {
    if (beginning_of(files[f]).find("\r\n") != std::string::npos)
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
        findings.error("unreadable frame", e.what());
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
