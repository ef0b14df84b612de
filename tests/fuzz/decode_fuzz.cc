// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Every decoder of a request, on any bytes: what passes keeps the rules that
// the core relies on, and what does not is an error that fits into a trailer.
//
// Input: one byte that chooses the message, then its bytes.
#include <string>

#include "absl/strings/string_view.h"
#include "lifesign/v1/presence_service.pb.h"
#include "server/base/limits.h"
#include "server/core/signal/text_rules.h"
#include "server/transport/codec/bytes.h"
#include "server/transport/codec/decode.h"
#include "server/transport/codec/decode_query.h"
#include "server/transport/codec/page_token.h"
#include "server/transport/codec/resume_token.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/input.h"

namespace lifesign {
namespace {

bool Parse(absl::string_view bytes, google::protobuf::MessageLite& message) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return ParseMessage(grpc::ByteBuffer(&slice, 1), message);
}

void CheckError(const ApiError& error) {
  const grpc::Status status = ToGrpcStatus(error);
  LIFESIGN_FUZZ_CHECK(!status.ok());
  // The text beside it is short: together they stay below what peers drop.
  LIFESIGN_FUZZ_CHECK(status.error_details().size() <=
                      2 * limits::kMaxErrorDetailBytes);
}

void CheckName(const SessionName& name) {
  LIFESIGN_FUZZ_CHECK(!IdFault(name.user, limits::kMaxIdBytes).has_value());
  LIFESIGN_FUZZ_CHECK(!IdFault(name.session, limits::kMaxIdBytes).has_value());
}

void CheckSignal(const Signal& signal) {
  const Duration idle_for = signal.idle_for.value_or(Duration::zero());
  LIFESIGN_FUZZ_CHECK(idle_for >= Duration::zero());
  LIFESIGN_FUZZ_CHECK(idle_for <= seconds(limits::kMaxDurationSeconds));
  LIFESIGN_FUZZ_CHECK(signal.linger >= Duration::zero());
  LIFESIGN_FUZZ_CHECK(signal.linger <= limits::kMaxLinger);
  LIFESIGN_FUZZ_CHECK(signal.linger == Duration::zero() ||
                      signal.kind == SignalKind::kLeave);
}

void CheckRooms(const std::vector<absl::string_view>& rooms) {
  LIFESIGN_FUZZ_CHECK(rooms.size() <= std::size_t{limits::kMaxRoomsPerSession});
  for (const absl::string_view room : rooms) {
    LIFESIGN_FUZZ_CHECK(!IdFault(room, limits::kMaxIdBytes).has_value());
  }
}

void CheckAvailability(const AvailabilityDeclaration& declaration) {
  LIFESIGN_FUZZ_CHECK(
      declaration.text.empty() ||
      !IdFault(declaration.text, limits::kMaxAvailabilityTextBytes)
           .has_value());
  const Duration expires_in = declaration.expires_in.value_or(seconds(1));
  LIFESIGN_FUZZ_CHECK(expires_in > Duration::zero());
  LIFESIGN_FUZZ_CHECK(expires_in <= seconds(limits::kMaxDurationSeconds));
}

void CheckDeclaration(const Declaration& declaration) {
  if (declaration.rooms != nullptr) {
    CheckRooms(declaration.rooms->join);
    CheckRooms(declaration.rooms->leave);
  }
  if (declaration.availability != nullptr) {
    CheckAvailability(*declaration.availability);
  }
}

void CheckOpen(const OpenRequest& request) {
  CheckName(request.name);
  LIFESIGN_FUZZ_CHECK(request.binding.handle <= limits::kMaxHandle);
  if (request.metadata != nullptr) {
    LIFESIGN_FUZZ_CHECK(!FindMetadataFault(*request.metadata).has_value());
  }
  if (request.rooms != nullptr) CheckRooms(*request.rooms);
  if (request.availability != nullptr) CheckAvailability(*request.availability);
  if (request.signal.has_value()) {
    CheckSignal(*request.signal);
    LIFESIGN_FUZZ_CHECK(request.signal->kind <= SignalKind::kBackground);
  }
}

void DecodeHeartbeat(absl::string_view bytes) {
  v1::HeartbeatRequest message;
  if (!Parse(bytes, message)) return;
  for (int i = 0; i < message.opens_size(); ++i) {
    OpenParts parts;
    OpenRequest request;
    const auto error =
        DecodeOpen(message.opens(i), {"opens", i}, parts, request);
    if (error.has_value()) {
      CheckError(*error);
    } else {
      CheckOpen(request);
      LIFESIGN_FUZZ_CHECK(request.binding.handle != 0);
    }
  }
  for (int i = 0; i < message.signals_size(); ++i) {
    Signal signal;
    const auto error = DecodeSignal(message.signals(i), {"signals", i}, signal);
    if (error.has_value()) {
      CheckError(*error);
    } else {
      CheckSignal(signal);
    }
    DeclarationParts parts;
    Declaration declaration;
    if (const auto unfit = DecodeDeclaration(message.signals(i), {"signals", i},
                                             parts, declaration)) {
      CheckError(*unfit);
    } else {
      CheckDeclaration(declaration);
    }
  }
}

void CheckUsers(const std::vector<std::string>& users) {
  for (std::size_t i = 0; i < users.size(); ++i) {
    LIFESIGN_FUZZ_CHECK(!IdFault(users[i], limits::kMaxIdBytes).has_value());
    LIFESIGN_FUZZ_CHECK(i == 0 || users[i - 1] < users[i]);
  }
}

void DecodeWatchRequest(absl::string_view bytes) {
  v1::WatchPresenceRequest message;
  if (!Parse(bytes, message)) return;
  WatchOptions options;
  if (const auto error =
          DecodeWatch(message, limits::kMaxWatchedUsers, options)) {
    CheckError(*error);
    return;
  }
  LIFESIGN_FUZZ_CHECK(options.users.size() <=
                      static_cast<std::size_t>(limits::kMaxWatchedUsers));
  LIFESIGN_FUZZ_CHECK(!options.terms.states.empty());
  CheckUsers(options.users);
  LIFESIGN_FUZZ_CHECK(options.batching_delay <= limits::kMaxBatchingDelay);
  LIFESIGN_FUZZ_CHECK(
      options.progress_interval == Duration::zero() ||
      (options.progress_interval >= limits::kMinProgressInterval &&
       options.progress_interval <= limits::kMaxProgressInterval));
}

void DecodeFollowRequest(absl::string_view bytes) {
  v1::FollowPresenceRequest message;
  if (!Parse(bytes, message)) return;
  v1::FollowPresenceRequest first = message;
  WatchOptions options;
  if (const auto error =
          DecodeFollow(first, limits::kMaxWatchedUsers, options)) {
    CheckError(*error);
  } else {
    LIFESIGN_FUZZ_CHECK(options.whom == WatchOptions::Whom::kUsers);
    CheckUsers(options.users);
  }
  FollowChange change;
  if (const auto error = DecodeFollowChange(message, change)) {
    CheckError(*error);
    return;
  }
  CheckUsers(change.add);
  CheckUsers(change.remove);
  LIFESIGN_FUZZ_CHECK(change.add.size() <= limits::kMaxFollowedPerMessage);
}

void DecodeUnary(absl::string_view bytes) {
  v1::SendSignalRequest message;
  if (!Parse(bytes, message)) return;
  UnarySignal signal;
  if (const auto error = DecodeSendSignal(message, signal)) {
    CheckError(*error);
    return;
  }
  if (!signal.of_user) CheckName(signal.name);
  if (signal.open.has_value()) {
    CheckOpen(*signal.open);
  } else {
    CheckSignal(signal.signal);
    CheckDeclaration(signal.declaration);
  }
}

// What was accepted as a token is one, to the byte.
void DecodeToken(absl::string_view bytes) {
  const auto token = DecodeResumeToken(bytes);
  if (token.has_value()) {
    LIFESIGN_FUZZ_CHECK(EncodeResumeToken(*token) == bytes);
  }
  const auto page = DecodePageToken(bytes);
  if (page.has_value()) LIFESIGN_FUZZ_CHECK(EncodePageToken(*page) == bytes);
}

void DecodeListRequest(absl::string_view bytes) {
  v1::ListPresencesRequest message;
  if (!Parse(bytes, message)) return;
  // The calls see to it before they decode.
  if (!ResolveTenant(message.tenant()).has_value()) return;
  ListOptions options;
  if (const auto error = DecodeList(message, 0, Now{}, options)) {
    CheckError(*error);
    return;
  }
  LIFESIGN_FUZZ_CHECK(!options.filter.states.empty());
  LIFESIGN_FUZZ_CHECK(options.page_size > 0);
  LIFESIGN_FUZZ_CHECK(options.page_size <=
                      static_cast<std::size_t>(limits::kMaxPageSize));
  LIFESIGN_FUZZ_CHECK(options.filter.seen_within.value_or(Duration::zero()) >=
                      Duration::zero());
}

void DecodeIds(absl::string_view bytes) {
  v1::BatchGetPresencesRequest message;
  if (!Parse(bytes, message)) return;
  FieldFaults faults;
  for (const std::string& id : message.user_ids()) {
    CheckId(id, "user_ids", faults);
  }
  if (!faults.empty()) CheckError(std::move(faults).ToError());
}

void DecodeAwaitRequest(absl::string_view bytes) {
  v1::AwaitPresenceRequest message;
  if (!Parse(bytes, message)) return;
  AwaitOptions options;
  if (const auto error = DecodeAwait(message, hours(1), options)) {
    CheckError(*error);
    return;
  }
  LIFESIGN_FUZZ_CHECK(options.wait <= limits::kMaxAwait);
  const AwaitTerms& terms = options.terms;
  LIFESIGN_FUZZ_CHECK(terms.users.size() <=
                      static_cast<std::size_t>(limits::kMaxUsersPerAwait));
  LIFESIGN_FUZZ_CHECK(!terms.predicates.empty());
  LIFESIGN_FUZZ_CHECK(terms.predicates.size() <=
                      static_cast<std::size_t>(limits::kMaxPredicates));
  for (const Predicate& predicate : terms.predicates) {
    LIFESIGN_FUZZ_CHECK(IsLive(predicate.at_least));
    LIFESIGN_FUZZ_CHECK(predicate.needed >= 1);
    if (predicate.place.has_value()) {
      LIFESIGN_FUZZ_CHECK(predicate.users.empty());
      LIFESIGN_FUZZ_CHECK(
          !IdFault(predicate.place->room, limits::kMaxIdBytes).has_value());
      LIFESIGN_FUZZ_CHECK(predicate.place->target.empty() ||
                          predicate.needed <= limits::kMaxIntentsPerTarget);
    } else {
      LIFESIGN_FUZZ_CHECK(predicate.needed <= predicate.users.size());
    }
    for (std::size_t i = 0; i < predicate.users.size(); ++i) {
      LIFESIGN_FUZZ_CHECK(predicate.users[i] < terms.users.size());
      LIFESIGN_FUZZ_CHECK(i == 0 ||
                          predicate.users[i - 1] < predicate.users[i]);
    }
  }
}

}  // namespace
}  // namespace lifesign

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  lifesign::testing::FuzzInput input(data, size);
  switch (input.TakeByte() % 7) {
    case 0:
      lifesign::DecodeHeartbeat(input.rest());
      break;
    case 1:
      lifesign::DecodeWatchRequest(input.rest());
      lifesign::DecodeFollowRequest(input.rest());
      break;
    case 2:
      lifesign::DecodeUnary(input.rest());
      break;
    case 3:
      lifesign::DecodeToken(input.rest());
      break;
    case 4:
      lifesign::DecodeIds(input.rest());
      break;
    case 5:
      lifesign::DecodeListRequest(input.rest());
      break;
    default:
      lifesign::DecodeAwaitRequest(input.rest());
      break;
  }
  return 0;
}
