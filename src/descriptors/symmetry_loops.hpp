#pragma once

// The inner loops of angular symmetry functions, compiled for several instruction sets (see soap_loops.hpp).
//
// Neighbours of a centre stand in slots, those of one element one after the other; each element begins at a multiple of the widest pack.
// Slots that are left over have zeros everywhere.

namespace gapkit {

/// A function Σ_{j<k} a(cosθ) g(r_ij) g(r_ik) [h(r_jk)]
struct SymmetryMember {
  int function;  ///< place of its results
  int factor;    ///< of g
  int side;      ///< of h; −1: none
};

/// Functions of one pair of elements with the same a(c) = 2^(1−ζ) (1 + λc)^ζ, those without a side first.
struct SymmetryGroup {
  double lambda, zeta;
  int power;     ///< ζ − 1; −1: ζ is no integer
  double scale;  ///< 2^(1−ζ)
  int first_member, last_member;
};

/// Ordered pairs (j, k) of two elements: derivatives by the vectors to j of all functions, and values if `counts`.
struct SymmetryPart {
  int range_j, range_k;  ///< of slots
  bool counts;
  double share;  ///< ½ if each unordered pair is met twice
  int first_group, last_group;
};

struct SymmetryLists {
  const SymmetryPart* parts;
  int part_count;
  const SymmetryGroup* groups;
  const SymmetryMember* members;
  int factors;
};

struct SymmetrySlots {
  int slots;           ///< a multiple of the widest pack
  const int* first;    ///< by range: first slot
  const int* count;    ///< by range: slots in use
  const double* r;     ///< [slots] Å
  const double* unit;  ///< [3, slots]
  const double* inverse_r;
  const double* g;      ///< [factors, slots]
  const double* dg;     ///< [factors, slots] g', 1/Å; null: no derivatives
  const double* rows;   ///< [slots, factors, 4] g, g·û
  const double* side;   ///< [sides, slots, slots] h(r_jk)
  const double* dside;  ///< the same of h'(r_jk)/r_jk, 1/Å²
};

struct SymmetryLoops {
  /// Numbers of work space for so many slots.
  long (*memory)(int slots);
  /// Adds to values [functions]; sets derivatives [functions, 3, slots], dG/dr_ij, where dg is given. A slot belongs to the derivatives of
  /// the functions with its element only.
  void (*angular)(const SymmetryLists& lists, const SymmetrySlots& in, double* values, double* derivatives, double* memory);
  /// v[i] becomes exp(v[i]).
  void (*exponentials)(double* v, int count);
};

inline constexpr int widest_pack = 8;

const SymmetryLoops& symmetry_loops();

}  // namespace gapkit
