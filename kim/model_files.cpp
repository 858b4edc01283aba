#include "model_files.hpp"

#include <KIM_Collection.hpp>
#include <KIM_CollectionItemType.hpp>
#include <KIM_Collections.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gapkit_kim {
namespace {

constexpr int format_version = 1;

/// Folder of the library of a portable model, from the collections of the KIM API.
std::filesystem::path folder_of(const std::string& name) {
  KIM::Collections* collections = nullptr;
  if (KIM::Collections::Create(&collections)) throw Failure("the collections of the KIM API cannot be read");
  const std::string* library = nullptr;
  const bool is_missing =
      collections->GetItemLibraryFileNameAndCollection(KIM::COLLECTION_ITEM_TYPE::portableModel, name, &library, nullptr);
  const std::filesystem::path folder = is_missing ? std::filesystem::path() : std::filesystem::path(*library).parent_path();
  KIM::Collections::Destroy(&collections);
  if (is_missing) throw Failure("the portable model '" + name + "' is in no collection of the KIM API: install it under its own name");
  return folder;
}

}  // namespace

ModelFiles read_model_files(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Failure(path + ": the parameter file cannot be read");
  ModelFiles files;
  int version = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string key, symbol;
    int number = 0;
    words >> key;
    if (key == "gapkit_kim")
      words >> version;
    else if (key == "model")
      words >> files.name;
    else if (key == "file")
      words >> files.file >> files.bytes;
    else if (key == "element" && words >> symbol >> number)
      files.elements.emplace_back(symbol, number);
    else
      words.setstate(std::ios::failbit);
    if (!words) throw Failure(path + ": cannot read the line '" + line + "': write the portable model anew with gap-convert --kim");
    if (version != format_version)
      throw Failure(path + ": the parameter file has version " + std::to_string(version) + ", this driver reads version " +
                    std::to_string(format_version) + ": install the driver of the gapkit that wrote the portable model");
  }
  if (files.name.empty() || files.file.empty() || files.elements.empty())
    throw Failure(path + ": the parameter file is not complete: write the portable model anew with gap-convert --kim");
  return files;
}

std::string path_of_model(const ModelFiles& files) {
  const std::filesystem::path path = folder_of(files.name) / files.file;
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) throw Failure(path.string() + ": " + error.message() + "; install the portable model '" + files.name + "' again");
  if (bytes != files.bytes)
    throw Failure(path.string() + ": the file has " + std::to_string(bytes) + " bytes, expected " + std::to_string(files.bytes) +
                  ": it is not the one of the portable model '" + files.name + "'; install it again");
  return path.string();
}

}  // namespace gapkit_kim
