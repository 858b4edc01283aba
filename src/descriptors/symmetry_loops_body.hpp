// Included by symmetry_loops_*.cpp, each compiled for its own instruction set, without reassociation; no headers with inline functions
// here.
//
// A pack holds several neighbours j; the loops run over k. So the sums over k of a function need no sum across a pack, and the derivative
// by r_ij comes from four of them (methods.md, section 2):
//     s = Σ_k a g(r_ik),  v = Σ_k a' g(r_ik) û_k:      G = Σ_j g(r_ij) s / 2,   dG/dr_ij = g' s û_j + g (v − (v·û_j) û_j) / r_ij

#include <gapkit/math/exponentials.hpp>
#include <gapkit/math/lanes.hpp>

#include "descriptors/symmetry_loops.hpp"

namespace gapkit {
namespace {

using lanes::Pack;
using lanes::store;
constexpr int W = lanes::width;
constexpr int members_at_once = W == 8 ? 4 : 2;  // as many as the registers hold the sums of

#define GAPKIT_SYMMETRY_INLINE inline __attribute__((always_inline))

long memory(int slots) {
  return 3L * W * slots;
}

// What the members of a group share for one pack of neighbours j.
struct JPack {
  int j, first_k, count_k;
  Pack x, y, z, r, inverse_r;
  const double *cosine, *a, *slope;  // [count_k] packs
};

GAPKIT_SYMMETRY_INLINE double sum_of(const Pack& pack) {
  double sum = 0;
  for (int l = 0; l < W; ++l) sum += pack[l];
  return sum;
}

// a and its slope for all k.
void fill_angular(const SymmetryGroup& group, const JPack& at, double* a, double* slope) {
  const double lambda = group.lambda, scale = group.scale, slope_scale = group.lambda * group.zeta;
  for (int k = 0; k < at.count_k; ++k) {
    const Pack c = GAPKIT_LOAD(at.cosine + k * W);
    Pack t = 1.0 + lambda * c;
    for (int l = 0; l < W; ++l) t[l] = t[l] < 0 ? 0 : t[l];  // of collinear atoms it may be −1e-16
    Pack power = Pack{} + scale;
    if (group.power >= 0) {
      Pack base = t;
      for (int n = group.power; n > 0; n >>= 1) {
        if (n & 1) power *= base;
        base *= base;
      }
    } else {
      for (int l = 0; l < W; ++l) power[l] *= __builtin_pow(t[l], group.zeta - 1);
    }
    store(a + k * W, power * t);
    store(slope + k * W, slope_scale * power);
  }
  // An atom makes no triplet with itself.
  for (int l = 0; l < W; ++l) {
    const int k = at.j + l - at.first_k;
    if (k >= 0 && k < at.count_k) a[k * W + l] = slope[k * W + l] = 0;
  }
}

// The derivative by r_ij: `along` û_j + g v / r_ij.
GAPKIT_SYMMETRY_INLINE void put_derivative(const SymmetrySlots& in, const JPack& at, int function, const Pack& along, const Pack& scale,
                                           const Pack* v, double* derivatives) {
  double* to = derivatives + 3L * function * in.slots + at.j;
  store(to, along * at.x + scale * v[0]);
  store(to + in.slots, along * at.y + scale * v[1]);
  store(to + 2L * in.slots, along * at.z + scale * v[2]);
}

// `Count` members without a side.
template <int Count, bool Derive>
GAPKIT_SYMMETRY_INLINE void add_members(const SymmetryLists& lists, const SymmetryPart& part, const SymmetrySlots& in, const JPack& at,
                                        const SymmetryMember* member, double* const results[2]) {
  Pack s[Count], v[Count][3];
  const double* row[Count];
  const long stride = 4L * lists.factors;
  for (int m = 0; m < Count; ++m) {
    s[m] = v[m][0] = v[m][1] = v[m][2] = Pack{};
    row[m] = in.rows + at.first_k * stride + 4L * member[m].factor;
  }
  for (int k = 0; k < at.count_k; ++k) {
    const Pack a = GAPKIT_LOAD(at.a + k * W), slope = GAPKIT_LOAD(at.slope + k * W);
#pragma GCC unroll 8
    for (int m = 0; m < Count; ++m) {
      const double* h = row[m] + k * stride;
      s[m] += a * h[0];
      if constexpr (Derive) {
        v[m][0] += slope * h[1];
        v[m][1] += slope * h[2];
        v[m][2] += slope * h[3];
      }
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < Count; ++m) {
    const Pack g = GAPKIT_LOAD(in.g + static_cast<long>(member[m].factor) * in.slots + at.j);
    if (part.counts) results[0][member[m].function] += part.share * sum_of(g * s[m]);
    if constexpr (Derive) {
      const Pack dg = GAPKIT_LOAD(in.dg + static_cast<long>(member[m].factor) * in.slots + at.j);
      const Pack scale = g * at.inverse_r, inward = v[m][0] * at.x + v[m][1] * at.y + v[m][2] * at.z;
      put_derivative(in, at, member[m].function, dg * s[m] - scale * inward, scale, v[m], results[1]);
    }
  }
}

// One member with a side r_jk.
template <bool Derive>
void add_sided(const SymmetryLists& lists, const SymmetryPart& part, const SymmetrySlots& in, const JPack& at, const SymmetryMember& member,
               double* const results[2]) {
  const long stride = 4L * lists.factors, table = static_cast<long>(member.side) * in.slots * in.slots;
  Pack s{}, w{}, v[3] = {Pack{}, Pack{}, Pack{}};
  for (int k = 0; k < at.count_k; ++k) {
    const int slot = at.first_k + k;
    const double* h = in.rows + slot * stride + 4L * member.factor;
    const Pack a = GAPKIT_LOAD(at.a + k * W), side = GAPKIT_LOAD(in.side + table + static_cast<long>(slot) * in.slots + at.j);
    s += a * side * h[0];
    if constexpr (Derive) {
      const Pack turn = GAPKIT_LOAD(at.slope + k * W) * side * at.inverse_r;
      const Pack pull = a * GAPKIT_LOAD(in.dside + table + static_cast<long>(slot) * in.slots + at.j);
      const Pack along_k = turn - pull * in.r[slot];
      w += h[0] * (pull * at.r - turn * GAPKIT_LOAD(at.cosine + k * W));
      for (int d = 0; d < 3; ++d) v[d] += along_k * h[1 + d];
    }
  }
  const Pack g = GAPKIT_LOAD(in.g + static_cast<long>(member.factor) * in.slots + at.j);
  if (part.counts) results[0][member.function] += part.share * sum_of(g * s);
  if constexpr (Derive) {
    const Pack dg = GAPKIT_LOAD(in.dg + static_cast<long>(member.factor) * in.slots + at.j);
    put_derivative(in, at, member.function, dg * s + g * w, g, v, results[1]);
  }
}

template <bool Derive>
void add_group(const SymmetryLists& lists, const SymmetryPart& part, const SymmetrySlots& in, const JPack& at, const SymmetryGroup& group,
               double* const results[2]) {
  int m = group.first_member;
  const auto is_plain = [&](int last) { return last <= group.last_member && lists.members[last - 1].side < 0; };
  for (; is_plain(m + members_at_once); m += members_at_once)
    add_members<members_at_once, Derive>(lists, part, in, at, lists.members + m, results);
  if constexpr (members_at_once > 2)
    for (; is_plain(m + 2); m += 2) add_members<2, Derive>(lists, part, in, at, lists.members + m, results);
  for (; is_plain(m + 1); ++m) add_members<1, Derive>(lists, part, in, at, lists.members + m, results);
  for (; m < group.last_member; ++m) add_sided<Derive>(lists, part, in, at, lists.members[m], results);
}

template <bool Derive>
void add_parts(const SymmetryLists& lists, const SymmetrySlots& in, double* const results[2], double* memory) {
  double *cosine = memory, *a = memory + static_cast<long>(W) * in.slots, *slope = a + static_cast<long>(W) * in.slots;
  for (int p = 0; p < lists.part_count; ++p) {
    const SymmetryPart& part = lists.parts[p];
    if (!Derive && !part.counts) continue;
    const int first_j = in.first[part.range_j], end_j = first_j + in.count[part.range_j];
    JPack at;
    at.first_k = in.first[part.range_k];
    at.count_k = in.count[part.range_k];
    at.cosine = cosine;
    at.a = a;
    at.slope = slope;
    for (at.j = first_j; at.j < end_j; at.j += W) {
      at.x = GAPKIT_LOAD(in.unit + at.j);
      at.y = GAPKIT_LOAD(in.unit + in.slots + at.j);
      at.z = GAPKIT_LOAD(in.unit + 2L * in.slots + at.j);
      at.r = GAPKIT_LOAD(in.r + at.j);
      at.inverse_r = GAPKIT_LOAD(in.inverse_r + at.j);
      for (int k = 0; k < at.count_k; ++k) {
        const double* u = in.unit + at.first_k + k;
        store(cosine + k * W, at.x * u[0] + at.y * u[in.slots] + at.z * u[2L * in.slots]);
      }
      for (int n = part.first_group; n < part.last_group; ++n) {
        fill_angular(lists.groups[n], at, a, slope);
        add_group<Derive>(lists, part, in, at, lists.groups[n], results);
      }
    }
  }
}

void angular(const SymmetryLists& lists, const SymmetrySlots& in, double* values, double* derivatives, double* memory) {
  double* const results[2] = {values, derivatives};
  if (in.dg)
    add_parts<true>(lists, in, results, memory);
  else
    add_parts<false>(lists, in, results, memory);
}

}  // namespace

extern const SymmetryLoops GAPKIT_LOOPS;
const SymmetryLoops GAPKIT_LOOPS = {memory, angular, exponentials};

}  // namespace gapkit
