// SPDX-License-Identifier: MIT
#include "frame.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void forget_used(struct Port* port) {
  memmove(port->bytes, port->bytes + port->used, port->filled - port->used);
  port->filled -= port->used;
  port->used = 0;
}

long port_fill(struct Port* port) {
  forget_used(port);
  size_t room = sizeof port->bytes - port->filled;
  if (room == 0) {  // a frame longer than kFrameMax: not our host; start over
    port->filled = 0;
    room = sizeof port->bytes;
  }
  ssize_t n = read(port->fd, port->bytes + port->filled, room);
  if (n > 0) port->filled += (size_t)n;
  return n;
}

int port_next(struct Port* port, struct Frame* frame) {
  const char* at = port->bytes + port->used;
  size_t left = port->filled - port->used;
  if (left < kHeader) return 0;
  uint32_t length;
  memcpy(&length, at + 1, sizeof length);
  if (left - kHeader < length) return 0;
  *frame = (struct Frame){.kind = at[0], .length = length, .body = at + kHeader};
  port->used += kHeader + length;
  return 1;
}

static void write_all(int fd, const char* bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n > 0) {
      bytes += n;
      length -= (size_t)n;
    } else if (errno != EINTR) {
      usleep(2000);  // the host is away or its buffer is full
    }
  }
}

void port_send(struct Port* port, char kind, const void* body, uint32_t length) {
  char header[kHeader] = {kind};
  memcpy(header + 1, &length, sizeof length);
  write_all(port->fd, header, sizeof header);
  write_all(port->fd, body, length);
}
