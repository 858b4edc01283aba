#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <gapkit/core/units.hpp>
#include <gapkit/serve/driver.hpp>
#include <utility>

#include "support/support.hpp"
#include "support/toy_data.hpp"

namespace gapkit::test {

/// A server that sends all of its messages at once; the answers of the driver are read afterwards.
class FakeServer {
 public:
  FakeServer() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) == 0);
    for (const int end : ends_) {
      const int size = 1 << 20;  // nothing blocks
      ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
  }
  ~FakeServer() {
    for (const int end : ends_)
      if (end >= 0) ::close(end);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  void say(std::string word) {
    word.resize(12, ' ');
    send(word);
  }
  void send(const std::string& bytes) { REQUIRE(::send(ends_[0], bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size())); }
  template <class T>
  void send_number(T number) {
    send(bytes_of(&number, 1));
  }
  void say_init(const std::string& text) {
    say("INIT");
    send_number(std::int32_t{3});
    send_number(static_cast<std::int32_t>(text.size()));
    send(text);
  }
  /// POSDATA with the numbers of a structure; a cell of zeros if it has none.
  void say_positions(const Structure& structure) {
    const Matrix3 columns = structure.cell.value_or(Matrix3::Zero()).transpose() / angstrom_per_bohr;
    const Matrix3 inverse = Matrix3::Constant(std::nan(""));  // nobody needs it
    const Positions bohr = structure.positions / angstrom_per_bohr;
    say("POSDATA");
    send(bytes_of(columns.data(), 9) + bytes_of(inverse.data(), 9));
    send_number(static_cast<std::int32_t>(structure.size()));
    send(bytes_of(bohr.data(), static_cast<std::size_t>(bohr.size())));
  }
  void say_no_more() { ::shutdown(ends_[0], SHUT_WR); }

  /// The driver's end; once.
  serve::IpiConnection connection() { return serve::IpiConnection(serve::Socket(std::exchange(ends_[1], -1), "the server")); }

  std::string heard(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const ssize_t more = ::recv(ends_[0], bytes.data() + done, count - done, MSG_DONTWAIT);
      if (more <= 0) break;
      done += static_cast<std::size_t>(more);
    }
    bytes.resize(done);
    return bytes;
  }
  template <class T>
  T heard_number() {
    T number{};
    const std::string bytes = heard(sizeof number);
    REQUIRE(bytes.size() == sizeof number);
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  struct Forces {
    double energy = 0;
    Positions forces;
    Matrix3 virial;
    std::string extra;
  };
  /// FORCEREADY, as it stands on the wire.
  Forces heard_forces() {
    CHECK(heard(12) == "FORCEREADY  ");
    Forces f;
    f.energy = heard_number<double>();
    f.forces.resize(heard_number<std::int32_t>(), 3);
    for (double& x : std::span(f.forces.data(), static_cast<std::size_t>(f.forces.size()))) x = heard_number<double>();
    Matrix3 columns;
    for (double& x : std::span(columns.data(), 9)) x = heard_number<double>();
    f.virial = columns.transpose();
    f.extra = heard(static_cast<std::size_t>(heard_number<std::int32_t>()));
    return f;
  }

 private:
  template <class T>
  static std::string bytes_of(const T* values, std::size_t count) {
    return {reinterpret_cast<const char*>(values), count * sizeof(T)};
  }

  std::array<int, 2> ends_ = {-1, -1};
};

/// The small model of two_body and SOAP together for these elements, and another one.
inline std::vector<std::shared_ptr<const Model>> two_models(const std::vector<int>& elements) {
  std::vector<std::shared_ptr<const Model>> models;
  for (const ToyModel& toy : toy_models())
    if (toy.elements == elements && toy.has_pairs) models.push_back(toy.model);
  REQUIRE(models.size() >= 2);
  models.resize(2);
  return models;
}

}  // namespace gapkit::test
