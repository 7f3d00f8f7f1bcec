// SPDX-License-Identifier: MIT
#include "weir/doctor/host.h"

#include <algorithm>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::doctor {
namespace {

/// mountinfo writes blank, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '7'; };
    if (text[at] == '\\' && digit(at + 1) && digit(at + 2) && digit(at + 3)) {
      out += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> mount_points(std::string_view mountinfo, std::string_view type) {
  std::vector<std::string> found;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const auto fields = words(line);
    const auto separator =
        std::ranges::find(fields, "-");  // a variable number of optional fields stands before it
    if (fields.size() < 5 || separator == fields.end() || separator + 1 == fields.end()) continue;
    if (*(separator + 1) == type) found.push_back(unescape(fields[4]));
  }
  return found;
}

std::vector<std::string> mount_points(const HostPaths& paths, std::string_view type) {
  return mount_points(read_file(paths.proc + "/self/mountinfo", std::size_t{16} << 20).value_or(""), type);
}

bool knows_filesystem(const HostPaths& paths, std::string_view type) {
  const auto text = read_file(paths.proc + "/filesystems");
  return text && std::ranges::count(words(*text), type) > 0;
}

std::optional<std::string> text_of(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

std::vector<std::string> resctrl_flags(const HostPaths& paths) {
  const auto cpuinfo = read_file(paths.proc + "/cpuinfo", std::size_t{16} << 20);
  std::vector<std::string> found;
  if (!cpuinfo) return found;
  const std::size_t flags = cpuinfo->find("\nflags");
  if (flags == std::string::npos) return found;
  for (const std::string_view word :
       words(std::string_view(*cpuinfo).substr(flags + 1, cpuinfo->find('\n', flags + 1) - flags)))
    for (const std::string_view known :
         {"cat_l3", "cat_l2", "cdp_l3", "mba", "cqm_occup_llc", "cqm_mbm_total", "cqm_mbm_local"})
      if (word == known) found.emplace_back(word);
  return found;
}

}  // namespace weir::doctor
