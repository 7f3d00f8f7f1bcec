// SPDX-License-Identifier: MIT
#pragma once
// Error: why something could not be done, and Result<T>: a value or an Error. Recoverable trouble only; a bug
// is WEIR_ASSERT. Nothing here prints.

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

/// What sort of failure it is: callers branch on this, never on the text.
enum class ErrorKind {
  gone,     ///< the thing was there and has ended (ENODEV, a removed cgroup, a dead process)
  absent,   ///< the host has no such thing: controller off, kernel too old, runtime not running
  refused,  ///< no permission, or a guard of ours said no
  invalid,  ///< the input is wrong; nothing was touched
  failed,   ///< everything else
};

std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::failed;
  int err = 0;          ///< errno, or 0
  std::string subject;  ///< what it happened to: a path, a name, a knob; may be hostile bytes
  std::string what;     ///< what was being done and what went wrong, in words
  std::string hint;     ///< what to do next; may be empty

  /// "SUBJECT: what: strerror". The caller escapes it for its output.
  [[nodiscard]] std::string message() const;
  /// Adds what the caller was doing in front of `what`.
  [[nodiscard]] Error context(std::string_view doing) &&;
  [[nodiscard]] Error with_hint(std::string_view text) &&;
};

/// An Error from errno: ENODEV/ESRCH -> gone, ENOENT/EOPNOTSUPP/ENOSYS -> absent, EACCES/EPERM/EROFS ->
/// refused, EINVAL/ERANGE -> invalid, the rest -> failed. ENOENT cannot tell gone from absent: callers that
/// can, do.
Error errno_error(int err, std::string_view subject, std::string_view doing);
Error make_error(ErrorKind kind, std::string_view subject, std::string_view what, std::string_view hint = {});

template <typename T>
using Result = std::expected<T, Error>;

[[noreturn]] void assert_failed(const char* what, const char* file, int line);

}  // namespace weir

#define WEIR_CONCAT_(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_(a, b)

/// WEIR_TRY(std::string text, dir.read("cpu.max")): declares and takes the value, or returns the error.
#define WEIR_TRY(declaration, expression) \
  WEIR_TRY_(declaration, (expression), WEIR_CONCAT(weir_result_, __LINE__))
#define WEIR_TRY_(declaration, expression, result)                               \
  auto result = expression;                                                      \
  if (!result) return std::unexpected<::weir::Error>(std::move(result).error()); \
  declaration = std::move(*result)

/// WEIR_CHECK(dir.write(…)): for Result<void>, or when the value is not wanted.
#define WEIR_CHECK(expression)                                                \
  do {                                                                        \
    if (auto weir_checked = (expression); !weir_checked)                      \
      return std::unexpected<::weir::Error>(std::move(weir_checked).error()); \
  } while (false)

#define WEIR_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::assert_failed(#condition, __FILE__, __LINE__))
