#include <gapkit/core/communicator.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

class OneProcess : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void send(int, const std::string&) override { fail(); }
  bool has_message(int) override { return false; }
  std::string receive(int) override { fail(); }
  void broadcast(std::span<std::byte>) override {}
  void sum(std::span<double>) override {}

 private:
  [[noreturn]] static void fail() { throw Error("there is no other process"); }
};

OneProcess& one_process() {
  static OneProcess one;
  return one;
}

Communicator*& of_program() {
  static Communicator* current = &one_process();
  return current;
}

}  // namespace

Communicator& processes() {
  return *of_program();
}

void set_processes(Communicator* communicator) {
  of_program() = communicator ? communicator : &one_process();
}

}  // namespace gapkit
