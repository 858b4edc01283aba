#pragma once

#include <string>
#include <string_view>

namespace gapkit {

/// The arguments of gap_fit in a shell script with comments, exports and other commands, or in one command with mpirun or variables before
/// the program and redirections behind it.
///
/// Quotes of the shell ('gap={soap' … 'delta=1}') and backslashes are removed. Without a program whose name begins with gap_fit (or
/// teach_sparse) all words that look like arguments are returned. Throws InputError if gap_fit is called more than once.
std::string gap_fit_arguments(std::string_view text);

}  // namespace gapkit
