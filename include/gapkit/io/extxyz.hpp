#pragma once

#include <filesystem>
#include <fstream>
#include <gapkit/core/structure.hpp>
#include <memory>

namespace gapkit {

/// Reads the frames of an extended-XYZ file one after the other; memory is that of one frame.
///
/// Follows the libAtoms specification: Properties with R/I/S/L columns of any width, quoted, bare, {…} and […] values, Fortran `d`
/// exponents, T/F/true/false. `Lattice` fills the cell (9 numbers; 3 are a diagonal, 1 a cube), `pbc` the periodicity (default:
/// T T T with a Lattice, F F F without). Species come from the column `species` (or `element`, `Z`, `numbers`), positions from
/// `pos` (or `positions`). Other values go to `fields` and `columns`, in the order of the file. io/targets.hpp assigns
/// targets. A plain XYZ file (no Properties) has species (or atomic numbers) and positions, and nothing behind them;
/// its second line, unless it consists of key=value pairs, becomes the field `comment`. The path "-" is the standard input.
/// Throws InputError with file, line and frame for every mistake (atoms and frames counted from 1), also NaN and infinity in positions
/// and Lattice; columns and fields may hold them. After an error every further next() throws it again.
class ExtxyzReader {
 public:
  explicit ExtxyzReader(const std::filesystem::path& path);
  ~ExtxyzReader();
  ExtxyzReader(ExtxyzReader&&) noexcept;

  /// Next frame; absent at the end of the file.
  std::optional<Structure> next();
  /// Frames before the next one.
  int frame_count() const;

  /// A place between two frames of a file.
  struct Position {
    std::int64_t offset = 0;  ///< bytes before it
    long line = 0;            ///< lines before it
    int frames = 0;           ///< frames before it
  };
  Position position() const;
  /// Goes to a position of a reader of the same file; next() returns the frame behind it. Throws InputError if the file
  /// has no positions (a pipe).
  void go_to(const Position& position);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes frames so that every number reads back to the same bits (shortest round-trip form).
///
/// Writes to a temporary file beside `path`, which `commit()` renames; without a commit nothing appears under `path`.
/// Species and positions are written first, then `columns`, and in the comment line Lattice, Properties, `fields`, pbc.
/// Fields with a `text` are written as this text, or so that ASE finds its end. Devices, pipes and "-" (stdout) are written directly; links
/// are followed.
/// Throws InputError if the file cannot be written (with the system's reason) or a frame could not be read back (no atoms, words with
/// spaces in a column), NumericalError for positions or a cell that are not finite.
class ExtxyzWriter {
 public:
  explicit ExtxyzWriter(const std::filesystem::path& path);
  ~ExtxyzWriter();
  ExtxyzWriter(ExtxyzWriter&&) noexcept;

  void write(const Structure& structure);
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All frames of a file; for small files and tests.
std::vector<Structure> read_extxyz(const std::filesystem::path& path);

}  // namespace gapkit
