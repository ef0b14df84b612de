// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "lifesign/client/internal/threads.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace lifesign::client::internal {
namespace {

// The longest the timer thread waits at once: its waits stand still while the
// machine sleeps, deadlines do not.
constexpr Duration kLongestWait = std::chrono::seconds(10);

thread_local bool in_callback_thread = false;

class Farewell final : public ThreadTarget {
 public:
  explicit Farewell(std::shared_ptr<void> last) : last_(std::move(last)) {}

 private:
  void OnTimer() override {}
  void RunCallbacks() override { last_.reset(); }

  std::shared_ptr<void> last_;
};

}  // namespace

ThreadTarget::~ThreadTarget() { Threads::Get().File(*this, RealTime::max()); }

Threads& Threads::Get() {
  // Never destroyed: its threads may outlive whatever else is static.
  static Threads& threads = *new Threads();
  return threads;
}

Threads::Threads() {
  std::thread([this] { MindTime(); }).detach();
  std::thread([this] { RunPosted(); }).detach();
}

bool Threads::InCallback() { return in_callback_thread; }

void Threads::File(ThreadTarget& target, RealTime when) {
  MutexLock lock(mutex_);
  if (target.filed_ == when) return;
  if (target.filed_ != RealTime::max()) filed_.erase({target.filed_, &target});
  target.filed_ = when;
  if (when == RealTime::max()) return;
  const bool earliest = filed_.empty() || when < filed_.begin()->first;
  filed_.emplace(when, &target);
  if (earliest) earlier_.NotifyOne();
}

std::shared_ptr<ThreadTarget> Threads::NextDue() {
  MutexLock lock(mutex_);
  for (;;) {
    const RealTime now = Now();
    if (filed_.empty()) {
      earlier_.Wait(mutex_);
    } else if (filed_.begin()->first > now) {
      earlier_.WaitFor(mutex_,
                       std::min(filed_.begin()->first - now, kLongestWait));
    } else {
      ThreadTarget* const target = filed_.begin()->second;
      filed_.erase(filed_.begin());
      target->filed_ = RealTime::max();
      // Gone when it is being destroyed: that waits for the lock we hold.
      if (auto held = target->weak_from_this().lock()) return held;
    }
  }
}

void Threads::MindTime() {
  for (;;) NextDue()->OnTimer();
}

void Threads::Post(std::shared_ptr<ThreadTarget> target) {
  MutexLock lock(posted_mutex_);
  posted_.push_back(std::move(target));
  posted_some_.NotifyOne();
}

void Threads::RunPosted() {
  in_callback_thread = true;
  for (;;) {
    std::shared_ptr<ThreadTarget> target;
    {
      MutexLock lock(posted_mutex_);
      while (posted_.empty()) posted_some_.Wait(posted_mutex_);
      target = std::move(posted_.front());
      posted_.pop_front();
    }
    target->RunCallbacks();
  }
}

void LetGo(std::shared_ptr<void> last) {
  Threads::Get().Post(std::make_shared<Farewell>(std::move(last)));
}

}  // namespace lifesign::client::internal
