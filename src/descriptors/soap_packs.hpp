#pragma once

// Expansion of the density and its derivative on plain arrays, in packs of neighbours, in double or single precision; power spectrum.
// Compiled once for each instruction set (soap_loops_*.cpp), with packs as wide as its registers. SoapLoops has the version for this
// processor.

namespace gapkit {

/// The numbers of a descriptor that the loops need. K channels. A radial function that is zero for all distances has no column in the
/// tables, whose columns are l = 0 with n_max functions, then l = 1, 2, … with n_higher each.
template <class Real>
struct SoapShape {
  int l_max, channels;
  int n_max;             ///< channels of one species
  int n_higher;          ///< the first ones, which have l ≥ 1: n_max, or one less in the short form
  int columns;           ///< of the tables
  int row;               ///< distance between the rows of a table: at least `columns`, and the last pack of a row can be read
  const Real* beta;      ///< [l(l+1)/2 + m] of the recurrence q_l = z q_(l−1) − β q_(l−2)
  const double* factor;  ///< [lm]: Y_lm = factor · q_l^|m|(z) · {Re, Im} (x + iy)^|m|
};

/// Up to `SoapPacks::block` neighbours of one species. The other slots of the last pack have no weight; those beyond it are not read.
struct SoapBlock {
  int offset;  ///< first channel of the species
  int count;
};

/// Distances of some neighbours, and their places in the radial table.
struct SoapCutoff {
  double cutoff, width;  ///< Å
  double per_spacing;    ///< 1/Å, of the knots
  int last_knot;         ///< of the left ends of intervals
  double origin;         ///< where `place` is 0 between two knots, 0 … 1
};

/// Neighbours of one centre: arrays [block][slot], each a whole number of blocks.
template <class Real>
struct SoapNeighbors {
  const SoapBlock* blocks;
  int block_count;
  const Real *x, *y, *z;  ///< unit vectors
  const Real* inverse_r;  ///< 1/Å; 0 for atoms at one place
  const Real* place;      ///< between the knots, from SoapCutoff::origin; the distance of two knots is 1
  const Real* value;      ///< cutoff function f_c; 0 in empty slots
  const Real* slope;      ///< f_c', 1/Å
  /// The table's first of six rows: double precision: g, h g', h² g'' of the left knot, then of the right one; single precision: the
  /// polynomial's coefficients. Read up to a pack beyond the end.
  const Real* const* rows;
  Real per_spacing;  ///< 1/Å
};

template <class Real>
struct SoapPacks {
  int block;  ///< slots of a block: whole packs
  int pack;   ///< slots of a pack

  /// Numbers of scratch memory that expand() and pull() need.
  int (*scratch)(const SoapShape<Real>&);

  /// f_c, its derivative and the place between the knots of `size` distances, for SoapNeighbors; knot: index of the left knot.
  void (*place)(const SoapCutoff&, int size, const double* r, Real* place, Real* value, Real* slope, int* knot);

  /// c[lm][K] = Σ over the neighbours of R_nl(r) Y_lm(r̂); `c` has room for seven numbers beyond its end.
  void (*expand)(const SoapShape<Real>&, const SoapNeighbors<Real>&, double* c, Real* scratch);

  /// dE/dr of each slot from dE/dc [lm][K]: out[3][block_count · block].
  void (*pull)(const SoapShape<Real>&, const SoapNeighbors<Real>&, const double* dE_dc, double* out, Real* scratch);
};

/// The features of some pairs of channels a, b ≤ a: [pair][l] for l = first_l … first_l + terms − 1. Runs of pairs of one a with
/// consecutive b stand at `from` = a · spectrum_stride(K) + b in a matrix of all pairs, and are the pairs `to`, `to` + 1, …
struct SpectrumGroup {
  int first_l, terms, pairs, runs;
  const int *from, *to, *length;
};

/// The power spectrum of one environment from its coefficients c[lm][K], whose memory is read up to seven numbers beyond their end.
struct SoapSpectrum {
  int l_max, channels, count;  ///< count: features
  SpectrumGroup zero;          ///< l = 0 of all pairs where it stands apart, else no pairs
  SpectrumGroup higher;        ///< the features behind it
  const double* weight;        ///< of each feature: √2 for two different channels, else 1
};

/// Distance between the rows of a matrix of all pairs of channels: whole packs for every instruction set.
constexpr int spectrum_stride(int channels) {
  return (channels + 7) / 8 * 8;
}

/// Normalised features of one environment, and the derivative of an energy by them.
struct SpectrumGradient {
  const double* x;
  double inverse_norm;
  const double* dE_dx;
};

struct SpectrumLoops {
  /// Numbers of scratch memory that the other functions need.
  int (*scratch)(const SoapSpectrum&);

  /// x = p / |p| with p(a, b ≤ a, l) = w Σ_m c_alm c_blm, w = 1/√(2l+1), times √2 if a ≠ b. Returns 1 / |p|; zeros if |p| = 0 (no
  /// neighbours and central_weight = 0).
  double (*power_spectrum)(const SoapSpectrum&, const double* c, double* x, double* scratch);

  /// dE/dc: gradient [lm][K] and seven numbers more.
  void (*coefficient_gradient)(const SoapSpectrum&, const double* c, const SpectrumGradient&, double* gradient, double* scratch);
};

}  // namespace gapkit
