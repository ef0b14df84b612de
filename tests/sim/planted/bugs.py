# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Known bugs, each as a replacement in one file of the server. They are applied
to a copy of the sources (plant.py), never to these. `old` occurs exactly once
in its file; tests/dev checks that it still does."""

from typing import NamedTuple


class Bug(NamedTuple):
    name: str
    file: str
    old: str
    new: str


SHARD = "server/core/session/session_shard"
HEARTBEAT = "server/transport/heartbeat/heartbeat_stream"
WATCH = "server/transport/watch/watch_stream"

BUGS = [
    Bug("changes are published in another order than the outbox's",
        SHARD + ".cc",
        """    changes = outbox_.TakeAll();
""",
        """    changes = outbox_.TakeAll();
    std::reverse(changes.begin(), changes.end());
"""),
    Bug("two changes within a microsecond share a revision",
        "server/core/watch/revision_clock.h",
        "    last_ = std::max(last_ + 1, At(now));\n",
        "    last_ = std::max(last_, At(now));\n"),
    Bug("a cap is in force at once, without its debounce",
        SHARD + "_signals.cc",
        "      times.idle_cap_since = cap_start;\n",
        """      times.idle_cap_since = SaturatingSubtract(
          cap_start, PolicyOf(session).downgrade_debounce);
"""),
    Bug("a handle stays bound when its session has ended",
        HEARTBEAT + "_messages.cc",
        "    if (parts_.engine.IsBound(bound->ref, now)) return HandleInUse();\n",
        "    if (bound->name != name) return HandleInUse();\n"),
    Bug("the next deadline is not filed when one has fired",
        SHARD + ".cc",
        """    if (derived.state == State::kStale) ++result.fell_stale;
    FileDeadline(session, derived.next_change);
""",
        """    if (derived.state == State::kStale) ++result.fell_stale;
"""),
    Bug("what a frozen process missed counts into ages",
        "server/core/presence_clock.cc",
        "  if (excess > 0) {\n",
        "  if (excess > 3'600'000'000) {\n"),
    Bug("a mailbox drops A→B→C→B, which leads back to what waits",
        "server/core/watch/mailbox.cc",
        "  if (IsNoNews(entry.told, entry.devices_told, "
        "AvailabilityToldBy(entry),\n",
        """  const Change& waits = entry.newest->change;
  if (IsNoNews(waits.before, waits.devices_before,
               waits.availability_before.get(),
"""),
    Bug("a token covers changes that still wait for their batch",
        WATCH + "_messages.cc",
        """  // Whatever waits for its batch must not be left behind by the token.
  draft.changes = TakeMail();
""",
        """  delivered_up_to_ = parts_.engine.published_up_to();
"""),
    Bug("resuming a session does not call off its linger",
        SHARD + "_open.cc",
        "  session.Clear(kLingering);\n",
        ""),
    Bug("a unary signal with an old attachment counts",
        SHARD + "_signals.cc",
        "  if (attachment != session->attachment && !unnamed_leave) {\n",
        """  if (attachment == kNoAttachment && !unnamed_leave) {
"""),
    Bug("the older stream is not told of a take-over",
        HEARTBEAT + ".cc",
        "    if (stream != nullptr) stream->OnTakenOver(binding.handle);\n",
        ""),
    Bug("a copy is registered below the revision it was made at",
        "server/core/watch/interest_index.cc",
        "  interests.push_back({WatchRef(watch), revision});\n",
        "  interests.push_back({WatchRef(watch), revision - 1});\n"),
    Bug("a watch resumed after a restart does not wait for reconvergence",
        WATCH + ".cc",
        "  waits_ = resync_ == v1::RESYNC_REASON_OTHER_EPOCH;\n",
        "  waits_ = false;\n"),
    Bug("a watcher that lost mail is caught up with from now on only",
        WATCH + "_messages.cc",
        """  } else if (taken.lost) {
    BeginCopy(delivered_up_to_);
""",
        """  } else if (taken.lost) {
    BeginCopy(parts_.engine.published_up_to());
"""),
    Bug("a walk of the log stays with a user who leaves their place in it",
        SHARD + "_watch.cc",
        "    if (walk.next == user.slot) walk.next = user.in_log.before;\n",
        ""),
    Bug("the signal that waited for a token is lost",
        SHARD + "_signals.cc",
        "  session.waiting = kind;\n  session.Set(kWaiting);\n",
        "  session.waiting = kind;\n"),
    Bug("the session that was heard of last makes room for another",
        SHARD + "_open.cc",
        "        session.last_signal < longest_silent->last_signal) {\n",
        "        session.last_signal > longest_silent->last_signal) {\n"),
    Bug("a message that was not answered at once is never acknowledged",
        HEARTBEAT + ".cc",
        "  if (answered_ == received_ || answer_due_ != kNever) return;\n",
        "  if (answered_ != received_ || answer_due_ != kNever) return;\n"),
    Bug("a session that moves to another class of device is counted on both",
        SHARD + "_open.cc",
        "    SetEvaluated(session, State::kOffline);\n",
        ""),
    Bug("whoever follows the slot of a forgotten user is left out of a listing",
        SHARD + "_list.cc",
        "    if (user == nullptr) continue;\n",
        """    if (user == nullptr) ++slot;
    if (user == nullptr) continue;
"""),
    Bug("a listing tells who came, into a slot ahead of it, since it began",
        SHARD + "_list.cc",
        "  if (taken_at >= listing) return nullptr;\n",
        "  if (taken_at > listing) return nullptr;\n"),
    Bug("an await is decided by its first predicate alone",
        "server/core/query/await.cc",
        "    if (matching_[p] >= predicate.needed) decided_ = true;\n",
        """    if (p == 0 && matching_[p] >= predicate.needed) decided_ = true;
"""),
    Bug("an await gives up without what is not published yet",
        "server/transport/await/await_call.cc",
        "  parts_.rounds.PublishNow();\n",
        ""),
    Bug("a change of an invisible user takes a revision that the public sees",
        SHARD + "_hidden.cc",
        "  user.revision = outbox_.Beside(now.real);\n",
        "  user.revision = outbox_.Next(now.real);\n"),
    Bug("those who do not see through are told of invisible users",
        "server/core/watch/delivery.h",
        "    return Includes(audience_, watch.terms().view) &&\n",
        "    return (audience_ != Audience::kPublic ||\n"
        "            watch.terms().view == View::kPublic) &&\n"),
    Bug("who becomes visible was last seen while they were not",
        "server/core/session/readable_state.cc",
        "    if (veil == nullptr || !veil->Covers(session.last_seen)) {\n",
        "    if (veil == nullptr || session.last_seen > kNeverReal) {\n"),
    Bug("who becomes visible shows attachments that were made unseen",
        SHARD + "_hidden.cc",
        "    sessions_[slot].Extras().attached_unseen = true;\n",
        "    sessions_[slot].Extras().attached_unseen = false;\n"),
    Bug("an open takes what the client knew for what the user declared since",
        SHARD + "_availability.cc",
        "  if (availability_.Find(user) != nullptr && "
        "!request.replaces_availability) {\n",
        "  if (availability_.IsInvisible(user) && "
        "!request.replaces_availability) {\n"),
]
