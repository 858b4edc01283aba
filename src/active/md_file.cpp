#include <fmt/format.h>

#include <bit>
#include <gapkit/active/molecular_dynamics.hpp>
#include <gapkit/io/archive.hpp>

namespace gapkit {
namespace {

constexpr const char* format = "gapkit-trajectories";
constexpr int format_version = 1;

std::int64_t as_integer(std::uint64_t x) {
  return std::bit_cast<std::int64_t>(x);
}

std::uint64_t as_unsigned(std::int64_t x) {
  return std::bit_cast<std::uint64_t>(x);
}

std::span<const double> numbers(const Positions& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}

Positions positions(const std::vector<double>& x) {
  return Eigen::Map<const Positions>(x.data(), static_cast<Eigen::Index>(x.size()) / 3, 3);
}

/// Numbers of the frame, such as its total charge.
void put_fields(ArchiveWriter& archive, const std::string& at, const Structure& structure) {
  std::vector<std::string> names;
  std::vector<double> values;
  for (const Field& field : structure.fields) {
    const auto* real = std::get_if<double>(&field.value);
    const auto* integer = std::get_if<std::int64_t>(&field.value);
    if (!real && !integer) continue;
    names.push_back(field.key);
    values.push_back(real ? *real : static_cast<double>(*integer));
  }
  archive.put(at + "field_names", names);
  archive.put(at + "field_values", values);
}

void put_state(ArchiveWriter& archive, const std::string& at, const MdState& state) {
  const Structure& s = state.structure;
  const std::vector<std::int64_t> elements(s.atomic_numbers.begin(), s.atomic_numbers.end());
  archive.put(at + "atomic_numbers", std::span<const std::int64_t>(elements));
  const std::vector<std::int64_t> pbc(s.pbc.begin(), s.pbc.end());
  archive.put(at + "pbc", std::span<const std::int64_t>(pbc));
  if (s.cell) archive.put(at + "cell", MatrixView(*s.cell));
  archive.put(at + "positions", numbers(s.positions));
  archive.put(at + "velocities", numbers(state.velocities));
  archive.put(at + "config_type", s.config_type);
  put_fields(archive, at, s);
  archive.put(at + "step", state.step);
  archive.put(at + "time", state.time);
  const std::vector<std::int64_t> random = {as_integer(state.random.seed), as_integer(state.random.stream), as_integer(state.random.drawn)};
  archive.put(at + "random", std::span<const std::int64_t>(random));
  if (!state.evaluation) return;
  archive.put(at + "energy", state.evaluation->energy);
  archive.put(at + "forces", numbers(state.evaluation->forces));
  archive.put(at + "virial", MatrixView(state.evaluation->virial));
}

MdState get_state(const ArchiveReader& archive, const std::string& at) {
  MdState state;
  Structure& s = state.structure;
  const std::vector<std::int64_t> elements = archive.integers(at + "atomic_numbers");
  s.atomic_numbers.assign(elements.begin(), elements.end());
  const auto coordinates = static_cast<Eigen::Index>(3 * elements.size());
  const std::vector<std::int64_t> pbc = archive.integers(at + "pbc", 3);
  for (std::size_t k = 0; k < 3; ++k) s.pbc[k] = pbc[k] != 0;
  if (archive.has(at + "cell")) s.cell = Matrix3(archive.matrix(at + "cell", 3, 3));
  s.positions = positions(archive.doubles(at + "positions", coordinates));
  state.velocities = positions(archive.doubles(at + "velocities", coordinates));
  s.config_type = archive.string(at + "config_type");
  if (archive.has(at + "field_names")) {
    const std::vector<std::string> names = archive.strings(at + "field_names");
    const std::vector<double> values = archive.doubles(at + "field_values", static_cast<Eigen::Index>(names.size()));
    for (std::size_t k = 0; k < names.size(); ++k) s.set_field(names[k], values[k]);
  }
  state.step = archive.integer(at + "step");
  state.time = archive.number(at + "time");
  const std::vector<std::int64_t> random = archive.integers(at + "random", 3);
  state.random = {as_unsigned(random[0]), as_unsigned(random[1]), as_unsigned(random[2])};
  if (archive.has(at + "energy"))
    state.evaluation = Evaluation{archive.number(at + "energy"), positions(archive.doubles(at + "forces", coordinates)),
                                  Matrix3(archive.matrix(at + "virial", 3, 3))};
  return state;
}

}  // namespace

void save_states(const std::vector<MdState>& states, const std::filesystem::path& path) {
  ArchiveWriter archive(path, format, format_version);
  archive.put("count", static_cast<std::int64_t>(states.size()));
  for (std::size_t k = 0; k < states.size(); ++k) put_state(archive, fmt::format("trajectories/{}/", k), states[k]);
  archive.commit();
}

std::vector<MdState> load_states(const std::filesystem::path& path) {
  const ArchiveReader archive(path, format, format_version);
  std::vector<MdState> states;
  const std::int64_t count = archive.integer("count");
  for (std::int64_t k = 0; k < count; ++k) states.push_back(get_state(archive, fmt::format("trajectories/{}/", k)));
  return states;
}

}  // namespace gapkit
