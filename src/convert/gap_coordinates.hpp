#pragma once

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/io/xml.hpp>

#include "convert/problem_list.hpp"
#include "convert/quip_descriptor.hpp"

namespace gapkit {

/// One `<gpCoordinates>`: a term and its weights.
struct GapCoordinates {
  Term term;     ///< without a name
  Vector alpha;  ///< [M]
};

/// What reading a `<gpCoordinates>` needs to know of its file.
struct GapXmlContext {
  std::filesystem::path path;  ///< of the XML
  std::vector<int> wild_card;  ///< elements that a wild card may stand for
  ProblemList& problems;       ///< each begins with file and line
  std::vector<std::string>& notes;
  int gap_version = 0;  ///< 0 as in QUIP where the file does not say
  double energy_scale = 1;
  std::string other_variance = {};  ///< why QUIP's variance is another one than gapkit would compute; empty: it is not

  std::string place(const XmlElement& element) const { return fmt::format("{}:{}: <{}>", path.string(), element.line, element.name); }
  void refuse(const XmlElement& element, const std::string& reason) { problems.add(fmt::format("{} {}", place(element), reason)); }
};

/// Adds to the problems what cannot be represented; the result is then of no use.
GapCoordinates read_gap_coordinates(const XmlElement& element, GapXmlContext& context);

/// Attributes of elements. Throws InputError with the place if it is missing or of another form.
std::string text_attribute(const XmlElement& element, const char* name, const GapXmlContext& context);
double number_attribute(const XmlElement& element, const char* name, const GapXmlContext& context);
int integer_attribute(const XmlElement& element, const char* name, const GapXmlContext& context);
/// Refuses attributes and children that are not among these names.
void check_known(const XmlElement& element, const std::vector<std::string>& attributes, const std::vector<std::string>& children,
                 GapXmlContext& context);

}  // namespace gapkit
