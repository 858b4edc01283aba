#include "fit/sent_terms.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <gapkit/model/statistics.hpp>
#include <sstream>

namespace gapkit {
namespace {

/// A file name that no other process uses; the file goes with the object.
class ScratchFile {
 public:
  ScratchFile() {
    static int count = 0;
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    if (error)
      throw InputError(fmt::format("the folder for temporary files (TMPDIR) cannot be used on machine {}: {}", machine(), error.message()));
#pragma omp critical(gapkit_scratch_file)
    path_ = folder / fmt::format("gapkit-terms-{}-{}.h5", ::getpid(), count++);
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::filesystem::path& path() const {
    return path_;
  }

 private:
  static std::string machine() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "?";
  }

  std::filesystem::path path_;
};

std::string fingerprint_of(std::vector<Term> terms, SparseFactor factor) {
  Model model;
  model.terms = std::move(terms);
  model.factor = std::move(factor);
  return statistics_fingerprint(model);
}

}  // namespace

SentTerms::SentTerms(std::span<const Term> terms, const SparseFactor& factor) : blocks_(factor.blocks()), jitter_(factor.jitter()) {
  Model model;
  model.terms.assign(terms.begin(), terms.end());
  for (const Term& term : terms)
    for (const int z : term.elements) model.reference_energies[z] = 0;  // a model file needs them
  model.weights = Vector::Zero(sparse_count(terms));
  const ScratchFile scratch;
  save_model(model, scratch.path());
  std::ostringstream content;
  content << std::ifstream(scratch.path(), std::ios::binary).rdbuf();
  file_ = std::move(content).str();
  fingerprint_ = fingerprint_of(std::move(model.terms), factor);
}

SentTerms::SentTerms(ByteReader& sizes) {
  file_.resize(sizes.get<std::size_t>());
  sizes.get(fingerprint_);
  sizes.get(jitter_);
  std::vector<Eigen::Index> points;
  sizes.get(points);
  for (const Eigen::Index size : points) blocks_.emplace_back(size, size);
}

void SentTerms::put_sizes(ByteWriter& out) const {
  out.put(file_.size());
  out.put(fingerprint_);
  out.put(jitter_);
  std::vector<Eigen::Index> points;
  for (const Matrix& block : blocks_) points.push_back(block.rows());
  out.put(points);
}

void SentTerms::broadcast(Communicator& communicator) {
  communicator.broadcast(std::as_writable_bytes(std::span(file_)));
  for (Matrix& block : blocks_)
    communicator.broadcast(std::as_writable_bytes(std::span(block.data(), static_cast<std::size_t>(block.size()))));
}

std::vector<Term> SentTerms::terms() const {
  const ScratchFile scratch;
  std::ofstream file(scratch.path(), std::ios::binary);
  file.write(file_.data(), static_cast<std::streamsize>(file_.size()));
  file.close();
  if (!file) throw InputError(fmt::format("the temporary file {} cannot be written (TMPDIR)", scratch.path().string()));
  std::vector<Term> terms = load_model(scratch.path()).terms;
  if (fingerprint_of(terms, factor()) != fingerprint_) throw Error("a process got other terms than those of rank 0");
  return terms;
}

}  // namespace gapkit
