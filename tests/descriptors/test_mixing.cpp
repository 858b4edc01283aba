#include "descriptors/soap_mixing.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("the weights of mixed channels are those of the first version: models keep the seed, not the weights") {
  const double expected[] = {0.27826706967386594, 0.62853581264204006,    0.72629895371088771,
                             0.93569425345712065, -0.0066365257510102157, -0.35274951534095389};  // gapkit 0.1.0, seed 7
  const Matrix mixing = random_mixing(2, 3, 7);
  REQUIRE(mixing.size() == 6);
  for (int i = 0; i < 6; ++i) check_close(mixing.data()[i], expected[i], 1e-14);
}
