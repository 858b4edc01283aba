#pragma once

#include <gapkit/core/phase_clock.hpp>
#include <gapkit/serve/extra.hpp>
#include <gapkit/serve/ipi_connection.hpp>

namespace gapkit::serve {

/// Elements and periodic directions of the structures that a server sends: the protocol does not have them.
class KnownAtoms {
 public:
  /// Those of a frame, in its order, with its config type and σ. If it has a Lattice, its periodic directions count; else each cell vector
  /// from the server that is not zero is periodic.
  explicit KnownAtoms(Structure frame);
  /// Any number of atoms of one element; each cell vector that is not zero is periodic.
  explicit KnownAtoms(int element);

  /// Throws InputError if the server sends another number of atoms. `source`: of the structure, for messages.
  void check_count(int atoms, const std::string& source) const;
  /// Nothing but the shape is checked here.
  const Structure& structure(const Matrix3& cell, const Positions& positions, const std::string& source);

 private:
  Structure structure_;
  std::string frame_;  // where the frame came from
  int element_ = 0;    // 0: those of the frame
  bool has_periodicity_ = false;
};

struct DriverOptions {
  PredictionRequest request = {};
  ExtraContents extra = {};
  /// Gets every structure with the members' predictions, after they have been computed.
  std::function<void(const Structure&, std::span<const Prediction>)> look_at = {};
};

/// The work of a driver, when its server has finished.
struct DriverResult {
  long structures = 0;
  PhaseTime time;              ///< of neighbours and predictions
  bool was_dismissed = false;  ///< by an EXIT; else the server has closed the connection
};

/// Answers a server's requests until it says EXIT or closes the connection.
///
/// Throws InputError if the server sends what the protocol does not allow, or a structure that cannot be predicted; ConnectionLost if it
/// goes away while it has not collected the results of a structure, or before it has asked for anything; NumericalError as Predictor.
DriverResult drive(IpiConnection& connection, Committee& committee, KnownAtoms atoms, const DriverOptions& options);

}  // namespace gapkit::serve
