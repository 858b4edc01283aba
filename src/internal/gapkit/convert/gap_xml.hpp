#pragma once

#include <filesystem>
#include <functional>
#include <gapkit/model/model.hpp>

namespace gapkit {

struct GapXmlOptions {
  /// Element for wild cards in descriptors (old potentials of one element do not name it); empty: the element of the training data in the
  /// file, if there are any.
  std::vector<int> species;
};

struct GapXmlImport {
  Model model;                     ///< without posterior: Model::has_posterior() is false
  std::vector<std::string> notes;  ///< parts that were left out because they do not change predictions, and assumptions
};

/// Reads a potential of gap_fit: `<GAP_params>` with distance_2b, angle_3b and soap, inline or separate sparse points
/// (docs/from-gap-fit.md).
///
/// The model predicts the same as QUIP (methods.md, section 2). Parts that cannot be represented are refused with file, line and tag, all
/// in one message. Throws InputError; also for files of sparse points that are missing or do not have the MD5 sum that the XML names.
GapXmlImport read_gap_xml(const std::filesystem::path& path, const GapXmlOptions& options = {});

/// The model in a file of gapkit (HDF5), or the converted model of a GAP potential of QUIP (is_xml()). `say` (optional) gets one line for
/// a conversion and one for each of its notes. Throws as load_model() and read_gap_xml().
Model load_any_model(const std::filesystem::path& path, const std::function<void(const std::string&)>& say = {});

/// True if a file is XML: by its first characters, else by its name.
bool is_xml(const std::filesystem::path& path);

struct GapXmlOutput {
  std::string label;                ///< of the potential, an XML name; empty: made from the name of the file
  std::string command_line;         ///< text of <command_line>; empty: gapkit's version
  std::filesystem::path data;       ///< file that is copied into <XYZ_data>, line by line; empty: none
  bool has_separate_points = true;  ///< false: the sparse points are in the XML, in slices of 50 numbers as gap_fit writes them
};

/// Writes a model in the form of gap_fit: the XML, and beside it a file of sparse points for each term ("NAME.sparseX.LABELn").
///
/// The XML is renamed into place last. Throws InputError, before anything is written, with all parts that QUIP could not read.
/// Returns notes as above; the posterior is always left out. Characters in copied texts that XML or QUIP does not allow become '?'.
std::vector<std::string> write_gap_xml(const Model& model, const std::filesystem::path& path, const GapXmlOutput& output = {});

/// Throws InputError for a name of a file at which QUIP stops.
void check_gap_xml_name(const std::filesystem::path& path);

}  // namespace gapkit
