#pragma once

#include <filesystem>
#include <functional>
#include <gapkit/model/model.hpp>

namespace gapkit {

struct GapXmlOptions {
  /// Element that a wild card in a descriptor stands for (old potentials of one element do not name it); empty: that of the training data
  /// in the file, if there are any.
  std::vector<int> species;
};

struct GapXmlImport {
  Model model;                     ///< without posterior: Model::has_posterior() is false
  std::vector<std::string> notes;  ///< what was left out because it does not change predictions, and what was assumed
};

/// Reads a potential of gap_fit: `<GAP_params>` with distance_2b, angle_3b and soap, inline or separate sparse points
/// (docs/from-gap-fit.md).
///
/// The model predicts what QUIP predicts (methods.md, section 2). Whatever cannot be represented is refused with file, line and tag, all of
/// it in one message. Throws InputError; also for files of sparse points that are missing or do not have the MD5 sum that the XML names.
GapXmlImport read_gap_xml(const std::filesystem::path& path, const GapXmlOptions& options = {});

/// The model in a file of gapkit (HDF5), or the one that a GAP potential of QUIP (is_xml()) converts to. `say` (optional) gets one line for
/// a conversion and one for each of its notes. Throws as load_model() and read_gap_xml().
Model load_any_model(const std::filesystem::path& path, const std::function<void(const std::string&)>& say = {});

/// Whether a file is XML: by its first characters, else by its name.
bool is_xml(const std::filesystem::path& path);

/// Writes a model as gap_fit writes it: the XML, and a file of sparse points for each term beside it ("NAME.sparseX.LABELn").
///
/// The XML is renamed into place last. Throws InputError, before anything is written, with all that QUIP could not read.
/// Returns notes as above; the posterior is always left out.
std::vector<std::string> write_gap_xml(const Model& model, const std::filesystem::path& path);

}  // namespace gapkit
