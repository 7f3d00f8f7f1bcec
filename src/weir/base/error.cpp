// SPDX-License-Identifier: MIT
#include "weir/base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::gone:
      return "gone";
    case ErrorKind::absent:
      return "absent";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::failed:
      return "failed";
  }
  return "failed";
}

namespace {

/// A name of 4 KiB hides what is said of it.
std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 200;
  if (name.size() <= kMost) return name;
  return fmt::format("{}…{}", name.substr(0, kMost / 2), name.substr(name.size() - kMost / 4));
}

}  // namespace

std::string Error::message() const {
  std::string text = subject.empty() ? what : fmt::format("{}: {}", shortened(subject), what);
  if (err != 0) text += fmt::format(": {}", strerrordesc_np(err) ? strerrordesc_np(err) : "unknown error");
  return text;
}

Error Error::context(std::string_view doing) && {
  what = what.empty() ? std::string(doing) : fmt::format("{}: {}", doing, what);
  return std::move(*this);
}

Error Error::with_hint(std::string_view text) && {
  hint = text;
  return std::move(*this);
}

Error errno_error(int err, std::string_view subject, std::string_view doing) {
  ErrorKind kind = ErrorKind::failed;
  switch (err) {
    case ENODEV:
    case ESRCH:
      kind = ErrorKind::gone;
      break;
    case ENOENT:
    case EOPNOTSUPP:
    case ENOSYS:
    case ECONNREFUSED:
      kind = ErrorKind::absent;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      kind = ErrorKind::refused;
      break;
    case EINVAL:
    case ERANGE:
      kind = ErrorKind::invalid;
      break;
    default:
      break;
  }
  return Error{
      .kind = kind, .err = err, .subject = std::string(subject), .what = std::string(doing), .hint = {}};
}

Error make_error(ErrorKind kind, std::string_view subject, std::string_view what, std::string_view hint) {
  return Error{.kind = kind,
               .err = 0,
               .subject = std::string(subject),
               .what = std::string(what),
               .hint = std::string(hint)};
}

void assert_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "weir: internal error: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace weir
