// SPDX-License-Identifier: MIT
#pragma once
// Log: libbpf's own messages, kept instead of printed, because they say why a program was refused. libbpf has
// one print hook per process and gives it no context, so the text goes to the capture of the calling thread.

#include <string>

namespace weir::bpf {

class Log {
 public:
  Log();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;
  /// The last sentence of a warning so far, one line, without libbpf's prefix; "" where there was none.
  [[nodiscard]] std::string last_warning() const;

 private:
  std::string text_;
  std::string* outer_;
};

}  // namespace weir::bpf
