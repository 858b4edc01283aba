#pragma once

#include <string>
#include <string_view>

namespace gapkit {

/// The arguments of gap_fit in a text that may be more than they are: a shell script with comments, exports and other commands, or one
/// command with mpirun or variables before the program and redirections behind it.
///
/// Quotes that belong to the shell ('gap={soap' … 'delta=1}') and backslashes are taken out. Without a program whose name begins with
/// gap_fit (or teach_sparse) all that looks like arguments is returned. Throws InputError if gap_fit is called more than once.
std::string gap_fit_arguments(std::string_view text);

}  // namespace gapkit
