// SPDX-License-Identifier: MIT
#pragma once
// Library: the few functions of libsystemd's sd-bus that we call, found by dlopen, so that one weir binary
// runs on hosts with and without systemd. The library stays mapped once opened: it registers thread-local
// state.

#include <systemd/sd-bus.h>

#include <string>

#include "weir/base/error.h"

namespace weir::systemd {

struct Library {
#define WEIR_SD_BUS(name) decltype(&sd_##name) name = nullptr
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

  /// absent: no such library on this host, or one that lacks a function (which one is named).
  static Result<Library> open(const std::string& soname);
};

}  // namespace weir::systemd
