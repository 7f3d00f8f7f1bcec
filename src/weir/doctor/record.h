// SPDX-License-Identifier: MIT
#pragma once
// The record of what `doctor --fix` did: <state_dir>/doctor.json, replaced durably before and after each
// step.

#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/doctor/setup.h"

namespace weir::doctor {

struct Record {
  std::string boot_id;  ///< the steps are over when the host has another one
  std::vector<Step> steps;
};

Result<Record> parse_record(std::string_view text);
std::string to_text(const Record& record);

/// An empty record where there is none; failed or invalid where it cannot be read: nothing is changed then.
Result<Record> load_record(const HostPaths& paths);
/// Removes the file where there are no steps.
Result<void> save_record(const HostPaths& paths, const Record& record);

/// Held while the record is read and written; refused where another doctor holds it.
Result<Fd> lock_record(const HostPaths& paths);

}  // namespace weir::doctor
