// SPDX-License-Identifier: MIT
#include "weir/docker/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "weir/base/json.h"
#include "weir/docker/containers.h"

namespace weir::docker {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text)
    if (is_unreserved(c))
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return encoded;
}

/// What the Engine lets a container be called: anything else cannot be there and is not asked for.
bool is_container_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 &&
         std::ranges::all_of(name, [](char c) { return is_unreserved(c) && c != '~'; });
}

Result<std::string> container_path(std::string_view id, std::string_view what) {
  // "." and ".." would be resolved away by the daemon's router.
  if (!is_container_name(id) || id.front() == '.')
    return std::unexpected(make_error(ErrorKind::invalid, id, "is no id or name that Docker could have"));
  return fmt::format("/containers/{}/{}", percent_encode(id), what);
}

Result<Json> object_of(std::string_view body, std::string_view what) {
  auto json = parse_json(body, "docker");
  if (!json || !json->is_object())
    return std::unexpected(
        make_error(ErrorKind::failed, "docker", fmt::format("its answer to {} is not a JSON object", what)));
  return json;
}

std::optional<Pid> pid_member(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  if (found == nullptr || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  if (value == 0 || value > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return Pid(static_cast<std::int32_t>(value));
}

std::uint64_t unsigned_member(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  return found != nullptr && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// 0 for what is no whole number of 64 bits.
std::int64_t signed_member(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  if (found == nullptr || !found->is_number_integer()) return 0;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    return 0;
  return found->get<std::int64_t>();
}

Client::Resources resources_of(const Json& host) {
  return {.nano_cpus = signed_member(host, "NanoCpus"),
          .cpu_quota = signed_member(host, "CpuQuota"),
          .cpu_period = signed_member(host, "CpuPeriod"),
          .cpu_shares = signed_member(host, "CpuShares"),
          .memory = signed_member(host, "Memory"),
          .memory_swap = signed_member(host, "MemorySwap"),
          .memory_reservation = signed_member(host, "MemoryReservation"),
          .pids_limit = signed_member(host, "PidsLimit"),
          .cpuset_cpus = string_member(host, "CpusetCpus"),
          .cpuset_mems = string_member(host, "CpusetMems")};
}

Error status_error(const Answer& answer, std::string_view path) {
  // Engine errors are {"message": …}; whatever else answers on that socket gets its first bytes quoted.
  std::string said;
  if (const auto json = parse_json(answer.body, "docker")) said = string_member(*json, "message");
  if (said.empty()) said = answer.body;
  if (said.size() > 300) said = said.substr(0, 300) + "…";
  const ErrorKind kind = answer.status == 404   ? ErrorKind::absent
                         : answer.status == 403 ? ErrorKind::refused
                         : answer.status == 400 ? ErrorKind::invalid
                                                : ErrorKind::failed;
  return make_error(kind, "docker", fmt::format("{} answered {}: {}", path, answer.status, said));
}

/// 404 about one container: it has ended.
Result<std::string> absent_is_gone(Result<std::string> body) {
  if (!body && body.error().kind == ErrorKind::absent) body.error().kind = ErrorKind::gone;
  return body;
}

}  // namespace

Result<Client> Client::connect(Options options) {
  HttpConnection connection({std::move(options.socket), options.timeout, options.body_limit});
  WEIR_CHECK(connection.open());
  return Client(std::move(connection));
}

Result<Client::Answer> Client::call(std::string_view method, std::string_view path, std::string_view body) {
  return connection_.request(method, path, body);
}

Result<std::string> Client::ask(std::string_view method, std::string_view path, std::string_view body) {
  WEIR_TRY(Answer answer, call(method, path, body));
  if (answer.status < 200 || answer.status > 299) return std::unexpected(status_error(answer, path));
  return std::move(answer.body);
}

Result<std::string> Client::version() {
  WEIR_TRY(const std::string body, ask("GET", "/version"));
  WEIR_TRY(const Json json, object_of(body, "/version"));
  std::string version = string_member(json, "Version");
  if (version.empty())
    return std::unexpected(make_error(ErrorKind::failed, "docker", "its answer to /version has no Version"));
  return version;
}

Result<Client::Info> Client::info() {
  WEIR_TRY(const std::string body, ask("GET", "/info"));
  WEIR_TRY(const Json json, object_of(body, "/info"));
  return Info{string_member(json, "CgroupDriver"), string_member(json, "CgroupVersion"),
              string_member(json, "ServerVersion"), unsigned_member(json, "NCPU"),
              unsigned_member(json, "MemTotal")};
}

Result<std::vector<Container>> Client::list() {
  WEIR_TRY(const std::string body, ask("GET", "/containers/json"));
  return containers_from_json(body);
}

Result<std::vector<Container>> Client::list_named(std::string_view name) {
  if (!is_container_name(name)) return std::vector<Container>();
  // The filter is a regular expression over "/name" (Docker) or "name" (Podman).
  std::string pattern = "^/?";
  for (const char c : name) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  pattern += '$';
  const std::string filters = dump_json(Json{{"name", Json::array({pattern})}}, -1);
  WEIR_TRY(const std::string body, ask("GET", "/containers/json?filters=" + percent_encode(filters)));
  WEIR_TRY(std::vector<Container> containers, containers_from_json(body));
  std::erase_if(containers, [&](const Container& each) { return each.name != name; });
  return containers;
}

Result<Client::Inspect> Client::inspect(std::string_view id) {
  WEIR_TRY(const std::string path, container_path(id, "json"));
  WEIR_TRY(const std::string body, absent_is_gone(ask("GET", path)));
  WEIR_TRY(const Json json, object_of(body, path));
  Inspect inspect;
  inspect.id = string_member(json, "Id");
  if (!is_full_id(inspect.id))
    return std::unexpected(
        make_error(ErrorKind::failed, "docker", fmt::format("its answer to {} has no Id", path)));
  inspect.name = string_member(json, "Name");
  if (inspect.name.starts_with('/')) inspect.name.erase(0, 1);
  if (const Json* config = member(json, "Config")) inspect.image = string_member(*config, "Image");
  if (const Json* host = member(json, "HostConfig")) {
    inspect.cgroup_parent = string_member(*host, "CgroupParent");
    inspect.resources = resources_of(*host);
  }
  if (const Json* state = member(json, "State")) inspect.pid = pid_member(*state, "Pid");
  return inspect;
}

Result<void> Client::update(std::string_view id, const Update& update) {
  WEIR_TRY(const std::string path, container_path(id, "update"));
  WEIR_CHECK(absent_is_gone(ask("POST", path, update.json)));
  return {};
}

}  // namespace weir::docker
