// SPDX-License-Identifier: MIT
#include "weir/serve/request.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "weir/base/text.h"

namespace weir::serve {
namespace {

namespace http = boost::beast::http;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

/// "q=0.5" of one entry of Accept; 1 where it says none.
double quality(const std::vector<std::string_view>& parameters) {
  for (const std::string_view parameter : parameters)
    if (const std::string_view each = trim(parameter); each.starts_with("q="))
      return parse_decimal(each.substr(2)).value_or(0);
  return 1;
}

}  // namespace

std::expected<Request, unsigned> parse_request(std::string_view head) {
  constexpr unsigned kBad = 400;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(head.size() + 1, UINT32_MAX)));
  boost::beast::error_code failure;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), failure);
  if (failure || !parser.is_header_done()) return std::unexpected(kBad);
  const auto& message = parser.get();
  if (message.count(http::field::host) > 1 || parser.chunked() || parser.content_length().value_or(0) > 0)
    return std::unexpected(kBad);
  Request request{.method = text(message.method_string()),
                  .path = text(message.target()),
                  .host = text(message[http::field::host]),
                  .accept = text(message[http::field::accept])};
  request.path.resize(std::min(request.path.find('?'), request.path.size()));
  return request;
}

bool is_local_host(std::string_view host) {
  const std::size_t name_end = host.starts_with('[') ? host.find(']') : host.find(':');
  const std::size_t colon = name_end == std::string_view::npos ? name_end : host.find(':', name_end);
  if (colon != std::string_view::npos) {
    const auto port = parse_u64(host.substr(colon + 1));
    if (!port || *port > UINT16_MAX) return false;
    host = host.substr(0, colon);
  }
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

bool wants_openmetrics(std::string_view accept) {
  double openmetrics = 0, plain = 0;
  for (const std::string_view entry : split(accept, ',')) {
    const std::vector<std::string_view> parts = split(entry, ';');
    const std::string_view type = trim(parts.front());
    if (type == "application/openmetrics-text") openmetrics = std::max(openmetrics, quality(parts));
    if (type == "text/plain") plain = std::max(plain, quality(parts));
  }
  return openmetrics > 0 && openmetrics >= plain;
}

}  // namespace weir::serve
