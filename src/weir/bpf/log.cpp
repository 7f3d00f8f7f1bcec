// SPDX-License-Identifier: MIT
#include "weir/bpf/log.h"

#include <bpf/libbpf.h>

#include <array>
#include <cstdarg>
#include <cstdio>

#include "weir/base/text.h"

namespace weir::bpf {
namespace {

constexpr std::size_t kKept = std::size_t{64} * 1024;

/// Where the calling thread's messages go; nullptr: nowhere.
std::string*& capture() {
  thread_local std::string* text = nullptr;
  return text;
}

int keep(libbpf_print_level level, const char* format, va_list arguments) {
  if (capture() == nullptr || level == LIBBPF_DEBUG || capture()->size() > kKept) return 0;
  std::array<char, 1024> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  if (length > 0) capture()->append(line.data());
  return 0;
}

}  // namespace

Log::Log() : outer_(capture()) {
  capture() = &text_;
  libbpf_set_print(keep);
}

Log::~Log() { capture() = outer_; }

std::string Log::last_warning() const {
  std::string_view last;
  for (const std::string_view line : split(text_, '\n')) {
    const std::string_view kept = trim(line);
    // The verifier's own dump is long; libbpf's sentences carry its prefix, and the last ones only repeat
    // that it failed.
    if (!kept.starts_with("libbpf: ") || kept.starts_with("libbpf: --")) continue;
    if (kept.starts_with("libbpf: failed to load") && !last.empty()) continue;
    last = kept.substr(8);
  }
  return std::string(last);
}

}  // namespace weir::bpf
