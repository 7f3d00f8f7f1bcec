// SPDX-License-Identifier: MIT
#include "weir/serve/endpoint.h"

#include <fmt/format.h>

#include "weir/base/version.h"

namespace weir::serve {

Result<std::unique_ptr<Endpoint>> Endpoint::open(const Address& address, const Clock& clock) {
  std::unique_ptr<Endpoint> endpoint(new Endpoint(address));
  WEIR_TRY(Server server, Server::open(address, clock, [self = endpoint.get()](const Request& request) {
             return self->answer(request);
           }));
  endpoint->server_ = std::make_unique<Server>(std::move(server));
  return endpoint;
}

exports::Watching& Endpoint::watching() {
  pages_ = {};
  return watching_;
}

void Endpoint::see(const Frame& frame, const std::function<bool(const Container&)>& wanted) {
  pages_ = {};
  frame_.number = frame.number;
  frame_.at = frame.at;
  frame_.time = frame.time;
  frame_.generation = frame.generation;
  frame_.host = frame.host;
  std::size_t count = 0;
  for (std::size_t n = 0; n < frame.subjects.size(); ++n) {
    const Subject& subject = frame.subjects[n];
    if (!wanted(subject.container)) continue;
    if (count == frame_.subjects.size()) {
      frame_.subjects.push_back(subject);
      frame_.samples.push_back(frame.samples[n]);
    } else {
      // Comparing costs less than copying: they are the same ones for a long time.
      if (frame_.subjects[count] != subject) frame_.subjects[count] = subject;
      frame_.samples[count] = frame.samples[n];
    }
    ++count;
  }
  frame_.subjects.resize(count);
  frame_.samples.resize(count);
}

std::shared_ptr<const std::string> Endpoint::page(exports::Dialect dialect) {
  std::shared_ptr<const std::string>& page = pages_.at(static_cast<std::size_t>(dialect));
  if (page == nullptr)
    page = std::make_shared<const std::string>(exports::prometheus_text(frame_, watching_, dialect));
  return page;
}

Reply Endpoint::answer(const Request& request) {
  if (loopback_ && !is_local_host(request.host))
    return {.status = request.host.empty() ? 400U : 403U, .body = {}};
  if (request.method != "GET" && request.method != "HEAD") return {.status = 405, .body = {}};
  if (request.path == "/")
    return {.body = std::make_shared<const std::string>(
                fmt::format("weir {}: metrics of this host and its containers are at /metrics\n", kVersion))};
  if (request.path != "/metrics") return {.status = 404, .body = {}};
  const exports::Dialect dialect =
      wants_openmetrics(request.accept) ? exports::Dialect::openmetrics : exports::Dialect::prometheus;
  return {.content_type = exports::content_type(dialect), .body = page(dialect)};
}

}  // namespace weir::serve
