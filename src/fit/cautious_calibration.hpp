#pragma once

#include <gapkit/fit/dataset.hpp>
#include <set>

#include "fit/left_out_structures.hpp"

namespace gapkit {

/// What a cautious calibration is made of.
struct CautiousRows {
  const Model& model;
  const Dataset& training;
  const LeftOutStructures& left_out;
  const std::vector<LeftOutStructure>& structures;  ///< after LeftOutStructures::finish()
  const std::set<std::int64_t>& excluded;           ///< frames that do not calibrate
  std::int64_t fewest_structures = 0;               ///< that a property needs
};

/// Factors of error bars that hold for left-out structures and left-out groups of structures together (EpistemicPart::cautious), each group
/// with the weight of at most eight structures: a power law of J for energies and virials, of the data part, J and C for forces; for forces
/// also factors of the first points without J.
std::vector<CalibrationFactors> cautious_factors(const CautiousRows& rows);

}  // namespace gapkit
