#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <limits>

#include "extxyz_complaints.hpp"
#include "extxyz_properties.hpp"
#include "extxyz_values.hpp"
#include "file_converter.hpp"
#include "line_reader.hpp"
#include "other_formats.hpp"

namespace gapkit {

using namespace extxyz;

namespace {

int word_count(std::string_view line) {
  int count = 0;
  while (!next_word(line).empty()) ++count;
  return count;
}

/// Reads the atom rows of a frame into the arrays of its columns. Throws InputError without a place.
class RowParser {
 public:
  RowParser(const PropertiesPlan& plan, std::int64_t atoms) : plan_(plan), atoms_(atoms), plain_rows_(plan.is_lammps) {
    // Room grows with the rows that are really there: the count alone is only a claim.
    const auto room = static_cast<std::size_t>(std::min<std::int64_t>(atoms, 4096));
    atomic_numbers_.reserve(room);
    positions_.reserve(3 * room);
    for (const auto& column : plan.columns) {
      if (column.role != ColumnRole::ordinary) continue;
      Column& added = columns_.emplace_back();
      added.name = column.name;
      added.count = column.count;
      switch (column.type) {
        case 'R':
          added.values = std::vector<double>();
          break;
        case 'I':
          added.values = std::vector<std::int64_t>();
          break;
        case 'L':
          added.values = std::vector<bool>();
          break;
        default:
          added.values = std::vector<std::string>();
          break;
      }
    }
  }

  void parse(std::string_view row, std::int64_t atom) {
    row_ = row;
    rest_ = row;
    atom_ = atom;
    auto ordinary = columns_.begin();
    for (const auto& column : plan_.columns) {
      column_ = &column;
      switch (column.role) {
        case ColumnRole::species:
          species_word_ = word(0);
          atomic_numbers_.push_back(species(species_word_));
          break;
        case ColumnRole::atomic_number:
          atomic_numbers_.push_back(atomic_number_from(integer(0)));
          break;
        case ColumnRole::position:
          for (int k = 0; k < 3; ++k) {
            const double value = real(k);
            if (!std::isfinite(value)) fail(fmt::format("value {} of 3 is {}, expected a finite position", k + 1, value));
            positions_.push_back(value);
          }
          break;
        case ColumnRole::ordinary:
          ordinary_column(*ordinary++);
          break;
      }
    }
    if (plan_.is_plain) {
      plain_rows_.add(species_word_, rest_);
      return;
    }
    if (!next_word(rest_).empty()) {
      check_for_next_frame();
      throw InputError(fmt::format("the row of atom {} has {} values, expected {} for Properties={}", atom_, word_count(row_),
                                   plan_.total_count, excerpt(plan_.text)));
    }
  }

  /// After the last row.
  std::optional<Complaint> complaint() const {
    if (plan_.is_plain) return plain_rows_.complaint();
    if (const std::optional<Complaint> found = contradicted_position(columns_, positions_)) return found;
    for (const auto& column : plan_.columns)
      if (column.role == ColumnRole::species || column.role == ColumnRole::atomic_number)
        return contradicted_element(columns_, atomic_numbers_, column.name);
    return std::nullopt;
  }

  /// True if numbers stand for the elements and their column does not say that they are atomic numbers.
  bool has_numeric_species() const {
    if (plan_.is_plain) return plain_rows_.are_all_numbers();
    return std::any_of(plan_.columns.begin(), plan_.columns.end(),
                       [](const PlannedColumn& c) { return c.role == ColumnRole::atomic_number && c.name == "species"; });
  }

  void move_into(Structure& structure) {
    const auto n = static_cast<Eigen::Index>(atomic_numbers_.size());
    structure.atomic_numbers = std::move(atomic_numbers_);
    structure.positions = Eigen::Map<const Positions>(positions_.data(), n, 3);
    structure.columns = std::move(columns_);
  }

 private:
  std::string label() const {
    return plan_.is_plain ? fmt::format("column '{}'", column_->name)
                          : fmt::format("column '{}:{}:{}'", column_->name, column_->type, column_->count);
  }

  [[noreturn]] void fail(const std::string& what) const {
    check_for_next_frame();
    throw InputError(fmt::format("{}, atom {}: {}", label(), atom_, what));
  }

  /// A lone integer where a row should be is the next frame's atom count: the rows are too few, whatever else seems wrong.
  void check_for_next_frame() const {
    std::string_view rest = row_;
    const std::string_view first = next_word(rest);
    std::int64_t number = 0;
    const bool lone_integer = parse_integer(first, number) == NumberStatus::good && next_word(rest).empty();
    if (plan_.total_count > 1 && lone_integer)
      throw InputError(fmt::format("expected {} atoms, found {} before a line that holds only '{}' (the next frame?)", atoms_, atom_ - 1,
                                   excerpt(first)));
    if (first.empty()) throw InputError(fmt::format("expected {} atoms, found {} before a blank line", atoms_, atom_ - 1));
  }

  std::string_view word(int k) {
    const std::string_view found = next_word(rest_);
    if (found.empty()) {
      check_for_next_frame();
      throw InputError(fmt::format("{} has {} value{} for atom {}, expected {}", label(), k, k == 1 ? "" : "s", atom_, column_->count));
    }
    return found;
  }

  /// Parses in place as far as the number goes; only what std::from_chars does not know takes the slower way.
  double real(int k) {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    double value = 0;
    const char* const end = rest_.data() + rest_.size();
    const auto result = std::from_chars(rest_.data(), end, value);
    if (result.ec == std::errc{} && (result.ptr == end || is_space(*result.ptr))) {
      rest_.remove_prefix(static_cast<std::size_t>(result.ptr - rest_.data()));
      return value;
    }
    const std::string_view text = word(k);
    check(parse_real(text, value), text, k, "a number");
    return value;
  }

  std::int64_t integer(int k) {
    const std::string_view text = word(k);
    std::int64_t value = 0;
    check(parse_integer(text, value), text, k, "an integer");
    return value;
  }

  bool logical(int k) {
    const std::string_view text = word(k);
    const auto value = text == "t" ? true : text == "f" ? false : parse_logical(text);
    if (!value) fail(fmt::format("value {} of {} is '{}', expected T or F", k + 1, column_->count, excerpt(text)));
    return *value;
  }

  void check(NumberStatus status, std::string_view text, int k, const char* expected) const {
    if (status == NumberStatus::good) return;
    fail(status == NumberStatus::malformed
             ? fmt::format("value {} of {} is '{}', expected {}", k + 1, column_->count, excerpt(text), expected)
             : fmt::format("value {} of {} is '{}', which is too large to be represented", k + 1, column_->count, excerpt(text)));
  }

  int species(std::string_view text) {
    for (const auto& [symbol, number] : known_species_)
      if (symbol == text) return number;
    int number = find_atomic_number(text);
    std::int64_t as_integer = 0;
    const bool is_number = number == 0 && plan_.is_plain && parse_integer(text, as_integer) == NumberStatus::good;
    // Types of LAMMPS may be anything; the frame is refused once all of them are known.
    if (is_number) number = plan_.is_lammps && as_integer > 0 ? 1 : atomic_number_from(as_integer);
    if (number == 0) {
      check_for_next_frame();
      if (parse_integer(text, as_integer) == NumberStatus::good)
        fail(fmt::format("'{}' is no element; write its symbol, or call the column Z:I:1 if it is an atomic number", excerpt(text)));
      try {
        (void)atomic_number(excerpt(text));
      } catch (const InputError& e) {
        fail(e.what());
      }
    }
    known_species_.emplace_back(text, number);
    return number;
  }

  int atomic_number_from(std::int64_t value) const {
    if (value < 1 || value > largest_atomic_number)
      fail(fmt::format("{} is no atomic number, expected 1 to {}", value, largest_atomic_number));
    return static_cast<int>(value);
  }

  void ordinary_column(Column& column) {
    switch (column_->type) {
      case 'R': {
        auto& values = std::get<std::vector<double>>(column.values);
        for (int k = 0; k < column.count; ++k) values.push_back(real(k));
        break;
      }
      case 'I': {
        auto& values = std::get<std::vector<std::int64_t>>(column.values);
        for (int k = 0; k < column.count; ++k) values.push_back(integer(k));
        break;
      }
      case 'L': {
        auto& values = std::get<std::vector<bool>>(column.values);
        for (int k = 0; k < column.count; ++k) values.push_back(logical(k));
        break;
      }
      default: {
        auto& values = std::get<std::vector<std::string>>(column.values);
        for (int k = 0; k < column.count; ++k) values.emplace_back(word(k));
      }
    }
  }

  const PropertiesPlan& plan_;
  std::int64_t atoms_;
  std::vector<int> atomic_numbers_;
  std::vector<double> positions_;
  std::vector<Column> columns_;
  std::vector<std::pair<std::string, int>> known_species_;  // a handful per frame: quicker than the periodic table

  PlainRows plain_rows_;

  std::string_view row_, rest_, species_word_;
  std::int64_t atom_ = 0;
  const PlannedColumn* column_ = nullptr;
};

std::int64_t parse_atom_count(std::string_view line, int frame) {
  std::string_view rest = line;
  const std::string_view word = next_word(rest);
  std::int64_t count = 0;
  const NumberStatus status = parse_integer(word, count);
  if (status == NumberStatus::malformed || !next_word(rest).empty())
    throw InputError(fmt::format("expected the number of atoms, found '{}'{}", excerpt(line),
                                 frame > 1 ? "; has the frame before more rows than its number of atoms says?" : ""));
  if (status == NumberStatus::good && count < 1) throw InputError(fmt::format("the number of atoms is {}, expected at least 1", count));
  if (status == NumberStatus::out_of_range || count > std::numeric_limits<int>::max() / 3)
    throw InputError(fmt::format("the number of atoms is {}, expected at most {}", excerpt(word), std::numeric_limits<int>::max() / 3));
  return count;
}

}  // namespace

struct ExtxyzReader::State {
  explicit State(const std::filesystem::path& file) : State(file, readable_file(file)) {}
  State(const std::filesystem::path& file, const std::filesystem::path& readable)
      : path(file), lines(file, readable), is_converted(readable != file) {}

  std::string where() const {
    if (lines.line_number() == 0) return lines.path();
    if (is_converted) return fmt::format("{} (frame {})", lines.path(), frames + 1);
    return fmt::format("{}:{} (frame {})", lines.path(), line_to_blame > 0 ? line_to_blame : lines.line_number(), frames + 1);
  }

  bool find_atom_count(std::string_view& line) {
    while (lines.next(line))
      if (line.find_first_not_of(" \t") != std::string_view::npos) return true;
    return false;
  }

  /// After the last frame.
  void check_species() {
    if (has_symbols) return;
    const std::optional<std::string> complaint = numeric_species.complaint();
    if (complaint) failure = *complaint;
  }

  std::optional<Structure> next() {
    try {
      std::string_view line;
      if (frames == 0 && other.empty() && !is_converted) other = other_format(path, lines.beginning()).sentence;
      if (!find_atom_count(line)) {
        if (frames == 0) throw InputError("the file holds no frame, expected extended XYZ");
        check_species();
        return std::nullopt;
      }
      Structure structure;
      structure.source = where();
      const std::int64_t atoms = parse_atom_count(line, frames + 1);
      if (!lines.next(line))
        throw InputError(fmt::format("the file ends inside the frame: expected a comment line and {} atoms, found neither", atoms));
      const PropertiesPlan plan = read_comment(line, structure);
      RowParser rows(plan, atoms);
      for (std::int64_t atom = 1; atom <= atoms; ++atom) {
        if (!lines.next(line))
          throw InputError(fmt::format("the file ends inside the frame: expected {} atoms, found {}", atoms, atom - 1));
        rows.parse(line, atom);
      }
      if (const std::optional<Complaint> complaint = rows.complaint()) {
        line_to_blame = lines.line_number() - static_cast<long>(atoms - complaint->atom);
        throw InputError(complaint->text);
      }
      rows.move_into(structure);
      if (rows.has_numeric_species())
        numeric_species.add(structure.atomic_numbers, structure.source);
      else
        has_symbols = true;
      ++frames;
      return structure;
    } catch (const InputError& e) {
      if (frames == 0 && !other.empty()) throw InputError(lines.path() + ": " + other);
      throw InputError(where() + ": " + e.what());
    }
  }

  std::filesystem::path path;
  LineReader lines;
  bool is_converted;  // lines are not those of the file
  std::string other;  // what the file is, should it be no extended XYZ
  int frames = 0;
  NumericSpecies numeric_species;
  bool has_symbols = false;  // in a frame before
  long line_to_blame = 0;    // 0: the last one read
  std::string failure;       // a reader that has lost its place in the file stays lost
};

ExtxyzReader::ExtxyzReader(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
ExtxyzReader::~ExtxyzReader() = default;
ExtxyzReader::ExtxyzReader(ExtxyzReader&&) noexcept = default;

std::optional<Structure> ExtxyzReader::next() {
  if (!state_->failure.empty()) throw InputError(state_->failure);
  try {
    std::optional<Structure> frame = state_->next();
    if (!state_->failure.empty()) throw InputError(state_->failure);
    return frame;
  } catch (const InputError& e) {
    state_->failure = e.what();
    throw;
  }
}

int ExtxyzReader::frame_count() const {
  return state_->frames;
}

ExtxyzReader::Position ExtxyzReader::position() const {
  return {state_->lines.offset(), state_->lines.line_number(), state_->frames};
}

void ExtxyzReader::go_to(const Position& position) {
  state_->failure.clear();
  state_->line_to_blame = 0;
  if (position.offset == state_->lines.offset() && position.frames == state_->frames) return;
  try {
    state_->lines.go_to(position.offset, position.line);
  } catch (const InputError& e) {
    throw InputError(state_->lines.path() + ": " + e.what());
  }
  state_->frames = position.frames;
  state_->has_symbols = true;  // a reader that skips frames cannot judge the species of the whole file
}

std::vector<Structure> read_extxyz(const std::filesystem::path& path) {
  ExtxyzReader reader(path);
  std::vector<Structure> frames;
  while (auto frame = reader.next()) frames.push_back(std::move(*frame));
  return frames;
}

}  // namespace gapkit
