// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Hands changes to their watchers.
#ifndef LIFESIGN_SERVER_TRANSPORT_PUBLISHER_H_
#define LIFESIGN_SERVER_TRANSPORT_PUBLISHER_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/core/presence_engine.h"
#include "server/transport/rounds.h"
#include "server/transport/time_source.h"

namespace lifesign {

// A thread that publishes whenever it was poked, so that no reaction of gRPC
// does. Thread-safe. Lock order: its round, then whatever a watch takes when it
// is woken.
class Publisher final : public Rounds {
 public:
  // Both outlive it. Publishes from Start until it is destroyed.
  Publisher(PresenceEngine& engine, const TimeSource& time);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void Start();
  // Ends the thread; what is poked after that is not published.
  void Stop();

  // There is, or may be, something to publish. Does not block. Our thread does
  // it, or this one does when its PublishAfter ends.
  void Poke();

  void PublishNow() override;

 private:
  friend class PublishAfter;

  // A round on this thread, unless one is going on: then our thread does the
  // next.
  void PublishOrPoke();
  void Run();

  PresenceEngine& engine_;
  const TimeSource& time_;

  Mutex round_;  // one call of Publish at a time; before all others
  Mutex mutex_;  // a leaf
  CondVar poked_;
  bool poke_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// What is changed on this thread while one of these lives is published by this
// thread when it ends. For reactions of gRPC's: its completions of the writes
// then come to the thread that made them, while what they need is in its cache,
// and no other has to wake. At most one round a reaction; what changes
// meanwhile is for the publisher's own thread. Not nested; no lock is held when
// it ends.
class PublishAfter {
 public:
  PublishAfter();
  ~PublishAfter();
  PublishAfter(const PublishAfter&) = delete;
  PublishAfter& operator=(const PublishAfter&) = delete;

 private:
  friend class Publisher;

  // Who was poked meanwhile.
  Publisher* poked_ = nullptr;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_PUBLISHER_H_
