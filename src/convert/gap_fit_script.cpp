#include "convert/gap_fit_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <vector>

#include "convert/quip_options.hpp"

namespace gapkit {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

/// True if every '}' closes a '{' of the text, and every '{' is closed.
bool is_balanced(std::string_view text) {
  int open = 0;
  for (const char c : text) {
    open += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (open < 0) return false;
  }
  return open == 0;
}

/// Removes the backslashes of a shell: at line ends they join lines, elsewhere they escape a character.
std::string without_backslashes(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t next = i + 1 < text.size() && text[i + 1] == '\r' ? i + 2 : i + 1;
    if (text[i] != '\\') {
      result += text[i];
    } else if (next >= text.size() || text[next] == '\n') {
      result += ' ';
      i = next;
    } else if (std::string_view("{}\"'=: ;\\").find(text[i + 1]) == std::string_view::npos) {
      result += text[i];  // of a path
    }
  }
  return result;
}

/// Removes comments: from a '#' at the beginning of a word, outside quotes and braces, to the end of the line.
std::string without_comments(std::string_view text) {
  std::string result;
  char quote = 0;
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool begins_line = result.empty() || result.back() == '\n';
    const bool begins_word = begins_line || is_blank(result.back()) || result.back() == ';';
    if (c == '#' && quote == 0 && begins_word && (open == 0 || begins_line)) {
      while (i < text.size() && text[i] != '\n') ++i;
      if (i < text.size()) result += '\n';
      continue;
    }
    if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (is_quote(c))
      quote = c;
    else
      open += c == '{' ? 1 : c == '}' ? -1 : 0;
    result += c;
  }
  return result;
}

/// Quotes around half a brace belong to the shell; those of QUIP enclose whole values.
std::string without_shell_quotes(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = is_quote(text[i]) ? text.find(text[i], i + 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      result += text[i];
      continue;
    }
    const std::string_view inside = text.substr(i + 1, end - i - 1);
    result += is_balanced(inside) ? std::string(text.substr(i, end - i + 1)) : std::string(inside);
    i = end;
  }
  return result;
}

/// Position behind the group (quotes, braces) at `i`, or i + 1.
std::size_t behind(std::string_view text, std::size_t i) {
  if (is_quote(text[i])) {
    const std::size_t end = text.find(text[i], i + 1);
    return end == std::string_view::npos ? i + 1 : end + 1;
  }
  if (text[i] != '{') return i + 1;
  int open = 0;
  for (std::size_t k = i; k < text.size(); ++k) {
    open += text[k] == '{' ? 1 : text[k] == '}' ? -1 : 0;
    if (open == 0) return k + 1;
  }
  return i + 1;  // not closed: the reader of the options reports it
}

struct Command {
  std::string text;
  bool ends_line = false;  ///< a line end follows, no ';' or the like
};

/// Commands, cut at line ends, ';', '&' and '|' outside quotes and braces; without redirections.
std::vector<Command> commands_in(std::string_view text) {
  std::vector<Command> commands(1);
  bool is_cut = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n' || c == ';' || c == '|' || (c == '&' && !is_cut)) {
      commands.back().ends_line = c == '\n';
      commands.emplace_back();
      is_cut = false;
      ++i;
      continue;
    }
    if (c == '>' || c == '<') {
      is_cut = true;  // with the number of the stream before it, as in 2>
      std::string& before = commands.back().text;
      if (before.size() > 1 && (before.back() == '1' || before.back() == '2') && is_blank(before[before.size() - 2])) before.pop_back();
    }
    const std::size_t end = behind(text, i);
    if (!is_cut) commands.back().text += text.substr(i, end - i);
    i = end;
  }
  return commands;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    while (i < text.size() && !is_blank(text[i]) && text[i] != '\n') i = behind(text, i);
    if (i > begin) words.emplace_back(text.substr(begin, i - begin));
    if (i == begin) ++i;
  }
  return words;
}

bool is_program(std::string word) {
  std::erase_if(word, is_quote);
  if (word.find('=') != std::string::npos) return false;
  const std::string name = word.substr(word.find_last_of('/') + 1);
  return name.starts_with("gap_fit") || name.starts_with("teach_sparse");
}

/// gap_fit's arguments begin with a small letter; variables of a shell do not.
bool holds_argument(const Command& command) {
  for (const std::string& word : words_in(command.text)) {
    const std::size_t begin = is_quote(word[0]) ? 1 : 0;
    if (word == "export" || word == "set") return false;
    if (begin < word.size() && word.find('=') != std::string::npos && word[begin] >= 'a' && word[begin] <= 'z') return true;
  }
  return false;
}

/// True for the beginning of a line that continues the arguments of the line before.
bool goes_on(const Command& command) {
  const auto words = words_in(command.text);
  if (words.empty()) return true;
  const char first = words.front()[0];
  return std::string_view("{}:='\"").find(first) != std::string_view::npos ||
         (words.front() != "export" && holds_argument({words.front() + (words.size() > 1 && words[1][0] == '=' ? "=" : ""), false}));
}

}  // namespace

std::string gap_fit_arguments(std::string_view given) {
  const std::vector<Command> commands = commands_in(without_shell_quotes(without_comments(without_backslashes(given))));
  std::string result;
  int calls = 0;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto words = words_in(commands[i].text);
    const auto program = std::find_if(words.begin(), words.end(), is_program);
    if (program == words.end()) continue;
    std::string arguments;
    for (auto word = program + 1; word != words.end(); ++word) arguments += *word + " ";
    for (; commands[i].ends_line && i + 1 < commands.size() && goes_on(commands[i + 1]); ++i) arguments += commands[i + 1].text + " ";
    if (arguments.find('=') == std::string::npos) continue;  // "which gap_fit" and the like
    ++calls;
    result = arguments;
  }
  if (calls > 1) throw InputError(fmt::format("gap_fit is called {} times; give one of these command lines", calls));
  if (calls == 1) return result;
  for (const Command& command : commands)
    if (holds_argument(command) || goes_on(command)) result += command.text + " ";
  return result;
}

}  // namespace gapkit
