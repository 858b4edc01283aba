#pragma once

#include <gapkit/potentials/pair_tables.hpp>

#include "convert/gap_coordinates.hpp"

/// QUIP's potential Glue without its density: tabulated pair energies, the same as a baseline pair_spline.
namespace gapkit {

/// Tables of a `<Glue_params>`. Adds a problem, with file and line, for a density that has an energy, and for splines whose ends differ
/// from pair_spline's (y1 of at least 1e30: natural; yn = 0). The result is useless then.
PairTables read_glue(const XmlElement& params, GapXmlContext& context);
/// The same of a file that holds `<Glue_params>` and nothing else that has an energy. Throws InputError.
PairTables read_glue_file(const std::filesystem::path& path);

/// `<Glue_params>` for these elements; pairs without a table get zeros, since QUIP needs all pairs.
std::string glue_text(const PairTables& tables, const std::vector<int>& elements);

}  // namespace gapkit
