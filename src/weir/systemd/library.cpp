// SPDX-License-Identifier: MIT
#include "weir/systemd/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace weir::systemd {
namespace {

template <typename Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

}  // namespace

Result<Library> Library::open(const std::string& soname) {
  void* handle = ::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr)
    return std::unexpected(make_error(ErrorKind::absent, "systemd",
                                      fmt::format("{} cannot be loaded, so systemd cannot be asked", soname),
                                      "install libsystemd0, or use what needs no systemd"));
  Library library;
  const char* missing = nullptr;
#define WEIR_SD_BUS(name) \
  if (!find(handle, "sd_" #name, library.name)) missing = "sd_" #name
  WEIR_SD_BUS(bus_new);
  WEIR_SD_BUS(bus_set_address);
  WEIR_SD_BUS(bus_set_bus_client);
  WEIR_SD_BUS(bus_set_method_call_timeout);
  WEIR_SD_BUS(bus_start);
  WEIR_SD_BUS(bus_is_ready);
  WEIR_SD_BUS(bus_process);
  WEIR_SD_BUS(bus_wait);
  WEIR_SD_BUS(bus_close);
  WEIR_SD_BUS(bus_unref);
  WEIR_SD_BUS(bus_call);
  WEIR_SD_BUS(bus_get_property_string);
  WEIR_SD_BUS(bus_match_signal);
  WEIR_SD_BUS(bus_slot_unref);
  WEIR_SD_BUS(bus_error_free);
  WEIR_SD_BUS(bus_message_new_method_call);
  WEIR_SD_BUS(bus_message_append);
  WEIR_SD_BUS(bus_message_append_strv);
  WEIR_SD_BUS(bus_message_open_container);
  WEIR_SD_BUS(bus_message_close_container);
  WEIR_SD_BUS(bus_message_append_array);
  WEIR_SD_BUS(bus_message_read);
  WEIR_SD_BUS(bus_message_read_array);
  WEIR_SD_BUS(bus_message_peek_type);
  WEIR_SD_BUS(bus_message_enter_container);
  WEIR_SD_BUS(bus_message_exit_container);
  WEIR_SD_BUS(bus_message_unref);
#undef WEIR_SD_BUS
  ::dlclose(handle);  // RTLD_NODELETE keeps it mapped
  if (missing != nullptr)
    return std::unexpected(make_error(ErrorKind::absent, "systemd",
                                      fmt::format("{} is too old: it has no {}", soname, missing),
                                      "systemd 240 or newer is needed"));
  return library;
}

}  // namespace weir::systemd
