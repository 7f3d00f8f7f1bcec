// SPDX-License-Identifier: MIT
#pragma once
// A sync record in the JSON of `set`, `undo`, `sync` and `status`. Include only in .cpp files.

#include "weir/base/json.h"
#include "weir/limits/sync_record.h"

namespace weir::cli {

Json sync_json(const limits::SyncRecord& record);

}  // namespace weir::cli
