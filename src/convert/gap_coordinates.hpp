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

/// Facts on the file of a `<gpCoordinates>`.
struct GapXmlContext {
  std::filesystem::path path;  ///< of the XML
  std::vector<int> wild_card;  ///< elements that a wild card may stand for
  ProblemList& problems;       ///< each begins with file and line
  std::vector<std::string>& notes;
  int gap_version = 0;  ///< 0 if the file has none, as in QUIP
  double energy_scale = 1;
  std::string other_variance = {};  ///< the reason why QUIP's variance differs from gapkit's; empty if it does not

  std::string place(const XmlElement& element) const { return fmt::format("{}:{}: <{}>", path.string(), element.line, element.name); }
  void refuse(const XmlElement& element, const std::string& reason) { problems.add(fmt::format("{} {}", place(element), reason)); }
};

/// Adds a problem for each part that gapkit cannot represent; the result is useless then.
GapCoordinates read_gap_coordinates(const XmlElement& element, GapXmlContext& context);

/// Attributes of elements. Throws InputError with the place if it is missing or of another form.
std::string text_attribute(const XmlElement& element, const char* name, const GapXmlContext& context);
double number_attribute(const XmlElement& element, const char* name, const GapXmlContext& context);
int integer_attribute(const XmlElement& element, const char* name, const GapXmlContext& context);
/// Refuses attributes and children that are not among these names.
void check_known(const XmlElement& element, const std::vector<std::string>& attributes, const std::vector<std::string>& children,
                 GapXmlContext& context);

}  // namespace gapkit
