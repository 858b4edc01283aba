#pragma once

// The inner loop of PackedMatrix, compiled for several instruction sets (see descriptors/soap_loops.hpp).

namespace gapkit {

/// Rows of a and of c = a b, where b [depth, columns] is stored in tiles of columns: [tile][k][column]. The last tile is filled up with
/// zeros to whole packs.
struct ProductRows {
  int count;
  long depth, columns;
  const double* a;
  long a_stride;
  const double* b;
  double* c;
  long c_stride;
};

struct ProductLoops {
  int pack, tile;  ///< columns of a register, and of a tile
  void (*multiply)(const ProductRows&);
};

const ProductLoops& product_loops();

}  // namespace gapkit
