#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gapkit {

/// One element of an XML document, with the line on which it begins.
struct XmlElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;  ///< in the order of the file
  std::vector<XmlElement> children;
  std::string text;  ///< all character data directly inside, joined (CDATA sections included)
  int line = 0;      ///< counted from 1

  /// Null if there is no such attribute.
  const std::string* find_attribute(std::string_view name) const;
  /// The first child of that name; null if there is none.
  const XmlElement* find_child(std::string_view name) const;
  std::vector<const XmlElement*> children_named(std::string_view name) const;
};

/// Reads a document into a tree and returns its root. UTF-8, UTF-16, ISO-8859-1 and ASCII; entities declared in a DTD are not expanded.
///
/// Memory: about that of the file. Throws InputError "file:line: …" for a file that cannot be read, is empty, truncated or not well formed,
/// and for elements nested deeper than 100.
XmlElement read_xml(const std::filesystem::path& path);
/// The same from a string; `name` stands for the file in messages.
XmlElement parse_xml(std::string_view text, const std::string& name);

/// A text with the characters escaped that attribute values and character data must not hold.
std::string xml_escaped(std::string_view text);

}  // namespace gapkit
