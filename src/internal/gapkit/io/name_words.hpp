#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gapkit {

/// Words in lower case: "TotEnergy", "tot_energy" and "tot-energy2" are {"tot", "energy"}.
std::vector<std::string> words_of(std::string_view name);

}  // namespace gapkit
