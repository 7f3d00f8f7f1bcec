// SPDX-License-Identifier: MIT
// Any bytes as the head of a request, an Accept, a Host and an address: values or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/base/error.h"
#include "weir/serve/address.h"
#include "weir/serve/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto request = weir::serve::parse_request(bytes)) {
    WEIR_ASSERT(!request->method.empty() && request->path.find('?') == std::string::npos);
    WEIR_ASSERT(request->host.find('\n') == std::string::npos);
  }
  static_cast<void>(weir::serve::wants_openmetrics(bytes));
  static_cast<void>(weir::serve::is_local_host(bytes));
  if (const auto address = weir::serve::parse_address(bytes))
    static_cast<void>(weir::serve::to_string(*address));
  return 0;
}
