// SPDX-License-Identifier: MIT
// Any bytes as names, ids, images and pods of two containers: a text that a strict reader takes.
#include "support/exposition.h"
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/base/error.h"
#include "weir/export/prometheus.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto take = [&] {
    const std::string_view piece = bytes.substr(0, bytes.find('\xff'));
    bytes.remove_prefix(piece.size() == bytes.size() ? piece.size() : piece.size() + 1);
    return std::string(piece);
  };
  weir::Frame frame;
  frame.number = 1;
  for (std::uint64_t n = 0; n < 2; ++n) {
    weir::Container container{.name = take(), .id = take(), .cgroup = take(), .pid = {}, .image = take()};
    container.k8s_namespace = take();
    container.k8s_pod = take();
    container.k8s_container = take();
    frame.subjects.push_back({.container = std::move(container), .cgroup_id = weir::CgroupId(n)});
    frame.samples.emplace_back();
    for (const weir::MetricInfo& metric : weir::metrics()) frame.samples.back().set(metric.metric, n);
  }
  const std::string text = weir::exports::prometheus_text(frame, {}, weir::exports::Dialect::prometheus);
  WEIR_ASSERT(weir::testing::exposition_fault(text).empty());
  return 0;
}
