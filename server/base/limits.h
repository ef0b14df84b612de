// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Every bound of the server, with its name and its unit. Those that
// docs/concepts.md § 14 lists are tested at the limit and one past it.
#ifndef LIFESIGN_SERVER_BASE_LIMITS_H_
#define LIFESIGN_SERVER_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "server/base/time.h"

namespace lifesign::limits {

// Ids and metadata, in bytes of UTF-8.
inline constexpr std::size_t kMaxIdBytes = 128;
inline constexpr std::size_t kMaxMetadataKeys = 32;
inline constexpr std::size_t kMaxMetadataKeyBytes = 64;
inline constexpr std::size_t kMaxMetadataValueBytes = 512;
inline constexpr std::size_t kMaxMetadataBytes = 4096;  // keys and values

// The longest duration a client may send: the range of
// google.protobuf.Duration.
inline constexpr std::int64_t kMaxDurationSeconds = 315'576'000'000;

// One message, one call.
inline constexpr std::size_t kMaxMessageBytes = 4u << 20;
inline constexpr std::size_t kMaxCallMetadataBytes = 16u << 10;
inline constexpr int kMaxOpensPerMessage = 1'000;
inline constexpr int kMaxSignalsPerMessage = 4'096;
inline constexpr int kMaxBatchUsers = 1'000;
inline constexpr int kMaxWatchedUsers = 10'000;
inline constexpr std::size_t kMaxResumeTokenBytes = 128;
inline constexpr std::size_t kMaxPageTokenBytes = 128;
inline constexpr int kMaxErrorViolations = 16;
inline constexpr std::size_t kMaxErrorDetailBytes = 4096;

// Heartbeat streams. A handle fits three bytes of varint.
inline constexpr std::uint32_t kMaxHandle = (1u << 21) - 1;
inline constexpr int kMaxSessionsPerStream = 20'000;
inline constexpr int kMaxStreamsPerConnection = 1'000;
// Other calls that a connection may have open at a time, beside its streams;
// more wait in the client. One whose request does not come takes 12 kB.
inline constexpr int kMaxCallsBesideStreams = 10'000;
// Errors that a stream keeps for a client that does not read; older ones are
// counted and dropped.
inline constexpr int kMaxQueuedErrors = 1'000;
inline constexpr Duration kStreamWithoutSession = seconds(60);

// Sessions.
inline constexpr int kMaxSessionsPerUser = 64;
inline constexpr Duration kMaxLinger = seconds(10);
inline constexpr int kMaxTakeOvers = 5;
inline constexpr Duration kTakeOverWindow = seconds(60);
inline constexpr int kSignalsPerSecond = 10;
inline constexpr int kSignalBurst = 20;

// Rooms. Of a room that its last user left, how many were there is kept for a
// quarter of an hour, of so many such rooms.
inline constexpr int kMaxRoomsPerSession = 100;
// Users of a room whose members are watched. As many who left are remembered,
// each for so long.
inline constexpr int kMaxWatchedMembers = 1'000;
inline constexpr Duration kDepartedKept = seconds(300);
// Intents: of a user, towards a user in a room, in a signal; and for how long.
inline constexpr std::size_t kMaxIntentsPerUser = 16;
inline constexpr std::size_t kMaxIntentsPerTarget = 100;
inline constexpr int kMaxIntentsPerSignal = 16;
inline constexpr Duration kDefaultIntentExpiry = seconds(60);
inline constexpr Duration kMaxIntentExpiry = seconds(600);
// How many there are is told at most once in so long.
inline constexpr Duration kOccupancyInterval = milliseconds(100);
inline constexpr std::size_t kMaxEmptiedRooms = 10'000;
// Rooms that a tick looks at to drop them.
inline constexpr int kRoomsClosedPerTick = 1'000;

// The longest interval a policy may promise.
inline constexpr Duration kMaxInterval = hours(24 * 30);

// Users kept after their last session ended, in the whole server.
inline constexpr std::int64_t kMaxRetainedUsers = 1'000'000;

// What users declare of themselves. Declarations are held until they run out,
// so many in the whole server.
inline constexpr std::size_t kMaxAvailabilityTextBytes = 256;
inline constexpr std::int64_t kMaxDeclaredAvailabilities = 1'000'000;

// When to say that clients fall silent together: so many per cent of at least
// so many sessions within so long.
inline constexpr int kMassSilencePercent = 20;
inline constexpr int kMassSilenceLeastSessions = 100;
inline constexpr Duration kMassSilenceWindow = seconds(10);

// What a server that ends leaves unary calls to be answered.
inline constexpr Duration kShutdownGrace = milliseconds(250);

// Watches. What waits for one watcher, in bytes of this process: some thousand
// changes, most of them shared with other watchers. And how many users a copy
// for a watch passes within one reaction of gRPC's.
inline constexpr std::size_t kMaxMailboxBytes = 1u << 20;
inline constexpr std::size_t kCopiedPerReaction = 32'768;
// At 690 bytes each, which is the most that ids of 128 bytes and a text of 256
// allow, a message stays below kMaxMessageBytes.
inline constexpr std::size_t kChangesPerMessage = 6'000;
// FollowPresence: users that one message adds or removes, and how long the
// first message may be waited for.
inline constexpr std::size_t kMaxFollowedPerMessage = 10'000;
inline constexpr Duration kFollowWithoutRequest = seconds(60);
inline constexpr int kSnapshotSliceUsers = 1'000;
inline constexpr Duration kMaxBatchingDelay = seconds(1);
inline constexpr Duration kDefaultProgressInterval = seconds(25);
inline constexpr Duration kMinProgressInterval = seconds(10);
inline constexpr Duration kMaxProgressInterval = seconds(600);
inline constexpr Duration kSlowConsumer = seconds(300);
inline constexpr Duration kSlowConsumerGrace = seconds(60);
inline constexpr Duration kTokenEvery = seconds(1);

// Lists.
inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 1'000;
inline constexpr Duration kPageTokenLife = seconds(600);
// Users that are looked at for one page, and of them so many while a shard's
// lock is held once.
inline constexpr std::uint32_t kListedSlotsPerPage = 8'192;
inline constexpr std::uint32_t kListedSlotsPerLock = 256;

// Awaits. A predicate is one bit of a user's.
inline constexpr int kMaxPredicates = 16;
// Of all predicates of one await, and of all awaits of the server together.
inline constexpr int kMaxUsersPerAwait = 1'000;
inline constexpr std::int64_t kMaxAwaitedUsers = 1'000'000;
inline constexpr Duration kMaxAwait = seconds(300);
// So long before a call's deadline it is answered, so that the answer arrives.
inline constexpr Duration kAnsweredBeforeDeadline = milliseconds(500);

// How many silences of earlier populations the shipped confidence table weighs
// as much as, at each step.
inline constexpr double kShippedConfidenceWeight = 100;
// Beyond so many silences older ones weigh half as much with every exchange.
inline constexpr std::uint64_t kSilencesRemembered = 200'000;

// Transport.
// Threads that calls of gRPC reflection may block, the one that waits for the
// next call included; further calls are refused with RESOURCE_EXHAUSTED.
inline constexpr int kMaxReflectionThreads = 8;
// Sessions or users that a stream lets go of within a reaction; more are let go
// of on a thread of ours.
inline constexpr std::size_t kMostReleasedInPlace = 1'000;
// Between these a client that is told to move on is asked to wait.
inline constexpr Duration kMinReconnectDelay = milliseconds(500);
inline constexpr Duration kMaxReconnectDelay = seconds(10);

// Time.
inline constexpr Duration kDefaultTick = milliseconds(100);
// The most that the presence clock advances between two ticks.
inline constexpr Duration kMaxPresenceAdvance = seconds(2);
// Deadlines that a shard handles while it holds its lock once.
inline constexpr int kDeadlinesPerLock = 256;
// Signals of one message that a shard applies while it holds its lock once.
inline constexpr std::size_t kSignalsPerLock = 256;

}  // namespace lifesign::limits

#endif  // LIFESIGN_SERVER_BASE_LIMITS_H_
