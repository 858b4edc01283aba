#pragma once

#include <string>
#include <vector>

namespace gapkit {

/// Keywords of input.nn that translate_input_nn() reads.
const std::vector<std::string>& nn_translated_keywords();

/// Whether n2p2 or RuNNer has this keyword, of which symmetry functions do not depend.
bool is_network_keyword(const std::string& keyword);

}  // namespace gapkit
