#pragma once

#include <string>
#include <vector>

namespace gapkit {

struct SectionKeys {
  std::string name;  ///< "data"; "regularization.config_type.*"
  std::vector<std::string> keys;
};

/// Whether a section is written as [[name]].
bool is_list_of_tables(const std::string& section);
/// Every section that a configuration may have and its keys; for [[term]] without the parameters of descriptors and kernels.
const std::vector<SectionKeys>& configuration_keys();
/// The keys of one section; the section must exist.
const std::vector<std::string>& section_keys(const std::string& name);

}  // namespace gapkit
