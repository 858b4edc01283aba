#include <netinet/in.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "serve/fake_server.hpp"

namespace gapkit {
namespace {

using serve::Address;
using serve::connect_to;
using test::message_of;

/// Listens at a UNIX socket, or at a free port of this machine; does not accept.
class Listener {
 public:
  explicit Listener(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(::listen(descriptor_, 1) == 0);
  }
  Listener() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(::listen(descriptor_, 1) == 0);
    REQUIRE(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&name), &size) == 0);
    port_ = ntohs(name.sin_port);
  }
  ~Listener() { ::close(descriptor_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int port() const { return port_; }

 private:
  int descriptor_, port_ = 0;
};

TEST_CASE("serve: names of UNIX sockets are those of i-PI, or paths") {
  CHECK(serve::unix_address("silicon").path == "/tmp/ipi_silicon");
  CHECK(serve::unix_address("/run/ipi/silicon").path == "/run/ipi/silicon");
  CHECK(serve::unix_address("./silicon").text() == "./silicon");
  CHECK(message_of<InputError>([] { serve::unix_address(""); }).find("is empty") != std::string::npos);
  const std::string longest(107 - 9, 'x');
  CHECK(serve::unix_address(longest).path.size() == 107);
  CHECK(message_of<InputError>([&] { serve::unix_address(longest + "x"); }).find("at most 107 bytes, this one has 108") !=
        std::string::npos);
  CHECK(Address{}.text() == "localhost:31415");
  CHECK(Address{.host = "::1", .port = 7}.text() == "[::1]:7");
}

TEST_CASE("serve: no server is an error after the time to wait, with the system's reason") {
  const test::TemporaryFolder folder;
  const auto message = [](const Address& address, double wait) { return message_of<InputError>([&] { connect_to(address, wait); }); };
  const Address nowhere = serve::unix_address((folder.path() / "socket").string());
  CHECK(message(nowhere, 0) ==
        "no server answers at " + nowhere.path + " (No such file or directory); start the server first, or correct the address");
  const auto begin = std::chrono::steady_clock::now();
  std::string said;
  CHECK(message_of<InputError>([&] {
          connect_to(nowhere, 0.3, [&](const std::string& text) { said += text + "\n"; });
        }).find("tried for 0.3 s") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(300));
  CHECK(said == "no server answers at " + nowhere.path + " yet (No such file or directory); waiting for it, 0.3 s at most\n");

  int closed_port = 0;
  { closed_port = Listener().port(); }
  CHECK(message({.host = "127.0.0.1", .port = closed_port}, 0).find(" (Connection refused); start the server") != std::string::npos);
  // Waiting helps against neither
  CHECK(message({.host = "no such host"}, 100).find("no connection to no such host:31415 is possible: ") == 0);
  folder.write("file", "");
  CHECK(message(serve::unix_address((folder.path() / "file/socket").string()), 100).find("Not a directory") != std::string::npos);
}

TEST_CASE("serve: a server that starts later is found, by TCP too") {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path() / "socket").string();
  std::optional<Listener> listener;
  std::thread starter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    listener.emplace(path);
  });
  CHECK(connect_to(serve::unix_address(path), 20).peer() == path);
  starter.join();
  const Listener tcp;
  const Address address{.host = "localhost", .port = tcp.port()};  // may stand for two addresses, of which one listens
  CHECK(connect_to(address, 0).peer() == address.text());
}

}  // namespace
}  // namespace gapkit
