#pragma once

// The inner loop of PackedMatrix, compiled for several instruction sets (see descriptors/soap_loops.hpp).

namespace gapkit {

/// Rows of a and of c = a b, where b [depth, columns] is stored in tiles of columns: [tile][k][column]. The last tile is filled up with
/// zeros to whole packs.
template <class Real>
struct ProductRowsOf {
  int count;
  long depth, columns;
  const Real* a;
  long a_stride;
  const Real* b;
  Real* c;
  long c_stride;
};

struct ProductLoops {
  int pack, tile;  ///< columns of a register, and of a tile, in double precision; twice as many in single precision
  void (*multiply)(const ProductRowsOf<double>&);
  void (*multiply_single)(const ProductRowsOf<float>&);
};

const ProductLoops& product_loops();

}  // namespace gapkit
