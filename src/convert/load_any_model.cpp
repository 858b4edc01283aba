#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <gapkit/convert/gap_xml.hpp>

namespace gapkit {

bool is_xml(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  char head[64] = {};
  file.read(head, sizeof head);
  std::string_view text(head, static_cast<std::size_t>(file.gcount()));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // byte order mark
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  // Other files called .xml get the message of the XML reader; models may have any name.
  return text.starts_with('<') || (path.extension() == ".xml" && !text.starts_with("\x89HDF"));
}

Model load_any_model(const std::filesystem::path& path, const std::function<void(const std::string&)>& say) {
  if (!is_xml(path)) return load_model(path);
  GapXmlImport imported = read_gap_xml(path);
  if (say) {
    say(fmt::format("{}: a GAP potential of QUIP, converted on the way (gap-convert {} MODEL.h5 keeps the model)", path.string(),
                    path.string()));
    for (const std::string& note : imported.notes) say("note: " + note);
  }
  return std::move(imported.model);
}

}  // namespace gapkit
