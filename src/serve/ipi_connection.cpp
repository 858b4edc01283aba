#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <gapkit/core/units.hpp>
#include <gapkit/serve/ipi_connection.hpp>

namespace gapkit::serve {
namespace {

constexpr std::size_t header_length = 12;
constexpr std::array<std::pair<std::string_view, Request>, 5> requests = {{{"STATUS", Request::status},
                                                                           {"INIT", Request::init},
                                                                           {"POSDATA", Request::positions},
                                                                           {"GETFORCE", Request::forces},
                                                                           {"EXIT", Request::exit}}};

void append_header(std::string& buffer, std::string_view word) {
  buffer.append(word);
  buffer.append(header_length - word.size(), ' ');
}

template <class T>
void append_bytes(std::string& buffer, const T* values, std::size_t count) {
  buffer.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

// Other servers may speak anything; a message must stay one readable line.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out;
}

// N of "…, batch_size:N", with which i-PI announces several structures in one message.
int announced_batch(const std::string& text) {
  const std::size_t at = text.find("batch_size");
  if (at == std::string::npos) return 1;
  const std::size_t digit = text.find_first_of("0123456789", at);
  if (digit == std::string::npos || text.find_first_not_of(" :'\"", at + 10) != digit) return 1;
  return std::atoi(text.c_str() + digit);
}

}  // namespace

void IpiConnection::receive(std::span<char> bytes) {
  if (!socket_.receive(bytes)) throw ConnectionLost(fmt::format("{} closed the connection in the middle of a message", peer()));
}

Request IpiConnection::next() {
  std::array<char, header_length> header = {};
  if (!socket_.receive(header)) return Request::closed;
  std::string_view word(header.data(), header.size());
  word = word.substr(0, word.find_last_not_of(std::string_view(" \0", 2)) + 1);
  for (const auto& [name, request] : requests)
    if (word == name) return request;
  throw InputError(fmt::format("{} sent '{}', expected STATUS, INIT, POSDATA, GETFORCE or EXIT of the i-PI protocol: is it an i-PI server?",
                               peer(), printable(word)));
}

void IpiConnection::send_state(DriverState state) {
  buffer_.clear();
  append_header(buffer_, state == DriverState::needs_init ? "NEEDINIT" : state == DriverState::ready ? "READY" : "HAVEDATA");
  socket_.send(buffer_);
}

void IpiConnection::receive_init() {
  std::array<std::int32_t, 2> numbers = {};  // index of the replica, length of the text
  receive({reinterpret_cast<char*>(numbers.data()), sizeof numbers});
  constexpr std::int32_t longest = 1 << 20;
  if (numbers[1] < 0 || numbers[1] > longest)
    throw InputError(
        fmt::format("{} announced an INIT text of {} bytes, expected 0 … {}: is it an i-PI server?", peer(), numbers[1], longest));
  std::string text(static_cast<std::size_t>(numbers[1]), ' ');
  receive(text);
  if (const int batch = announced_batch(text); batch > 1)
    throw InputError(
        fmt::format("{} wants {} structures at once, gap-serve takes one: set batch_size of i-PI's force field to 1", peer(), batch));
}

int IpiConnection::receive_cell(Matrix3& cell) {
  std::array<double, 18> numbers = {};  // the vectors as columns, and the inverse
  std::int32_t atoms = 0;
  std::array<char, sizeof numbers + sizeof atoms> bytes = {};
  receive(bytes);
  std::memcpy(numbers.data(), bytes.data(), sizeof numbers);
  std::memcpy(&atoms, bytes.data() + sizeof numbers, sizeof atoms);
  cell = Eigen::Map<const Matrix3>(numbers.data()).transpose() * angstrom_per_bohr;
  constexpr std::int32_t most = 100'000'000;  // more are no structure but a protocol of another kind
  if (atoms < 1 || atoms > most)
    throw InputError(fmt::format("{} announced {} atoms, expected 1 … {}: is it an i-PI server?", peer(), atoms, most));
  return atoms;
}

void IpiConnection::receive_positions(int atoms, Positions& positions) {
  positions.resize(atoms, 3);
  receive({reinterpret_cast<char*>(positions.data()), sizeof(double) * static_cast<std::size_t>(positions.size())});
  positions *= angstrom_per_bohr;
}

void IpiConnection::send_forces(double energy, const Positions& forces, const Matrix3& virial, std::string_view extra) {
  const double hartree = energy / ev_per_hartree;
  const auto atoms = static_cast<std::int32_t>(forces.rows()), extra_length = static_cast<std::int32_t>(extra.size());
  const Positions wire_forces = forces * (angstrom_per_bohr / ev_per_hartree);
  const Matrix3 wire_virial = virial.transpose() / ev_per_hartree;
  buffer_.clear();
  append_header(buffer_, "FORCEREADY");
  append_bytes(buffer_, &hartree, 1);
  append_bytes(buffer_, &atoms, 1);
  append_bytes(buffer_, wire_forces.data(), static_cast<std::size_t>(wire_forces.size()));
  append_bytes(buffer_, wire_virial.data(), 9);
  append_bytes(buffer_, &extra_length, 1);
  buffer_.append(extra);
  socket_.send(buffer_);
}

}  // namespace gapkit::serve
