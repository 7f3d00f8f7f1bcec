// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kStdinWindow = 64 * 1024, kOutputPiece = 32 * 1024 };

struct Command {
  struct Port* port;
  pid_t pid;
  int pidfd, in, out, err;  // -1: closed
  // stdin that the command has not taken yet; the host never sends more than this.
  char pending[kStdinWindow];
  size_t pending_length;
  int stdin_ended;
};

// Body of 'R': NUL-terminated strings: directory, number of variables, the variables, the arguments.
static char** split(const struct Frame* request, char** directory, char*** variables) {
  char* text = malloc(request->length + 1);
  char** strings = calloc(request->length + 4, sizeof *strings);
  memcpy(text, request->body, request->length);
  text[request->length] = 0;
  size_t count = 0;
  for (char* at = text; at < text + request->length; at += strlen(at) + 1) strings[count++] = at;
  if (count < 3) return NULL;
  size_t n = strtoul(strings[1], NULL, 10);
  if (n + 2 >= count) return NULL;
  *directory = strings[0];
  *variables = calloc(n + 1, sizeof **variables);
  memcpy(*variables, strings + 2, n * sizeof **variables);
  return strings + 2 + n;
}

static void become(const struct Frame* request) {
  char *directory = NULL, **variables = NULL;
  char** arguments = split(request, &directory, &variables);
  setsid();
  // With the agent's own -1000 the kernel would let a container exceed memory.max rather than kill it.
  int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score < 0 || write(score, "0", 1) != 1) dprintf(2, "agent: oom_score_adj: %s\n", strerror(errno));
  signal(SIGPIPE, SIG_DFL);
  if (!arguments) {
    dprintf(2, "agent: bad request\n");
    _exit(126);
  }
  if (chdir(directory)) {
    dprintf(2, "agent: %s: %s\n", directory, strerror(errno));
    _exit(126);
  }
  environ = variables;
  execvp(arguments[0], arguments);
  int code = errno == ENOENT ? 127 : 126;
  dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
  _exit(code);
}

static int start(struct Command* command, const struct Frame* request) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) return -1;
  command->pid = fork();
  if (command->pid < 0) return -1;
  if (command->pid == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    become(request);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  fcntl(in[1], F_SETFL, O_NONBLOCK);
  command->in = in[1];
  command->out = out[0];
  command->err = err[0];
  command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
  return 0;
}

static void close_in(struct Command* command) {
  if (command->in >= 0) close(command->in);
  command->in = -1;
}

static void acknowledge(struct Command* command, uint32_t length) {
  port_send(command->port, 'C', &length, sizeof length);
}

// What a command that closed its stdin does not want is acknowledged and dropped.
static void feed(struct Command* command) {
  if (command->in >= 0 && command->pending_length > 0) {
    ssize_t n = write(command->in, command->pending, command->pending_length);
    if (n > 0) {
      command->pending_length -= (size_t)n;
      memmove(command->pending, command->pending + n, command->pending_length);
      acknowledge(command, (uint32_t)n);
    } else if (errno != EAGAIN && errno != EINTR) {
      close_in(command);
    }
  }
  if (command->in < 0 && command->pending_length > 0) {
    acknowledge(command, (uint32_t)command->pending_length);
    command->pending_length = 0;
  }
  if (command->stdin_ended && command->pending_length == 0) close_in(command);
}

static void obey(struct Command* command, const struct Frame* frame) {
  size_t room = sizeof command->pending - command->pending_length;
  if (frame->kind == 'K' && frame->length == 1) {
    kill(-command->pid, frame->body[0]);
  } else if (frame->kind == 'I' && frame->length == 0) {
    command->stdin_ended = 1;
  } else if (frame->kind == 'I' && frame->length <= room) {
    memcpy(command->pending + command->pending_length, frame->body, frame->length);
    command->pending_length += frame->length;
  }
  feed(command);
}

static void forward(struct Command* command, int* fd, char kind) {
  char piece[kOutputPiece];
  ssize_t n = read(*fd, piece, sizeof piece);
  if (n > 0) {
    port_send(command->port, kind, piece, (uint32_t)n);
  } else if (n == 0 || errno != EINTR) {
    close(*fd);
    *fd = -1;
  }
}

// Returns once the command ended and nothing more is in its pipes. Children that it left behind may hold the
// pipes open: they are not waited for.
static void carry(struct Command* command) {
  for (int ended = 0;;) {
    struct Frame frame;
    while (port_next(command->port, &frame)) obey(command, &frame);
    struct pollfd fds[] = {
        {.fd = command->out, .events = POLLIN},
        {.fd = command->err, .events = POLLIN},
        {.fd = ended ? -1 : command->pidfd, .events = POLLIN},
        {.fd = ended ? -1 : command->port->fd, .events = POLLIN},
        {.fd = command->pending_length > 0 ? command->in : -1, .events = POLLOUT},
    };
    int ready = poll(fds, sizeof fds / sizeof *fds, ended ? 0 : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ended && ready <= 0) return;
    int output = 0;
    if (fds[0].revents) output = 1, forward(command, &command->out, 'O');
    if (fds[1].revents) output = 1, forward(command, &command->err, 'E');
    if (ended && !output) return;
    if (fds[4].revents) feed(command);
    if (fds[3].revents && port_fill(command->port) <= 0) usleep(20000);
    if (fds[2].revents) ended = 1;
  }
}

void run_command(struct Port* port, const struct Frame* request) {
  static struct Command command;
  command = (struct Command){.port = port, .pidfd = -1, .in = -1, .out = -1, .err = -1};
  uint32_t code = 126;
  if (start(&command, request) == 0) {
    carry(&command);
    int status = 0;
    while (waitpid(command.pid, &status, 0) < 0 && errno == EINTR) {
    }
    code = (uint32_t)(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  int* fds[] = {&command.pidfd, &command.in, &command.out, &command.err};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; ++i)
    if (*fds[i] >= 0) close(*fds[i]);
  port_send(port, 'X', &code, sizeof code);
}
