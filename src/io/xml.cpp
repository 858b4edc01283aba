#include <expat.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/xml.hpp>
#include <memory>

namespace gapkit {
namespace {

constexpr std::size_t deepest = 100;
constexpr std::size_t block_size = 1 << 16;

/// Expat calls back from C, so no exception may pass: the error is kept and parsing stopped.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::string name) : name_(std::move(name)), parser_(XML_ParserCreate(nullptr), XML_ParserFree) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), on_begin, on_end);
    XML_SetCharacterDataHandler(parser_.get(), on_text);
    XML_SetEntityDeclHandler(parser_.get(), on_entity);
  }

  void parse(std::string_view text, bool is_last) {
    // Expat counts in int.
    do {
      const std::string_view part = text.substr(0, block_size);
      text.remove_prefix(part.size());
      const auto status = XML_Parse(parser_.get(), part.data(), static_cast<int>(part.size()), is_last && text.empty());
      if (error_) std::rethrow_exception(error_);
      if (status == XML_STATUS_ERROR)
        throw InputError(fmt::format("{}:{}: not well-formed XML: {}", name_, line(), description(XML_GetErrorCode(parser_.get()))));
    } while (!text.empty());
  }

  XmlElement root() && { return std::move(document_.children.at(0)); }

 private:
  int line() const { return static_cast<int>(XML_GetCurrentLineNumber(parser_.get())); }

  std::string description(XML_Error code) const {
    if (code == XML_ERROR_NO_ELEMENTS && document_.children.empty() && open_.size() == 1) return "it holds no element (an empty file?)";
    if ((code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN) && open_.size() > 1)
      return fmt::format("the file ends inside <{}> (line {}); it is truncated", open_.back()->name, open_.back()->line);
    return XML_ErrorString(code);
  }

  template <class Work>
  void guard(Work work) {
    if (error_) return;
    try {
      work();
    } catch (...) {
      error_ = std::current_exception();
      XML_StopParser(parser_.get(), XML_FALSE);
    }
  }

  static void on_begin(void* data, const XML_Char* name, const XML_Char** attributes) {
    auto& self = *static_cast<TreeBuilder*>(data);
    self.guard([&] {
      if (self.open_.size() > deepest)
        throw InputError(fmt::format("{}:{}: elements are nested more than {} deep", self.name_, self.line(), deepest));
      XmlElement element;
      element.name = name;
      element.line = self.line();
      for (const XML_Char** a = attributes; *a != nullptr; a += 2) element.attributes.emplace_back(a[0], a[1]);
      // Pointers stay valid: an element's children grow only while it is the innermost open one.
      XmlElement& parent = *self.open_.back();
      parent.children.push_back(std::move(element));
      self.open_.push_back(&parent.children.back());
    });
  }

  static void on_end(void* data, const XML_Char*) {
    auto& self = *static_cast<TreeBuilder*>(data);
    self.guard([&] { self.open_.pop_back(); });
  }

  static void on_text(void* data, const XML_Char* text, int length) {
    auto& self = *static_cast<TreeBuilder*>(data);
    self.guard([&] { self.open_.back()->text.append(text, static_cast<std::size_t>(length)); });
  }

  static void on_entity(void* data, const XML_Char* entity, int, const XML_Char*, int, const XML_Char*, const XML_Char*, const XML_Char*,
                        const XML_Char*) {
    auto& self = *static_cast<TreeBuilder*>(data);
    self.guard(
        [&] { throw InputError(fmt::format("{}:{}: declares the entity '{}', which is not read", self.name_, self.line(), entity)); });
  }

  std::string name_;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser_;
  XmlElement document_;
  std::vector<XmlElement*> open_ = {&document_};
  std::exception_ptr error_;
};

}  // namespace

const std::string* XmlElement::find_attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes)
    if (key == wanted) return &value;
  return nullptr;
}

const XmlElement* XmlElement::find_child(std::string_view wanted) const {
  for (const XmlElement& child : children)
    if (child.name == wanted) return &child;
  return nullptr;
}

std::vector<const XmlElement*> XmlElement::children_named(std::string_view wanted) const {
  std::vector<const XmlElement*> result;
  for (const XmlElement& child : children)
    if (child.name == wanted) result.push_back(&child);
  return result;
}

XmlElement read_xml(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored))
    throw InputError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(file ? EISDIR : errno)));
  TreeBuilder builder(path.string());
  std::string block(block_size, '\0');
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (file.bad()) throw InputError(fmt::format("{}: reading failed: {}", path.string(), std::strerror(errno)));
    builder.parse(std::string_view(block.data(), static_cast<std::size_t>(file.gcount())), !file);
  }
  return std::move(builder).root();
}

XmlElement parse_xml(std::string_view text, const std::string& name) {
  TreeBuilder builder(name);
  builder.parse(text, true);
  return std::move(builder).root();
}

std::string xml_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  return result;
}

}  // namespace gapkit
