#pragma once

// Exponential functions of many numbers, in loops that the compiler turns into packs. Files that are compiled for several instruction sets
// include this, so everything has internal linkage. They must be compiled without reassociation: the reduction of the argument relies on
// the order of its operations.

namespace gapkit {
namespace {

// e^v = 2^k e^r with k = round(v / ln 2), |r| ≤ ½ ln 2; e^r by its Taylor series, whose remainder after r¹³ is below 2e-17.
[[maybe_unused]] void exponentials(double* __restrict v, int count) {
  constexpr double smallest = -708, largest = 709;  // 2^k stays a normal number
  constexpr double log2_e = 1.4426950408889634074;
  constexpr double ln2_high = 6.93147180369123816490e-01;  // 32 bits, so that k · ln2_high is exact
  constexpr double ln2_low = 1.90821492927058770002e-10;
  constexpr double shift = 4503599627370496.0 + 1023;  // 2⁵² + bias: the last bits of k + shift are the exponent field of 2^k
  constexpr double c2 = 1.0 / 2, c3 = c2 / 3, c4 = c3 / 4, c5 = c4 / 5, c6 = c5 / 6, c7 = c6 / 7, c8 = c7 / 8, c9 = c8 / 9, c10 = c9 / 10,
                   c11 = c10 / 11, c12 = c11 / 12, c13 = c12 / 13;
  for (int m = 0; m < count; ++m) {
    double x = v[m];
    x = x < smallest ? smallest : x;
    x = x > largest ? largest : x;
    const double k = __builtin_rint(x * log2_e);
    const double r = (x - k * ln2_high) - k * ln2_low;
    double sum = c13;
    sum = sum * r + c12;
    sum = sum * r + c11;
    sum = sum * r + c10;
    sum = sum * r + c9;
    sum = sum * r + c8;
    sum = sum * r + c7;
    sum = sum * r + c6;
    sum = sum * r + c5;
    sum = sum * r + c4;
    sum = sum * r + c3;
    sum = sum * r + c2;
    sum = sum * r + 1;
    sum = sum * r + 1;
    const double shifted = k + shift;
    unsigned long long bits;
    __builtin_memcpy(&bits, &shifted, sizeof bits);
    bits <<= 52;
    double power;
    __builtin_memcpy(&power, &bits, sizeof power);
    v[m] = sum * power;
  }
}

}  // namespace
}  // namespace gapkit
