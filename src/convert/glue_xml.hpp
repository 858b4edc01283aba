#pragma once

#include <gapkit/potentials/pair_tables.hpp>

#include "convert/gap_coordinates.hpp"

/// QUIP's potential Glue without its density: tabulated pair energies, the same as a baseline pair_spline.
namespace gapkit {

/// Tables of a `<Glue_params>`. Adds to the problems, with file and line: a density that has an energy, and splines that begin or end in
/// another way than pair_spline's (y1 of at least 1e30: natural; yn = 0). The result is then of no use.
PairTables read_glue(const XmlElement& params, GapXmlContext& context);
/// The same of a file that holds `<Glue_params>` and nothing else that has an energy. Throws InputError.
PairTables read_glue_file(const std::filesystem::path& path);

/// `<Glue_params>` for these elements; pairs that have no table get one of zeros, since QUIP wants all of them.
std::string glue_text(const PairTables& tables, const std::vector<int>& elements);

}  // namespace gapkit
