// SPDX-License-Identifier: MIT
#pragma once
// Bus: the system manager over D-Bus through libsystemd, which is opened at run time where it is there (a
// host without systemd needs no library). One connection; not shared between threads. Every call is bounded
// by Options::timeout.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/model/host_paths.h"

namespace weir::systemd {

/// Whether systemd is the running init: /run/systemd/system is there (sd_booted(3)).
bool is_running(const HostPaths& paths);

struct Property {
  std::string name;  ///< "CPUQuotaPerSecUSec", "MemoryMax", "CPUWeight", "Description", …
  /// In D-Bus's types t, b, s, ay (a set of CPUs: bit n of byte n/8) and a(st) (a device's path and its
  /// number; what is set replaces the entries of the paths named).
  using Devices = std::vector<std::pair<std::string, std::uint64_t>>;
  std::variant<std::uint64_t, bool, std::string, std::vector<std::uint8_t>, Devices> value;
};

struct Options {
  std::string soname = "libsystemd.so.0";  ///< what is opened for sd-bus
  /// D-Bus addresses tried in this order: the system bus, then systemd's own socket (root only; works without
  /// a bus).
  std::vector<std::string> addresses = {"unix:path=/run/dbus/system_bus_socket",
                                        "unix:path=/run/systemd/private"};
  std::chrono::milliseconds timeout{10'000};  ///< for each call, waiting for the unit's job included
};

class Bus {
 public:
  /// absent: no libsystemd.so.0 or no system bus.
  static Result<Bus> connect(const Options& options = {});
  Bus(Bus&&) noexcept;
  Bus& operator=(Bus&&) noexcept;
  ~Bus();

  /// The manager's Version property: "257.9-1".
  Result<std::string> version();
  /// Manager.GetUnit, then its ControlGroup: the cgroup path of a loaded unit; absent when there is none.
  Result<std::string> control_group(std::string_view unit);
  /// These properties of a loaded unit, in this order; absent when there is no such unit. systemd answers
  /// only once it has carried out what it was told before, so this is also how to wait for that. What has
  /// another type than Property's, or is not known to this systemd, is left out.
  Result<std::vector<Property>> unit_properties(std::string_view unit, const std::vector<std::string>& names);
  /// Manager.SetUnitProperties(unit, runtime=true, properties). Returns at the reply; the kernel's files are
  /// written a little later (unit_properties waits for it).
  Result<void> set_unit_properties(std::string_view unit, const std::vector<Property>& properties);
  /// A transient timer unit `name`.timer that runs argv once after `delay` as a service `name`.service, both
  /// collected afterwards. The service is outside of the caller's cgroup and survives it. Returns once the
  /// timer is armed.
  Result<void> start_transient_timer(std::string_view name, std::chrono::microseconds delay,
                                     const std::vector<std::string>& argv);
  /// Returns once it has stopped; absent when no such unit is loaded.
  Result<void> stop_unit(std::string_view unit);
  /// A transient scope `name` with Delegate=yes that holds `pid`; returns its cgroup path.
  Result<std::string> start_transient_scope(std::string_view name, std::string_view slice, Pid pid);

 private:
  struct Handle;
  explicit Bus(std::unique_ptr<Handle> handle);
  Result<std::string> object_path(std::string_view unit);
  std::unique_ptr<Handle> handle_;
};

}  // namespace weir::systemd
