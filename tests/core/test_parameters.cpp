#include <cmath>
#include <cstring>
#include <gapkit/core/parameters.hpp>
#include <random>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
std::vector<ParameterInfo> example_infos() {
  using Type = ParameterInfo::Type;
  return {
      {.name = "cutoff", .type = Type::real, .unit = "Å", .description = "radius", .smallest = 0, .excludes_smallest = true},
      {.name = "n_max",
       .type = Type::integer,
       .description = "radial functions",
       .default_value = std::int64_t{8},
       .smallest = 1,
       .largest = 20},
      {.name = "normalise", .type = Type::boolean, .description = "unit length", .default_value = true},
      {.name = "basis", .type = Type::text, .description = "radial basis", .default_value = "gaussian"},
      {.name = "length_scale",
       .type = Type::reals,
       .description = "per dimension",
       .default_value = 1.0,
       .smallest = 0,
       .excludes_smallest = true},
  };
}

std::string complaint(const Parameters& given, const std::string& where = "silicon.toml:14: [[term]]") {
  return message_of<InputError>([&] { complete_parameters(given, example_infos(), where); });
}

}  // namespace

TEST_CASE("parameters: getters convert as documented") {
  const Parameters p = {{"b", true}, {"i", 3}, {"r", 2.5}, {"t", "text"}, {"l", std::vector<double>{1, 2}}};
  CHECK(p.boolean("b"));
  CHECK(p.integer("i") == 3);
  CHECK(p.real("r") == 2.5);
  CHECK(p.real("i") == 3.0);
  CHECK(p.text("t") == "text");
  CHECK(p.reals("l") == std::vector<double>{1, 2});
  CHECK(p.reals("r") == std::vector<double>{2.5});
  CHECK(p.reals("i") == std::vector<double>{3});
  CHECK_FALSE(p.has("x"));
}

TEST_CASE("parameters: getters refuse missing names and other types") {
  const Parameters p = {{"cutoff", 5.0}, {"text", "5"}};
  CHECK(message_of<InputError>([&] { p.real("cutof"); }) == "parameter 'cutof' is missing; did you mean 'cutoff'?");
  CHECK(message_of<InputError>([&] { p.integer("cutoff"); }) == "parameter 'cutoff' is the number 5, expected an integer");
  CHECK(message_of<InputError>([&] { p.real("text"); }) == "parameter 'text' is the text '5', expected a number");
  CHECK_THROWS_AS(p.boolean("cutoff"), InputError);
  CHECK_THROWS_AS(p.text("cutoff"), InputError);
  CHECK_THROWS_AS(p.reals("text"), InputError);
}

TEST_CASE("parameters: completion fills defaults and converts numbers") {
  const Parameters p = complete_parameters({{"cutoff", 5}}, example_infos(), "");
  CHECK(p.values().size() == 5);
  CHECK(std::get<double>(p.values().at("cutoff")) == 5.0);
  CHECK(p.integer("n_max") == 8);
  CHECK(p.boolean("normalise"));
  CHECK(p.text("basis") == "gaussian");
  CHECK(std::get<std::vector<double>>(p.values().at("length_scale")) == std::vector<double>{1});
  const Parameters again = complete_parameters(p, example_infos(), "");
  CHECK(again.values() == p.values());
}

TEST_CASE("parameters: messages of completion have place, found and expected") {
  CHECK(complaint({}) == "silicon.toml:14: [[term]]: 'cutoff' is missing, expected a number in Å (radius)");
  CHECK(complaint({{"cutof", 5.0}}) == "silicon.toml:14: [[term]]: unknown key 'cutof'; did you mean 'cutoff'?");
  CHECK(complaint({{"cutof", 5.0}}, "") == "unknown key 'cutof'; did you mean 'cutoff'?");
  CHECK(complaint({{"cutof", 5.0}}, "a.toml:1:") == "a.toml:1: unknown key 'cutof'; did you mean 'cutoff'?");
  CHECK(complaint({{"cutoff", "5"}}) == "silicon.toml:14: [[term]]: 'cutoff' is the text '5', expected a number");
  CHECK(complaint({{"cutoff", 0.0}}) == "silicon.toml:14: [[term]]: 'cutoff' is 0, expected more than 0 Å");
  CHECK(complaint({{"cutoff", 5.0}, {"n_max", 21}}) == "silicon.toml:14: [[term]]: 'n_max' is 21, expected at least 1 and at most 20");
  CHECK(complaint({{"cutoff", 5.0}, {"n_max", 20}}) == "");
  CHECK(complaint({{"cutoff", 5.0}, {"n_max", 0}}) != "");
  CHECK(complaint({{"cutoff", 5.0}, {"n_max", 8.0}}) == "silicon.toml:14: [[term]]: 'n_max' is the number 8, expected an integer");
  CHECK(complaint({{"cutoff", 5.0}, {"normalise", 1}}) != "");
  CHECK(complaint({{"cutoff", 5.0}, {"length_scale", std::vector<double>{1, -1}}}) != "");
  CHECK(complaint({{"cutoff", 5.0}, {"length_scale", std::vector<double>{}}}) != "");
  for (const double bad : {not_a_number, infinity, -infinity}) {
    CHECK(complaint({{"cutoff", bad}}) != "");
    CHECK(complaint({{"cutoff", 5.0}, {"length_scale", std::vector<double>{1, bad}}}) != "");
  }
}

TEST_CASE("parameters: JSON gives back the same types and the same bits") {
  std::mt19937_64 random(5);
  Parameters p = {
      {"yes", true},
      {"no", false},
      {"int", std::numeric_limits<std::int64_t>::min()},
      {"large", std::numeric_limits<std::int64_t>::max()},
      {"whole", 5.0},
      {"minus_zero", -0.0},
      {"text", "Å \"quoted\"\n"},
      {"list", std::vector<double>{1, 0.1, 1e-300, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}},
      {"empty", std::vector<double>{}}};
  std::vector<double> many;
  while (many.size() < 1000) {
    double number = 0;
    const std::uint64_t bits = random();
    std::memcpy(&number, &bits, sizeof number);
    if (std::isfinite(number)) many.push_back(number);
  }
  p.set("many", many);
  const std::string text = parameters_to_json(p);
  const Parameters back = parameters_from_json(text);
  CHECK(back.values() == p.values());
  CHECK(std::signbit(back.real("minus_zero")));
  CHECK(parameters_to_json(back) == text);
  CHECK(parameters_to_json({{"b", 1}, {"a", 2.0}}) == R"({"a":2.0,"b":1})");
  CHECK(parameters_from_json("{}").values().empty());
  CHECK(parameters_from_json(R"({"list":[1, 2.5]})").reals("list") == std::vector<double>{1, 2.5});
}

TEST_CASE("parameters: JSON that cannot be trusted is refused") {
  for (const char* text : {"", "{", "[1]", "3", R"({"a":null})", R"({"a":{}})", R"({"a":["x"]})", R"({"a":[[1]]})", R"({"a":1e999})",
                           R"({"a":9223372036854775808})", R"({"a":NaN})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parameters_from_json(text), InputError);
  }
  for (const double bad : {not_a_number, infinity}) {
    CHECK_THROWS_AS(parameters_to_json({{"a", bad}}), InputError);
    CHECK_THROWS_AS(parameters_to_json({{"a", std::vector<double>{1, bad}}}), InputError);
  }
  CHECK_THROWS_AS(parameters_to_json({{"a", "\xff"}}), InputError);
}
