// SPDX-License-Identifier: MIT
#include "weir/control/model_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "weir/base/file.h"
#include "weir/learn/model_file.h"

namespace weir::control {
namespace {

constexpr mode_t kMode = 0644;
constexpr std::string_view kSuffix = ".json";

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> exchange(const std::string& one, const std::string& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) return {};
  return std::unexpected(errno_error(errno, other, "exchange with the one in force"));
}

}  // namespace

std::string metrics_path(const std::string& model) {
  const bool json = model.ends_with(kSuffix);
  return model.substr(0, model.size() - (json ? kSuffix.size() : 0)) + ".metrics.json";
}

std::string previous_path(const std::string& model) { return model + ".previous"; }

Result<learn::Model> load_model(const std::string& path, std::optional<uid_t> also) {
  WEIR_TRY(const Fd file, open_trusted(path, also));
  WEIR_TRY(const std::string text, read_all(file.get(), path, learn::kLargestModel));
  auto model = learn::parse_model(text);
  if (!model) model.error().subject = path;
  return model;
}

Result<void> store_model(const std::string& path, std::string_view text, std::string_view metrics) {
  WEIR_CHECK(open_private_directory(folder_of(path), 0755));
  const auto before = read_file(path, learn::kLargestModel);
  if (before && *before != text) {
    WEIR_CHECK(replace_file(previous_path(path), *before, kMode, Durable::yes));
    if (const auto old = read_file(metrics_path(path)))
      WEIR_CHECK(replace_file(metrics_path(previous_path(path)), *old, kMode, Durable::yes));
  } else if (!before && before.error().kind != ErrorKind::absent) {
    return std::unexpected(before.error());
  }
  WEIR_CHECK(replace_file(path, text, kMode, Durable::yes));
  return replace_file(metrics_path(path), metrics, kMode, Durable::yes);
}

Result<learn::Model> roll_back(const std::string& path, std::optional<uid_t> also) {
  const std::string previous = previous_path(path);
  auto model = load_model(previous, also);
  if (!model && model.error().kind == ErrorKind::absent)
    return std::unexpected(
        make_error(ErrorKind::absent, path, "there is no previous model to go back to",
                   "one is kept when another is put in force: weir policy train, weir policy retrain"));
  if (!model) return model;
  WEIR_CHECK(exchange(path, previous));
  // They only tell; a model may be without them.
  (void)exchange(metrics_path(path), metrics_path(previous));
  return model;
}

}  // namespace weir::control
