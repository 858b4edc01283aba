#pragma once

namespace gapkit {

/// Covalent radius in Å; beyond curium a typical value. Only good for telling impossible distances from possible ones.
/// Source: Cordero et al., Dalton Trans. 2832 (2008); low-spin values.
double covalent_radius(int atomic_number);

}  // namespace gapkit
