// SPDX-License-Identifier: MIT
// The only program of the initramfs: loads the modules that the root disk needs, mounts the root disk and the
// kernel's own modules, and hands over to systemd. With "vm.probe" on the kernel's command line it only says
// hello and ends the machine: that is how the host learns whether KVM really runs guests.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char* what) {
  dprintf(2, "init: %s: %s\n", what, strerror(errno));
  reboot(RB_AUTOBOOT);
}

static void probe(void) {
  char line[4096] = "";
  mount("proc", "/proc", "proc", 0, "");
  int fd = open("/proc/cmdline", O_RDONLY);
  if (fd >= 0 && read(fd, line, sizeof line - 1) < 0) line[0] = 0;
  umount2("/proc", MNT_DETACH);
  if (!strstr(line, "vm.probe")) return;
  dprintf(1, "init: the probe works\n");
  reboot(RB_AUTOBOOT);
}

// /modules holds them as 00-name.ko, 01-name.ko, … in the order of their dependencies.
static void load_modules(void) {
  struct dirent** names;
  int count = scandir("/modules", &names, NULL, alphasort);
  for (int i = 0; i < count; ++i) {
    char path[512];
    if (names[i]->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/modules/%s", names[i]->d_name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
      dprintf(2, "init: %s: %s\n", path, strerror(errno));
    close(fd);
  }
}

static void wait_for(const char* device) {
  for (int i = 0; i < 5000 && access(device, F_OK) != 0; ++i) usleep(2000);
}

int main(void) {
  mkdir("/dev", 0755);
  mkdir("/proc", 0755);
  mkdir("/root", 0755);
  if (mount("devtmpfs", "/dev", "devtmpfs", 0, "") && errno != EBUSY) die("/dev");
  probe();
  load_modules();
  wait_for("/dev/vda");
  wait_for("/dev/vdc");
  if (mount("/dev/vda", "/root", "ext4", MS_NOATIME, "")) die("mount /dev/vda");
  if (mount("/dev/vdc", "/root/usr/lib/modules", "ext4", MS_RDONLY | MS_NOATIME, "")) die("mount /dev/vdc");
  if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL)) die("move /dev");
  if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/")) die("switch root");
  char* arguments[] = {"/sbin/init", NULL};
  execv(arguments[0], arguments);
  die("exec /sbin/init");
}
