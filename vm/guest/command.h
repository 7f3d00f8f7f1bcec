// SPDX-License-Identifier: MIT
#pragma once
// One command: started from a frame 'R', its streams carried in frames until it ended. What it leaves running
// in the background lives on; only its own end counts.

#include "frame.h"

/// Runs the command that `request` describes and reports it on `port`, ending with a frame 'X'.
void run_command(struct Port* port, const struct Frame* request);
