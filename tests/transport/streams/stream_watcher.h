// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A watcher on a stream without gRPC.
#ifndef LIFESIGN_TESTS_TRANSPORT_STREAMS_STREAM_WATCHER_H_
#define LIFESIGN_TESTS_TRANSPORT_STREAMS_STREAM_WATCHER_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/resume_token.h"
#include "server/transport/watch/watch_stream.h"
#include "tests/transport/streams/fake_call.h"
#include "tests/transport/streams/stream_world.h"

namespace lifesign::testing {

inline v1::WatchPresenceRequest WatchOf(const std::vector<std::string>& users) {
  v1::WatchPresenceRequest request;
  request.mutable_users();
  for (const auto& user : users) request.mutable_users()->add_user_ids(user);
  return request;
}

inline std::uint64_t SelectorOf(const std::vector<std::string>& users) {
  return HashSelector(HashUsers(users), WatchTerms());
}

inline std::vector<std::string> Users(int count) {
  std::vector<std::string> users;
  for (int i = 0; i < count; ++i)
    users.push_back(absl::StrCat("u", 10'000 + i));
  return users;
}

inline v1::WatchPresenceRequest WatchOfAll() {
  v1::WatchPresenceRequest request;
  request.mutable_all();
  return request;
}

inline v1::FollowPresenceRequest First(v1::WatchPresenceRequest watch) {
  v1::FollowPresenceRequest request;
  *request.mutable_watch() = std::move(watch);
  return request;
}

class Watcher {
 public:
  // FollowPresence, whose client says everything by call().Send.
  explicit Watcher(StreamWorld& world) {
    Begin(std::make_shared<WatchStream>(world.parts()));
  }
  Watcher(StreamWorld& world, v1::WatchPresenceRequest request) {
    WatchOptions options;
    const int most = world.parts().limits.max_watched_users;
    EXPECT_FALSE(DecodeWatch(request, most, options).has_value());
    Begin(std::make_shared<WatchStream>(world.parts(), options));
  }
  ~Watcher() {
    if (!call_.finished()) call_.Break();
    call_.Done();
  }

  FakeCall<v1::WatchPresenceResponse>& call() { return call_; }
  std::shared_ptr<WatchStream> stream() { return stream_.lock(); }
  const v1::WatchPresenceResponse& last() { return call_.last(); }

 private:
  void Begin(const std::shared_ptr<WatchStream>& stream) {
    stream_ = stream;
    call_.Attach(stream);
    stream->Start(call_);
  }

  FakeCall<v1::WatchPresenceResponse> call_;
  std::weak_ptr<WatchStream> stream_;
};

inline v1::WatchPresenceRequest Resumed(v1::WatchPresenceRequest request,
                                        const std::string& token) {
  request.set_resume_token(token);
  return request;
}

// "u1 ACTIVE", of every change in a message.
inline std::vector<std::string> StatesOf(
    const v1::WatchPresenceResponse& message) {
  std::vector<std::string> states;
  for (const auto& change : message.changes()) {
    states.push_back(
        absl::StrCat(change.user_id(), " ",
                     v1::PresenceState_Name(change.state())
                         .substr(std::string("PRESENCE_STATE_").size())));
  }
  return states;
}

inline ResumeToken TokenOf(const v1::WatchPresenceResponse& message) {
  const auto token = DecodeResumeToken(message.resume_token());
  EXPECT_TRUE(token.has_value());
  return token.value_or(ResumeToken());
}

}  // namespace lifesign::testing

#endif  // LIFESIGN_TESTS_TRANSPORT_STREAMS_STREAM_WATCHER_H_
