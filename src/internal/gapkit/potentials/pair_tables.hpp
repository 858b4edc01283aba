#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gapkit {

/// Distances (Å, ascending) and energies of the bond (eV, the last one 0).
struct PairTable {
  std::vector<double> r, energy;
};

/// By pair of atomic numbers, the smaller one first.
using PairTables = std::map<std::pair<int, int>, PairTable>;

/// The format of pair_spline (docs/file-formats.md). Throws InputError with `where` and the line.
PairTables parse_pair_tables(const std::string& text, const std::string& where);
/// The same text again, with digits that read back to the same bits.
std::string pair_tables_text(const PairTables& tables);

}  // namespace gapkit
