// SPDX-License-Identifier: MIT
#pragma once
// Frames on a virtio-serial port, the guest's half of the wire protocol (vm/README.md, "Wire protocol").
// A frame is one byte of kind, four bytes of length (little endian) and that many bytes.

#include <stddef.h>
#include <stdint.h>

enum { kFrameMax = 256 * 1024, kHeader = 5 };

struct Port {
  int fd;
  size_t filled;  // bytes in `bytes`
  size_t used;    // bytes of the frame that port_next() handed out last
  char bytes[kHeader + kFrameMax];
};

struct Frame {
  char kind;
  uint32_t length;
  const char* body;  // inside the port; valid until the next port_fill()
};

/// Reads once what is there. Returns 0 when no host holds the other end, -1 on error.
long port_fill(struct Port* port);

/// Takes the next complete frame from what was read; 0 when there is none.
int port_next(struct Port* port, struct Frame* frame);

/// Writes a whole frame, waiting for the host as long as it takes.
void port_send(struct Port* port, char kind, const void* body, uint32_t length);
