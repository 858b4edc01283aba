#pragma once

namespace gapkit {

/// Standard atomic weight in amu (IUPAC 2021, abridged; the middle of an interval; the mass number of a long-lived isotope where there is
/// none). Throws InputError outside 1 … 118.
double atomic_mass(int atomic_number);

}  // namespace gapkit
