#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace gapkit {

/// Makes extended XYZ of a file in another format: gives the path of a file with its frames. `format`: ASE's name of the format; empty if
/// it is to be found out. Throws InputError with why it cannot, as the end of a sentence. It keeps what it has made: readers ask on each
/// pass.
using FileConverter = std::function<std::filesystem::path(const std::filesystem::path& file, const std::string& format)>;

/// Sets the converter of this process, or removes it ({}). Without one, files in other formats are errors that say how to convert them:
/// only programs may decide that a library starts others.
void set_file_converter(FileConverter converter);
bool has_file_converter();

/// Whether extended XYZ has to be made of a file before it can be read: a regular file that does not begin with a number of atoms, and that
/// is of a format that ASE reads (other_formats.hpp) or has neither the name of an XYZ file nor the signature of something else.
/// Always false without a converter.
bool needs_converter(const std::filesystem::path& file);

/// The file that a reader of extended XYZ opens for `file`: itself, or what the converter gives. Throws InputError, naming the file, if it
/// cannot be converted.
std::filesystem::path readable_file(const std::filesystem::path& file);

}  // namespace gapkit
