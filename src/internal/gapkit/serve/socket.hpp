#pragma once

#include <functional>
#include <gapkit/core/errors.hpp>
#include <span>
#include <string>

namespace gapkit::serve {

/// Where a server listens: at a UNIX socket, or at a port of a host.
struct Address {
  std::string path = {};  ///< of the UNIX socket; empty: TCP
  std::string host = "localhost";
  int port = 31415;

  /// "/tmp/ipi_silicon", "localhost:31415"
  std::string text() const;
};

/// The UNIX socket that i-PI and ASE call NAME, /tmp/ipi_NAME; a name with a slash is a path. Throws InputError if it is empty or longer
/// than sockets allow.
Address unix_address(const std::string& name);

/// The server has gone in the middle of its work.
class ConnectionLost : public InputError {
 public:
  using InputError::InputError;
};

/// A connection to a server; closed at the end of the scope.
class Socket {
 public:
  /// Takes over a connected socket. `peer`: for messages.
  Socket(int descriptor, std::string peer);
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;

  const std::string& peer() const { return peer_; }
  /// Throws ConnectionLost.
  void send(std::span<const char> bytes);
  /// Fills `bytes`, and waits for them as long as it takes. False if the server has closed the connection before the first of them; throws
  /// ConnectionLost if it ended in any other way.
  [[nodiscard]] bool receive(std::span<char> bytes);

 private:
  int descriptor_;
  bool is_tcp_ = false;
  std::string peer_;
};

/// Connects, again and again for `wait` seconds (0: once). `say` (optional) gets one line if the first attempt fails.
/// Throws InputError with the system's reason; at once where waiting cannot help (no such host, no permission).
Socket connect_to(const Address& address, double wait, const std::function<void(const std::string&)>& say = {});

}  // namespace gapkit::serve
