// SPDX-License-Identifier: MIT
#include "weir/control/live_model.h"

#include <fmt/format.h>

#include <iterator>

#include "weir/control/model_store.h"

namespace weir::control {

LiveModel::Known LiveModel::stat() const {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) return {};
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .changed = status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec,
          .size = status.st_size};
}

void LiveModel::add(std::vector<Event> events) {
  events_.insert(events_.end(), std::make_move_iterator(events.begin()),
                 std::make_move_iterator(events.end()));
}

void LiveModel::give_up(Event event) {
  model_.reset();
  trials_.start_again();
  events_.push_back(std::move(event));
}

void LiveModel::look(Moment moment) {
  if (path_.empty()) return;
  const Known now = stat();
  if (known_ == now) return;
  const bool first = !known_;
  known_ = now;
  const bool had = model_.has_value();
  const std::string before = had ? model_->identity().id : std::string();
  auto loaded = load_model(path_, also_);
  if (loaded) {
    trials_.start_again();
    model_ = std::move(*loaded);
    notes_.push_back(
        fmt::format("model {} of {} is asked, mode {}", model_->identity().id, path_, to_string(mode_)));
    return;
  }
  if (now == Known{} && !had) {
    if (first) notes_.push_back(fmt::format("there is no model at {} yet: step decides", path_));
    return;
  }
  Event event{.kind = EventKind::ml_fallback, .time = moment.time, .subject = {}, .details = {}};
  if (had) event.details.emplace_back("model", before);
  event.details.emplace_back("reason", loaded.error().message());
  give_up(std::move(event));
}

void LiveModel::wrote(const Action& action, Moment moment) {
  if (!action.suggestion || !model_) return;
  events_.push_back(to_ml_event(action, moment));
  add(trials_.begin(action, moment));
}

void LiveModel::see(const std::vector<Action>& looks, Moment moment) {
  if (!model_) return;
  add(trials_.see(looks, moment));
  if (mode_ == MlMode::shadow) return;
  if (auto worse = trials_.verdict(model_->identity().id, moment)) give_up(std::move(*worse));
}

}  // namespace weir::control
