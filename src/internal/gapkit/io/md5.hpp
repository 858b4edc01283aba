#pragma once

#include <string>
#include <string_view>

namespace gapkit {

/// MD5 of some bytes as 32 hexadecimal digits, lower case (RFC 1321): the check that GAP potentials keep of their files of sparse points.
/// Finds damage and mix-ups; not for security.
std::string md5_of(std::string_view bytes);

}  // namespace gapkit
