#pragma once

#include <gapkit/io/targets.hpp>

#include "config/section.hpp"

namespace gapkit {

/// What kind = "columns" of a [[baseline]] is called.
inline constexpr const char* base_columns_kind = "columns";

/// Keys of such a [[baseline]]: kind, name, and the sources of targets.
std::vector<std::string> base_columns_keys();
/// A [[baseline]] with kind = "columns". Throws InputError: the energy is missing, a name is empty or names two things.
BaseKeys read_base_columns(const Section& section);

}  // namespace gapkit
