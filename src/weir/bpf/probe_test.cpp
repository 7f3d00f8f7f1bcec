// SPDX-License-Identifier: MIT
// What a probe says without privileges: the real attaching is tested in the VM
// (tests/system/latency_test.sh).
#include "weir/bpf/probe.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"

namespace weir::bpf {
namespace {

TEST(Probe, NamesEveryKindAsTheKernelDoes) {
  EXPECT_EQ(to_string(ProgramKind::tp_btf), "tp_btf");
  EXPECT_EQ(to_string(ProgramKind::raw_tracepoint), "raw_tp");
  EXPECT_EQ(to_string(ProgramKind::tracepoint), "tracepoint");
}

TEST(Probe, RefusesAFunctionThatNoKernelHas) {
  const auto tried = try_attach(ProgramKind::fentry, "weir_no_such_function");
  ASSERT_FALSE(tried.has_value());
  EXPECT_EQ(tried.error().subject, "weir_no_such_function");
  EXPECT_FALSE(tried.error().what.empty());
}

TEST(Probe, RefusesATracepointWithoutACategory) {
  EXPECT_FALSE(try_attach(ProgramKind::tracepoint, "sched_switch").has_value());
}

TEST(Probe, TakesTheFirstKindThatAttaches) {
  const ProgramKind kinds[] = {ProgramKind::fentry, ProgramKind::kprobe};
  const auto found = first_that_attaches(kinds, "weir_no_such_function");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().subject, "weir_no_such_function");
}

}  // namespace
}  // namespace weir::bpf
