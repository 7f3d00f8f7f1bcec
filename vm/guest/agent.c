// SPDX-License-Identifier: MIT
// The guest's agent: one process for each virtio-serial port named "vm.<number>", running one command at a
// time there. Static, started early by systemd, up long before Docker. A second port keeps the guest
// reachable when a command on the first one hangs.

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "frame.h"

static void serve(const char* device) {
  static struct Port port;
  port.fd = open(device, O_RDWR | O_CLOEXEC);
  if (port.fd < 0) {
    fprintf(stderr, "agent: %s: %s\n", device, strerror(errno));
    _exit(1);
  }
  for (;;) {
    struct Frame frame;
    if (port_fill(&port) <= 0) {
      usleep(20000);  // no host yet; it may come back after a resume
      continue;
    }
    while (port_next(&port, &frame)) {
      if (frame.kind == 'H') port_send(&port, 'H', frame.body, frame.length);
      if (frame.kind == 'R') run_command(&port, &frame);
      // Anything else belongs to a command that has ended.
    }
  }
}

// There is no udev in the guest: the port's device is named after its sysfs directory, not after the port.
static int is_ours(const char* directory) {
  char path[512], name[64] = "";
  snprintf(path, sizeof path, "%s/name", directory);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, name, sizeof name - 1);
  close(fd);
  return n > 0 && strncmp(name, "vm.", 3) == 0;
}

static int start_ports(void) {
  glob_t ports;
  int started = 0;
  if (glob("/sys/class/virtio-ports/*", 0, NULL, &ports) != 0) return 0;
  for (size_t i = 0; i < ports.gl_pathc; ++i) {
    char device[512];
    if (!is_ours(ports.gl_pathv[i])) continue;
    snprintf(device, sizeof device, "/dev%s", strrchr(ports.gl_pathv[i], '/'));
    if (fork() == 0) serve(device);
    ++started;
  }
  globfree(&ports);
  return started;
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  while (start_ports() == 0) usleep(20000);
  while (wait(NULL) > 0 || errno == EINTR) {
  }
  return 1;
}
