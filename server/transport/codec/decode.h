// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Requests into values of the core, every field validated. What is wrong is
// told by FieldFaults with the path of the field; then nothing of the message
// may be applied. docs/concepts.md § 14.
#ifndef LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_H_
#define LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_H_

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/core/availability/veil.h"
#include "server/core/presence_state.h"
#include "server/core/signal/signal.h"
#include "server/core/watch/mailbox.h"
#include "server/transport/codec/field_faults.h"
#include "server/transport/codec/resume_token.h"

namespace lifesign {

inline constexpr absl::string_view kDefaultTenant = "default";

// The tenant that a request means, if the caller may use it.
absl::optional<absl::string_view> ResolveTenant(absl::string_view named);

// What a caller is shown, if they may be.
absl::optional<View> ResolveView(bool see_through, bool may_see_through);

// A user or session id.
void CheckId(absl::string_view id, absl::string_view field,
             FieldFaults& faults);

// None if it is UNSPECIFIED, or one that this server does not know.
absl::optional<State> DecodeState(v1::PresenceState state);

// A field `states`.
void DecodeStates(const google::protobuf::RepeatedField<int>& message,
                  StateSet& states, FieldFaults& faults);

// What an OpenRequest points at, beside its message.
struct OpenParts {
  Metadata metadata;
  std::vector<absl::string_view> rooms;
  AvailabilityDeclaration availability;
};

// An Open of a stream. `request` points into `open` and `parts`;
// `request.binding.stream` is left to the caller. `scope` is where `open` lies.
// None if it may be applied.
absl::optional<ApiError> DecodeOpen(const v1::Open& open, FieldScope scope,
                                    OpenParts& parts, OpenRequest& request);

// A Signal of a stream, likewise. Allocates nothing if it is fit.
absl::optional<ApiError> DecodeSignal(const v1::Signal& message,
                                      FieldScope scope, Signal& signal);

// Whether a signal declares something beside its kind; most do not.
bool Declares(const v1::Signal& message);

// What a Declaration points at, beside its message.
struct DeclarationParts {
  RoomChange rooms;
  std::vector<IntentDeclaration> intents;
  AvailabilityDeclaration availability;
};

// What a signal declares, likewise; `declaration` points into `message` and
// `parts`.
absl::optional<ApiError> DecodeDeclaration(const v1::Signal& message,
                                           FieldScope scope,
                                           DeclarationParts& parts,
                                           Declaration& declaration);

// A SendSignalRequest as either an open, a signal, or the word of a user for
// whom no session speaks. Points into its message and itself.
struct UnarySignal {
  UnarySignal() = default;
  UnarySignal(const UnarySignal&) = delete;
  UnarySignal& operator=(const UnarySignal&) = delete;

  SessionName name;
  Attachment attachment = kNoAttachment;
  // Set: open first, with this; else `signal` and `declaration`.
  absl::optional<OpenRequest> open;
  OpenParts open_parts;
  // Only `declaration`, of the user named.
  bool of_user = false;
  Signal signal;
  Declaration declaration;
  DeclarationParts declaration_parts;
};
absl::optional<ApiError> DecodeSendSignal(const v1::SendSignalRequest& message,
                                          UnarySignal& signal);

// A WatchPresenceRequest.
struct WatchOptions {
  enum class Whom : std::uint8_t {
    kUsers,      // `users`: sorted, without duplicates
    kEveryone,   // the whole tenant
    kMembers,    // those of `room`
    kOccupancy,  // how many are in `room`
    kIntents,    // who wants to reach `target` in `room`
  };

  bool everyone() const { return whom == Whom::kEveryone; }
  bool of_room() const {
    return whom != Whom::kUsers && whom != Whom::kEveryone;
  }

  std::string tenant;
  Whom whom = Whom::kUsers;
  std::vector<std::string> users;
  std::string room;
  std::string target;
  // Whether the caller may see its view is for others to say.
  WatchTerms terms;
  absl::optional<ResumeToken> resume;
  Duration batching_delay{0};
  // Zero: never.
  Duration progress_interval{0};
};
absl::optional<ApiError> DecodeWatch(v1::WatchPresenceRequest& message,
                                     int max_users, WatchOptions& options);

// A FollowPresenceRequest: the first one of a stream, and those after it.
absl::optional<ApiError> DecodeFollow(v1::FollowPresenceRequest& message,
                                      int max_users, WatchOptions& options);
// Sorted, without duplicates, and nobody in both.
struct FollowChange {
  std::vector<std::string> add;
  std::vector<std::string> remove;
};
absl::optional<ApiError> DecodeFollowChange(v1::FollowPresenceRequest& message,
                                            FollowChange& change);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_CODEC_DECODE_H_
