// SPDX-License-Identifier: MIT
#include "weir/sample/limits_above.h"

#include <array>

#include "weir/sample/parse.h"

namespace weir::sample {
namespace {

constexpr std::array kLimits = {Source::cpu_max, Source::memory_high, Source::memory_max};

Metric limit_of(Source source) { return metrics_of(source).front().metric; }

}  // namespace

struct LimitsAbove::Level {
  std::array<std::unique_ptr<cgroup::File>, kLimits.size()> files;
  Sample limits;
};

LimitsAbove::Chain LimitsAbove::of(const cgroup::Dir& root, std::string_view path) {
  Chain chain;
  for (;;) {
    path = path.substr(0, path.rfind('/'));
    if (path.size() <= 1) return chain;
    auto known = levels_.find(path);
    std::shared_ptr<Level> level = known == levels_.end() ? nullptr : known->second.lock();
    if (level == nullptr) {
      const auto dir = cgroup::open_path(root, path);
      if (!dir) continue;
      level = std::make_shared<Level>();
      for (std::size_t n = 0; n < kLimits.size(); ++n)
        if (auto file = (*dir)->keep(file_of(kLimits[n]), cgroup::Access::read))
          level->files[n] = std::move(*file);
      levels_.insert_or_assign(std::string(path), level);
    }
    chain.levels_.push_back(std::move(level));
  }
}

void LimitsAbove::read(Sources wanted, std::span<char> buffer) {
  for (auto at = levels_.begin(); at != levels_.end();) {
    const std::shared_ptr<Level> level = at->second.lock();
    if (level == nullptr) {
      at = levels_.erase(at);
      continue;
    }
    for (std::size_t n = 0; n < kLimits.size(); ++n) {
      if (!wanted[index(kLimits[n])] || level->files[n] == nullptr) continue;
      const auto text = level->files[n]->read_into(buffer);
      parse(kLimits[n], text ? *text : "", level->limits);
    }
    ++at;
  }
}

void LimitsAbove::Chain::lower(Sources wanted, Sample& sample) const {
  for (const Source source : kLimits) {
    if (!wanted[index(source)]) continue;
    const Metric limit = limit_of(source);
    for (const auto& level : levels_) {
      const auto above = level->limits.get(limit);
      if (above && *above < sample.get(limit).value_or(kNoLimit)) sample.set(limit, *above);
    }
  }
}

}  // namespace weir::sample
