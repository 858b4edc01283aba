#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/temporary_file.hpp>
#include <unordered_set>

#include "extxyz_properties.hpp"

namespace gapkit {

using namespace extxyz;

namespace {

constexpr std::size_t flush_size = std::size_t{1} << 20;

char type_letter(const Column& column) {
  constexpr char letters[] = {'R', 'I', 'S', 'L'};
  return letters[column.values.index()];
}

std::string name_of(const Structure& structure) {
  return structure.source.empty() ? "the structure" : structure.source;
}

/// Everything a reader would refuse is refused here: a file that was written can be read.
void check(const Structure& structure) {
  const auto n = static_cast<std::size_t>(structure.size());
  if (n == 0) throw InputError(name_of(structure) + " has no atoms, expected at least 1");
  if (structure.positions.rows() != structure.size())
    throw Error(fmt::format("{} has {} positions for {} atoms", name_of(structure), structure.positions.rows(), n));
  for (Eigen::Index i = 0; i < structure.positions.rows(); ++i)
    if (!structure.positions.row(i).allFinite())
      throw NumericalError(fmt::format("{}: the position of atom {} is not finite", name_of(structure), i + 1));
  if (structure.cell && !structure.cell->allFinite()) throw NumericalError(name_of(structure) + ": the cell is not finite");
  if (!structure.cell && (structure.pbc[0] || structure.pbc[1] || structure.pbc[2]))
    throw InputError(name_of(structure) + " is periodic, but has no cell");

  std::unordered_set<std::string_view> seen = {"species", "pos"};
  for (const auto& column : structure.columns) {
    const auto size = std::visit([](const auto& values) { return values.size(); }, column.values);
    if (column.count < 1 || size != n * static_cast<std::size_t>(column.count))
      throw Error(fmt::format("{}: column '{}' has {} values, expected {} for each of {} atoms", name_of(structure), column.name, size,
                              column.count, n));
    if (column.name.empty() || column.name.find_first_of(":\n\r") != std::string::npos)
      throw InputError(fmt::format("{}: '{}' cannot be the name of a column", name_of(structure), excerpt(column.name)));
    if (!seen.insert(column.name).second)
      throw InputError(fmt::format("{}: column '{}' would be written twice, expected each name once", name_of(structure), column.name));
    if (const auto* words = std::get_if<std::vector<std::string>>(&column.values))
      for (const auto& word : *words)
        if (word.empty() || word.find_first_of(" \t\n\r") != std::string::npos)
          throw InputError(fmt::format("{}: column '{}' has the value '{}', expected words without spaces", name_of(structure), column.name,
                                       excerpt(word)));
  }
  seen.clear();
  for (const auto& field : structure.fields)
    if (field.key.empty() || is_reserved_key(field.key) || !seen.insert(field.key).second)
      throw InputError(fmt::format("{}: the key '{}' is empty, reserved or there twice", name_of(structure), excerpt(field.key)));
}

std::string properties_text(const Structure& structure) {
  std::string text = "species:S:1:pos:R:3";
  for (const auto& column : structure.columns) text += fmt::format(":{}:{}:{}", column.name, type_letter(column), column.count);
  return text;
}

/// True if a value can be written as it stood: to a reader that knows no more than delimiters and backslashes (ASE) it ends where it ends
/// here, and is not empty, so that what follows in the line stays apart from it.
bool stands_alone(std::string_view text) {
  char closing = 0;
  bool is_escaped = false, is_empty = true;
  for (const char c : text) {
    const std::size_t opening = closing || is_escaped ? std::string_view::npos : std::string_view("\"'{[").find(c);
    if (is_escaped) {
      is_escaped = false;
      is_empty = false;
    } else if (c == '\\') {
      is_escaped = true;
    } else if (closing && c == closing) {
      closing = 0;
    } else if (opening != std::string_view::npos) {
      closing = "\"'}]"[opening];
    } else if (closing || (c != ' ' && c != '\t')) {
      is_empty = false;
    }
  }
  return !closing && !is_escaped && !is_empty;
}

/// The value as it stood in the file, or in a form that stands alone.
void append_field_value(std::string& out, const Field& field) {
  if (stands_alone(field.text)) {
    out += field.text;
    return;
  }
  const std::size_t start = out.size();
  append_value(out, field.value);
  // "" and [] end nothing for ASE: it takes what follows in the line for the value.
  if (out.size() == start + 2 && !stands_alone(std::string_view(out).substr(start)))
    out.replace(start, 2, std::holds_alternative<std::string>(field.value) ? "{ }" : "[ ]");
}

void append_comment(std::string& out, const Structure& structure) {
  if (structure.cell) {
    out += "Lattice=\"";
    for (int i = 0; i < 9; ++i) {
      if (i > 0) out.push_back(' ');
      append_real(out, structure.cell->data()[i]);
    }
    out += "\" ";
  }
  out += "Properties=";
  append_string(out, properties_text(structure));
  for (const auto& field : structure.fields) {
    out.push_back(' ');
    append_string(out, field.key);
    out.push_back('=');
    append_field_value(out, field);
  }
  out += fmt::format(" pbc=\"{} {} {}\"\n", structure.pbc[0] ? 'T' : 'F', structure.pbc[1] ? 'T' : 'F', structure.pbc[2] ? 'T' : 'F');
}

void append_values(std::string& out, const Column& column, std::size_t atom) {
  std::visit(
      [&](const auto& values) {
        const auto count = static_cast<std::size_t>(column.count);
        for (std::size_t k = atom * count; k < (atom + 1) * count; ++k) {
          using Value = typename std::decay_t<decltype(values)>::value_type;
          out.push_back(' ');
          if constexpr (std::is_same_v<Value, double>)
            append_real(out, values[k]);
          else if constexpr (std::is_same_v<Value, std::int64_t>)
            append_integer(out, values[k]);
          else if constexpr (std::is_same_v<Value, bool>)
            out.push_back(values[k] ? 'T' : 'F');
          else
            out += values[k];
        }
      },
      column.values);
}

}  // namespace

struct ExtxyzWriter::State {
  explicit State(const std::filesystem::path& path) : file(path) {}

  void flush() {
    file.append(buffer);
    buffer.clear();
  }

  TemporaryFile file;
  std::string buffer;
};

ExtxyzWriter::ExtxyzWriter(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
ExtxyzWriter::~ExtxyzWriter() = default;
ExtxyzWriter::ExtxyzWriter(ExtxyzWriter&&) noexcept = default;

void ExtxyzWriter::write(const Structure& structure) {
  if (state_->file.is_committed()) throw Error(state_->file.path() + ": a frame was written after the commit");
  check(structure);
  std::string& out = state_->buffer;
  append_integer(out, structure.size());
  out.push_back('\n');
  append_comment(out, structure);
  for (Eigen::Index i = 0; i < structure.size(); ++i) {
    out += element_symbol(structure.atomic_numbers[static_cast<std::size_t>(i)]);
    for (int k = 0; k < 3; ++k) {
      out.push_back(' ');
      append_real(out, structure.positions(i, k));
    }
    for (const auto& column : structure.columns) append_values(out, column, static_cast<std::size_t>(i));
    out.push_back('\n');
    if (out.size() >= flush_size) state_->flush();
  }
}

void ExtxyzWriter::commit() {
  if (state_->file.is_committed()) throw Error(state_->file.path() + ": committed twice");
  state_->flush();
  state_->file.commit();
}

}  // namespace gapkit
