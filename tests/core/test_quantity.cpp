#include <gapkit/core/errors.hpp>
#include <gapkit/core/quantity.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("quantities: durations and sizes with their units") {
  const auto seconds = [](const char* text) { return parse_quantity(text, QuantityKind::duration, "--time"); };
  check_close(seconds("90"), 90, 0);
  check_close(seconds("1.5m"), 90, 1e-12);
  check_close(seconds("2h"), 7200, 0);
  check_close(seconds("1e3s"), 1000, 0);
  const auto gb = [](const char* text) { return parse_quantity(text, QuantityKind::memory, "--memory"); };
  check_close(gb("4"), 4, 0);
  check_close(gb("0.5GB"), 0.5, 0);
  check_close(gb("500MB"), 0.5, 1e-15);
  check_close(gb("2TB"), 2000, 0);
  check_close(parse_quantity("0", QuantityKind::interval, "--checkpoint-interval"), 0, 0);
}

TEST_CASE("quantities: zero, negative numbers, NaN, infinities and other texts are refused in a short sentence") {
  for (const QuantityKind kind : {QuantityKind::duration, QuantityKind::interval, QuantityKind::memory})
    for (const char* text : {"",       "soon",    "10 m", "-3", "nan",  "NAN", "inf", "-inf", "infinity", "1e400",
                             "1e308h", "1e308TB", "1e12", "5d", "4 GB", "m",   "1,5", "0x10", "--",       "1e-400"}) {
      CAPTURE(text);
      const std::string message = message_of<InputError>([&] { parse_quantity(text, kind, "--option"); });
      CHECK(message.starts_with(std::string("--option '") + text + "': expected "));
      CHECK(message.size() < 200);
    }
  for (const QuantityKind kind : {QuantityKind::duration, QuantityKind::memory})
    for (const char* text : {"0", "0s", "-0", "0GB"}) {
      CAPTURE(text);
      CHECK(message_of<InputError>([&] { parse_quantity(text, kind, "--option"); }).starts_with("--option '"));
    }
}
