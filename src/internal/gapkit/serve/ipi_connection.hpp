#pragma once

#include <gapkit/core/types.hpp>
#include <gapkit/serve/socket.hpp>
#include <string_view>

namespace gapkit::serve {

/// Requests of an i-PI server. `closed`: it has closed the connection.
enum class Request { status, init, positions, forces, exit, closed };

/// Answers of a driver to Request::status.
enum class DriverState { needs_init, ready, has_data };

/// Messages of i-PI's protocol, the side of the driver. Å and eV here, bohr and hartree on the wire; numbers as this machine has them.
///
/// Throws InputError for messages that the protocol does not have, ConnectionLost if the server goes away within a message.
class IpiConnection {
 public:
  explicit IpiConnection(Socket socket) : socket_(std::move(socket)) {}

  const std::string& peer() const { return socket_.peer(); }
  /// Waits for the next request. Request::closed: the server has closed the connection instead.
  Request next();
  void send_state(DriverState state);
  /// The rest of Request::init. Its text is ignored, but InputError if it announces several structures at once (batch_size).
  void receive_init();
  /// The rest of Request::positions: the cell (rows are its vectors), and how many atoms follow.
  int receive_cell(Matrix3& cell);
  void receive_positions(int atoms, Positions& positions);
  /// The answer to Request::forces. `virial`: −dE/dstrain.
  void send_forces(double energy, const Positions& forces, const Matrix3& virial, std::string_view extra);

 private:
  void receive(std::span<char> bytes);

  Socket socket_;
  std::string buffer_;
};

}  // namespace gapkit::serve
