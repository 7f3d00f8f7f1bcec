// SPDX-License-Identifier: MIT
#pragma once
// What a client asked, taken from the head of an HTTP/1 request. Bytes in, values out: no sockets.
// Boost.Beast parses; request.cpp alone includes it.

#include <expected>
#include <string>
#include <string_view>

namespace weir::serve {

struct Request {
  std::string method;  ///< "GET"
  std::string path;    ///< without the query
  std::string host;    ///< "" where it was not said
  std::string accept;
};

/// `head` up to and with the empty line. Otherwise the status that says what is wrong with it: 400 (no HTTP,
/// two hosts, a body).
std::expected<Request, unsigned> parse_request(std::string_view head);

/// Whether the header Host names this host itself: a page that a browser on this host shows cannot say that
/// of its own server, whatever its name resolves to.
bool is_local_host(std::string_view host);

/// Whether Accept wants OpenMetrics rather than Prometheus' own text.
bool wants_openmetrics(std::string_view accept);

}  // namespace weir::serve
