#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <gapkit/serve/socket.hpp>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace gapkit::serve {
namespace {

using Clock = std::chrono::steady_clock;

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// One attempt to connect: a descriptor, or why there is none.
struct Attempt {
  int descriptor = -1;
  std::string problem;
  bool can_be_repeated = true;
};

void set_option(int descriptor, int level, int name) {
  const int on = 1;
  ::setsockopt(descriptor, level, name, &on, sizeof on);  // connections work without it too
}

// A port of the system's own choice can meet itself when nobody listens there.
bool is_connected_to_itself(int descriptor) {
  sockaddr_storage own = {}, other = {};
  socklen_t own_size = sizeof own, other_size = sizeof other;
  return ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &other_size) == 0 && own_size == other_size &&
         own.ss_family != AF_UNIX && std::memcmp(&own, &other, own_size) == 0;
}

// 0 or the error. Hosts that do not answer take minutes otherwise.
int connect_within(int descriptor, const sockaddr* address, socklen_t size, std::chrono::milliseconds limit) {
  if (::connect(descriptor, address, size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd event = {descriptor, POLLOUT, 0};
  const int count = ::poll(&event, 1, static_cast<int>(limit.count()));
  if (count == 0) return ETIMEDOUT;
  if (count < 0) return errno;
  int error = 0;
  socklen_t error_size = sizeof error;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 ? error : errno;
}

Attempt attempt(const sockaddr* address, socklen_t size, std::chrono::milliseconds limit) {
  const int descriptor = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {-1, reason(errno), false};
  int error = connect_within(descriptor, address, size, limit);
  if (error == 0 && is_connected_to_itself(descriptor)) error = ECONNREFUSED;
  if (error == 0 && ::fcntl(descriptor, F_SETFL, 0) != 0) error = errno;
  if (error == 0) return {descriptor, "", true};
  ::close(descriptor);
  const bool is_final = error == EACCES || error == EPERM || error == ENOTDIR || error == ELOOP || error == EPROTOTYPE;
  return {-1, reason(error), !is_final};
}

Attempt attempt_unix(const Address& address, std::chrono::milliseconds limit) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::copy(address.path.begin(), address.path.end(), name.sun_path);  // unix_address() has looked at its length
  return attempt(reinterpret_cast<const sockaddr*>(&name), sizeof name, limit);
}

Attempt attempt_tcp(const Address& address, std::chrono::milliseconds limit) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) return {-1, error == EAI_SYSTEM ? reason(errno) : ::gai_strerror(error), error == EAI_AGAIN || error == EAI_SYSTEM};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  Attempt last;
  for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next) {
    last = attempt(a->ai_addr, a->ai_addrlen, limit);
    if (last.descriptor >= 0) break;
  }
  return last;
}

}  // namespace

std::string Address::text() const {
  if (!path.empty()) return path;
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Address unix_address(const std::string& name) {
  if (name.empty()) throw InputError("the name of the UNIX socket is empty; NAME stands for /tmp/ipi_NAME, a name with '/' is a path");
  Address address;
  address.path = name.find('/') == std::string::npos ? "/tmp/ipi_" + name : name;
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (address.path.size() > longest)
    throw InputError(
        fmt::format("{}: the path of a UNIX socket has at most {} bytes, this one has {}", address.path, longest, address.path.size()));
  return address;
}

Socket::Socket(int descriptor, std::string peer) : descriptor_(descriptor), peer_(std::move(peer)) {
  int domain = AF_UNIX;
  socklen_t size = sizeof domain;
  is_tcp_ = ::getsockopt(descriptor_, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
  if (!is_tcp_) return;
  set_option(descriptor_, IPPROTO_TCP, TCP_NODELAY);  // short messages leave at once
  set_option(descriptor_, SOL_SOCKET, SO_KEEPALIVE);  // notices a server whose machine is gone
}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), is_tcp_(other.is_tcp_), peer_(std::move(other.peer_)) {}

void Socket::send(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw ConnectionLost(fmt::format("the connection to {} was lost while an answer was sent ({})", peer_, reason(errno)));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

bool Socket::receive(std::span<char> bytes) {
  bool has_begun = false;
  while (!bytes.empty()) {
    // Servers send a message in pieces, each of which waits for the acknowledgement of the one before. The option does not last.
    if (is_tcp_) set_option(descriptor_, IPPROTO_TCP, TCP_QUICKACK);
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw ConnectionLost(fmt::format("the connection to {} was lost ({})", peer_, reason(errno)));
    if (count == 0 && !has_begun) return false;
    if (count == 0) throw ConnectionLost(fmt::format("{} closed the connection in the middle of a message", peer_));
    has_begun = true;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

Socket connect_to(const Address& address, double wait, const std::function<void(const std::string&)>& say) {
  using std::chrono::milliseconds;
  constexpr double longest = 1e9;  // s; clocks overflow beyond
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(wait, longest)));
  const auto left = [&] { return std::chrono::ceil<milliseconds>(end - Clock::now()); };
  milliseconds pause(20);
  for (bool is_first = true;; is_first = false) {
    const milliseconds limit = std::clamp(left(), milliseconds(2000), milliseconds(30000));
    const Attempt last = address.path.empty() ? attempt_tcp(address, limit) : attempt_unix(address, limit);
    if (last.descriptor >= 0) return {last.descriptor, address.text()};
    if (!last.can_be_repeated) throw InputError(fmt::format("no connection to {} is possible: {}", address.text(), last.problem));
    if (left() <= milliseconds(0))
      throw InputError(fmt::format("no server answers at {} ({}){}; start the server first, or correct the address", address.text(),
                                   last.problem, wait > 0 ? fmt::format(", tried for {:g} s", wait) : ""));
    if (is_first && say)
      say(fmt::format("no server answers at {} yet ({}); waiting for it, {:g} s at most", address.text(), last.problem, wait));
    std::this_thread::sleep_for(std::clamp(left(), milliseconds(1), pause));
    pause = std::min(2 * pause, milliseconds(1000));
  }
}

}  // namespace gapkit::serve
