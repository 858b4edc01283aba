#include <cctype>
#include <gapkit/io/name_words.hpp>

namespace gapkit {

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool is_inside = false, was_lower = false;
  for (const char given : name) {
    const auto c = static_cast<unsigned char>(given);
    if (!std::isalpha(c)) {
      is_inside = false;
      continue;
    }
    if (!is_inside || (was_lower && std::isupper(c))) words.emplace_back();
    words.back().push_back(static_cast<char>(std::tolower(c)));
    is_inside = true;
    was_lower = std::islower(c) != 0;
  }
  return words;
}

}  // namespace gapkit
