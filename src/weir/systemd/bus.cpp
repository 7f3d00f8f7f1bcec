// SPDX-License-Identifier: MIT
#include "weir/systemd/bus.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "weir/systemd/library.h"

namespace weir::systemd {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

struct Call {  // an sd_bus_error and the messages of one call, freed together
  const Library& sd;
  sd_bus_error error{};  // SD_BUS_ERROR_NULL, which is C
  sd_bus_message* request = nullptr;
  sd_bus_message* reply = nullptr;

  explicit Call(const Library& library) : sd(library) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    sd.bus_error_free(&error);
    sd.bus_message_unref(request);
    sd.bus_message_unref(reply);
  }
};

ErrorKind kind_of(std::string_view name, int err) {
  if (name.ends_with(".NoSuchUnit") || name.ends_with(".UnknownObject") ||
      name.ends_with(".UnknownInterface"))
    return ErrorKind::absent;
  if (name.ends_with(".AccessDenied") || name.ends_with(".InteractiveAuthorizationRequired"))
    return ErrorKind::refused;
  if (name.ends_with(".InvalidArgs") || name.ends_with(".PropertyReadOnly") ||
      name.ends_with(".UnknownProperty"))
    return ErrorKind::invalid;
  return errno_error(err, {}, {}).kind;
}

Error bus_error(const Call& call, int result, std::string_view subject, std::string_view doing) {
  const int err = -result;
  if (err == ETIMEDOUT)
    return make_error(ErrorKind::failed, subject, fmt::format("{}: systemd did not answer in time", doing));
  if (call.error.name == nullptr) return errno_error(err, subject, doing);
  Error error = make_error(
      kind_of(call.error.name, err), subject,
      fmt::format("{}: systemd says: {}", doing, call.error.message ? call.error.message : call.error.name));
  if (error.kind == ErrorKind::refused) error.hint = "run as root";
  return error;
}

/// The interface that has ControlGroup: it follows from the unit's type.
std::string unit_interface(std::string_view unit) {
  const std::size_t dot = unit.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == unit.size()) return std::string(kService) + ".Service";
  std::string type(unit.substr(dot + 1));
  if (type[0] >= 'a' && type[0] <= 'z') type[0] = static_cast<char>(type[0] - 'a' + 'A');
  return fmt::format("{}.{}", kService, type);
}

}  // namespace

bool is_running(const HostPaths& paths) {
  struct stat st{};
  return ::lstat(paths.host("/run/systemd/system").c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

struct Bus::Handle {
  Library sd;
  sd_bus* bus = nullptr;
  microseconds timeout{0};
  std::map<std::string, std::string> finished_jobs;  // object path -> result, since the present call began

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (bus == nullptr) return;
    sd.bus_close(bus);  // not flush_close: that would wait for a bus that hangs
    sd.bus_unref(bus);
  }

  /// Lets the connection work until `done()` or the deadline; 0, or a negative errno.
  template <typename Done>
  int run_until(Done done) {
    const auto deadline = steady_clock::now() + timeout;
    while (!done()) {
      const int worked = sd.bus_process(bus, nullptr);
      if (worked < 0) return worked;
      if (worked > 0) continue;
      const auto left = std::chrono::duration_cast<microseconds>(deadline - steady_clock::now());
      if (left.count() <= 0) return -ETIMEDOUT;
      if (const int r = sd.bus_wait(bus, static_cast<std::uint64_t>(left.count())); r < 0 && r != -EINTR)
        return r;
    }
    return 0;
  }

  int open(const std::string& address) {
    int r = sd.bus_new(&bus);
    if (r >= 0) r = sd.bus_set_address(bus, address.c_str());
    // systemd's own socket is no message bus: there is nobody to say Hello to.
    if (r >= 0) r = sd.bus_set_bus_client(bus, address.find("/systemd/private") == std::string::npos ? 1 : 0);
    if (r >= 0) r = sd.bus_set_method_call_timeout(bus, static_cast<std::uint64_t>(timeout.count()));
    if (r >= 0) r = sd.bus_start(bus);
    int ready = 0;
    if (r >= 0) r = run_until([&] { return (ready = sd.bus_is_ready(bus)) != 0; });
    if (r >= 0 && ready < 0) r = ready;
    if (r < 0 && bus != nullptr) {
      sd.bus_close(bus);
      bus = sd.bus_unref(bus);
    }
    return r;
  }

  int new_call(Call& call, const char* member) {
    return sd.bus_message_new_method_call(bus, &call.request, kService, kManagerPath, kManager, member);
  }

  int send(Call& call) {
    return sd.bus_call(bus, call.request, static_cast<std::uint64_t>(timeout.count()), &call.error,
                       &call.reply);
  }

  int append(sd_bus_message* message, const Property& property) {
    const char* name = property.name.c_str();
    if (const auto* number = std::get_if<std::uint64_t>(&property.value))
      return sd.bus_message_append(message, "(sv)", name, "t", *number);
    if (const auto* flag = std::get_if<bool>(&property.value))
      return sd.bus_message_append(message, "(sv)", name, "b", *flag ? 1 : 0);
    if (const auto* text = std::get_if<std::string>(&property.value))
      return sd.bus_message_append(message, "(sv)", name, "s", text->c_str());
    const auto* devices = std::get_if<Property::Devices>(&property.value);
    const char* contents = devices != nullptr ? "a(st)" : "ay";
    int r = sd.bus_message_open_container(message, 'r', "sv");
    if (r >= 0) r = sd.bus_message_append(message, "s", name);
    if (r >= 0) r = sd.bus_message_open_container(message, 'v', contents);
    if (devices != nullptr) {
      if (r >= 0) r = sd.bus_message_open_container(message, 'a', "(st)");
      for (const auto& [path, number] : *devices)
        if (r >= 0) r = sd.bus_message_append(message, "(st)", path.c_str(), number);
      if (r >= 0) r = sd.bus_message_close_container(message);
    } else {
      const auto& bytes = std::get<std::vector<std::uint8_t>>(property.value);
      if (r >= 0) r = sd.bus_message_append_array(message, 'y', bytes.data(), bytes.size());
    }
    for (int n = 0; n < 2; ++n)
      if (r >= 0) r = sd.bus_message_close_container(message);
    return r;
  }

  /// The variant at the message's place, if it is of one of Property's types.
  int read_variant(sd_bus_message* message, std::optional<Property>& property) {
    const char* contents = nullptr;
    char type = 0;
    int r = sd.bus_message_peek_type(message, &type, &contents);
    if (r < 0 || type != 'v' || contents == nullptr) return r < 0 ? r : -EBADMSG;
    const std::string signature = contents;
    r = sd.bus_message_enter_container(message, 'v', contents);
    if (r < 0) return r;
    auto& value = property->value;
    if (signature == "t") {
      std::uint64_t number = 0;
      r = sd.bus_message_read(message, "t", &number);
      value = number;
    } else if (signature == "b") {
      int flag = 0;
      r = sd.bus_message_read(message, "b", &flag);
      value = flag != 0;
    } else if (signature == "s") {
      const char* text = nullptr;
      r = sd.bus_message_read(message, "s", &text);
      if (r >= 0) value = std::string(text);
    } else if (signature == "ay") {
      const void* bytes = nullptr;
      std::size_t size = 0;
      r = sd.bus_message_read_array(message, 'y', &bytes, &size);
      const auto* first = static_cast<const std::uint8_t*>(bytes);
      if (r >= 0) value = size == 0 ? std::vector<std::uint8_t>() : std::vector(first, first + size);
    } else if (signature == "a(st)") {
      Property::Devices devices;
      const char* path = nullptr;
      std::uint64_t number = 0;
      r = sd.bus_message_enter_container(message, 'a', "(st)");
      while (r >= 0 && (r = sd.bus_message_read(message, "(st)", &path, &number)) > 0)
        devices.emplace_back(path, number);
      value = std::move(devices);
    } else {
      property.reset();
    }
    return r;
  }

  static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& handle = *static_cast<Handle*>(self);
    const char* job = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    std::uint32_t id = 0;
    if (handle.sd.bus_message_read(message, "uoss", &id, &job, &unit, &result) >= 0 &&
        handle.finished_jobs.size() < 4096)
      handle.finished_jobs.insert_or_assign(job, result);
    return 0;
  }

  /// Sends a call that answers with a job and waits until the job is done.
  Result<void> run_job(Call& call, std::string_view subject, std::string_view doing) {
    finished_jobs.clear();
    sd_bus_slot* slot = nullptr;
    int r = sd.bus_match_signal(bus, &slot, nullptr, kManagerPath, kManager, "JobRemoved",
                                &Handle::on_job_removed, this);
    const char* job = nullptr;
    if (r >= 0) r = send(call);
    if (r >= 0) r = sd.bus_message_read(call.reply, "o", &job);
    if (r >= 0) r = run_until([&] { return finished_jobs.contains(job); });
    sd.bus_slot_unref(slot);
    if (r < 0) return std::unexpected(bus_error(call, r, subject, doing));
    if (const std::string& result = finished_jobs.at(job); result != "done" && result != "skipped")
      return std::unexpected(make_error(ErrorKind::failed, subject,
                                        fmt::format("{}: systemd's job ended as '{}'", doing, result),
                                        fmt::format("systemctl status '{}'", subject)));
    return {};
  }
};

Bus::Bus(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Bus::Bus(Bus&&) noexcept = default;
Bus& Bus::operator=(Bus&&) noexcept = default;
Bus::~Bus() = default;

Result<Bus> Bus::connect(const Options& options) {
  auto handle = std::make_unique<Handle>();
  WEIR_TRY(handle->sd, Library::open(options.soname));
  handle->timeout = options.timeout;
  Error last = make_error(ErrorKind::absent, "systemd", "no D-Bus address to try");
  for (const std::string& address : options.addresses) {
    const int r = handle->open(address);
    if (r >= 0) return Bus(std::move(handle));
    Error error = errno_error(-r, "systemd", fmt::format("connect to {}", address));
    if (r == -ECONNREFUSED) error.kind = ErrorKind::absent;
    // The first address that is more than missing says most about what is wrong.
    if (last.kind == ErrorKind::absent) last = std::move(error);
  }
  if (last.kind == ErrorKind::absent)
    last.hint = "the system bus is needed: is systemd the init, and dbus running?";
  return std::unexpected(std::move(last));
}

Result<std::string> Bus::version() {
  Call call(handle_->sd);
  char* text = nullptr;
  const int r = handle_->sd.bus_get_property_string(handle_->bus, kService, kManagerPath, kManager, "Version",
                                                    &call.error, &text);
  if (r < 0) return std::unexpected(bus_error(call, r, "systemd", "read Version"));
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  return std::string(text);
}

Result<std::string> Bus::object_path(std::string_view unit) {
  const Library& sd = handle_->sd;
  Call get(sd);
  const char* path = nullptr;
  int r = handle_->new_call(get, "GetUnit");
  if (r >= 0) r = sd.bus_message_append(get.request, "s", std::string(unit).c_str());
  if (r >= 0) r = handle_->send(get);
  if (r >= 0) r = sd.bus_message_read(get.reply, "o", &path);
  if (r < 0) return std::unexpected(bus_error(get, r, unit, "look up the unit"));
  return std::string(path);
}

Result<std::vector<Property>> Bus::unit_properties(std::string_view unit,
                                                   const std::vector<std::string>& names) {
  WEIR_TRY(const std::string path, object_path(unit));
  const Library& sd = handle_->sd;
  const std::string interface = unit_interface(unit);
  std::vector<Property> properties;
  for (const std::string& name : names) {
    Call get(sd);
    int r = sd.bus_message_new_method_call(handle_->bus, &get.request, kService, path.c_str(),
                                           "org.freedesktop.DBus.Properties", "Get");
    if (r >= 0) r = sd.bus_message_append(get.request, "ss", interface.c_str(), name.c_str());
    if (r >= 0) r = handle_->send(get);
    if (r < 0 && get.error.name != nullptr &&
        std::string_view(get.error.name) == "org.freedesktop.DBus.Error.UnknownProperty")
      continue;
    std::optional<Property> property = Property{.name = name, .value = {}};
    if (r >= 0) r = handle_->read_variant(get.reply, property);
    if (r < 0) return std::unexpected(bus_error(get, r, unit, fmt::format("read its {}", name)));
    if (property) properties.push_back(std::move(*property));
  }
  return properties;
}

Result<std::string> Bus::control_group(std::string_view unit) {
  WEIR_TRY(const std::string path, object_path(unit));
  const Library& sd = handle_->sd;
  Call read(sd);
  char* text = nullptr;
  const int r = sd.bus_get_property_string(handle_->bus, kService, path.c_str(), unit_interface(unit).c_str(),
                                           "ControlGroup", &read.error, &text);
  if (r < 0) return std::unexpected(bus_error(read, r, unit, "read its ControlGroup"));
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  if (*text == '\0')
    return std::unexpected(make_error(ErrorKind::absent, unit, "has no cgroup: the unit is not running"));
  return std::string(text);
}

Result<void> Bus::set_unit_properties(std::string_view unit, const std::vector<Property>& properties) {
  const Library& sd = handle_->sd;
  Call call(sd);
  int r = handle_->new_call(call, "SetUnitProperties");
  if (r >= 0) r = sd.bus_message_append(call.request, "sb", std::string(unit).c_str(), 1);
  if (r >= 0) r = sd.bus_message_open_container(call.request, 'a', "(sv)");
  for (const Property& property : properties)
    if (r >= 0) r = handle_->append(call.request, property);
  if (r >= 0) r = sd.bus_message_close_container(call.request);
  if (r >= 0) r = handle_->send(call);
  if (r < 0) return std::unexpected(bus_error(call, r, unit, "set its properties"));
  return {};
}

Result<void> Bus::start_transient_timer(std::string_view name, std::chrono::microseconds delay,
                                        const std::vector<std::string>& argv) {
  if (argv.empty() || !argv.front().starts_with('/') || delay.count() <= 0)
    return std::unexpected(
        make_error(ErrorKind::invalid, name, "a timer needs a delay and the absolute path of a program"));
  const Library& sd = handle_->sd;
  const std::string timer = fmt::format("{}.timer", name);
  const std::string service = fmt::format("{}.service", name);
  std::vector<char*> strings;
  strings.reserve(argv.size() + 1);
  for (const std::string& argument : argv) strings.push_back(const_cast<char*>(argument.c_str()));
  strings.push_back(nullptr);

  Call call(sd);
  int r = handle_->new_call(call, "StartTransientUnit");
  if (r >= 0) r = sd.bus_message_append(call.request, "ss", timer.c_str(), "fail");
  // AccuracyUSec: systemd would otherwise let it fire up to a minute late.
  if (r >= 0)
    r = sd.bus_message_append(call.request, "a(sv)", 4,  //
                              "TimersMonotonic", "a(st)", 1, "OnActiveSec",
                              static_cast<std::uint64_t>(delay.count()),  //
                              "AccuracyUSec", "t", std::uint64_t{1'000},  //
                              "RemainAfterElapse", "b", 0,                //
                              "CollectMode", "s", "inactive-or-failed");
  const auto open = [&](char type, const char* contents) {
    if (r >= 0) r = sd.bus_message_open_container(call.request, type, contents);
  };
  const auto close = [&](int times) {
    for (; times > 0 && r >= 0; --times) r = sd.bus_message_close_container(call.request);
  };
  open('a', "(sa(sv))");
  open('r', "sa(sv)");
  if (r >= 0) r = sd.bus_message_append(call.request, "s", service.c_str());
  open('a', "(sv)");
  if (r >= 0) r = sd.bus_message_append(call.request, "(sv)", "CollectMode", "s", "inactive-or-failed");
  open('r', "sv");
  if (r >= 0) r = sd.bus_message_append(call.request, "s", "ExecStart");
  open('v', "a(sasb)");
  open('a', "(sasb)");
  open('r', "sasb");
  if (r >= 0) r = sd.bus_message_append(call.request, "s", argv.front().c_str());
  if (r >= 0) r = sd.bus_message_append_strv(call.request, strings.data());
  if (r >= 0) r = sd.bus_message_append(call.request, "b", 0);
  close(7);
  if (r < 0) return std::unexpected(bus_error(call, r, timer, "describe the timer"));
  return handle_->run_job(call, timer, "start the timer");
}

Result<void> Bus::stop_unit(std::string_view unit) {
  Call call(handle_->sd);
  int r = handle_->new_call(call, "StopUnit");
  if (r >= 0) r = handle_->sd.bus_message_append(call.request, "ss", std::string(unit).c_str(), "replace");
  if (r < 0) return std::unexpected(bus_error(call, r, unit, "stop the unit"));
  return handle_->run_job(call, unit, "stop the unit");
}

Result<std::string> Bus::start_transient_scope(std::string_view name, std::string_view slice, Pid pid) {
  const std::string scope = name.ends_with(".scope") ? std::string(name) : fmt::format("{}.scope", name);
  Call call(handle_->sd);
  int r = handle_->new_call(call, "StartTransientUnit");
  if (r >= 0)
    r = handle_->sd.bus_message_append(call.request, "ssa(sv)a(sa(sv))", scope.c_str(), "fail", 4,  //
                                       "PIDs", "au", 1, static_cast<std::uint32_t>(pid.count()),    //
                                       "Slice", "s", std::string(slice).c_str(),                    //
                                       "Delegate", "b", 1,                                          //
                                       "CollectMode", "s", "inactive-or-failed",                    //
                                       0);
  if (r < 0) return std::unexpected(bus_error(call, r, scope, "describe the scope"));
  WEIR_CHECK(handle_->run_job(call, scope, "start the scope"));
  return control_group(scope);
}

}  // namespace weir::systemd
