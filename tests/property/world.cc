// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/property/world.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/property/policies.h"

namespace lifesign::property {
namespace {

// How far two ways of computing the same probability may lie apart.
constexpr double kRounding = 1e-6;

DeviceClass DeviceOf(const OpenRequest& request) {
  return request.device.value_or(DeviceClass::kOther);
}

Declaration DeclarationOf(const Step& step) {
  Declaration declaration;
  if (step.availability.has_value()) {
    declaration.availability = &*step.availability;
  }
  return declaration;
}

Now Later(const Now& a, const Now& b) {
  return {std::max(a.presence, b.presence), std::max(a.real, b.real), b.wall};
}

}  // namespace

Model::Options World::ModelOptions(const WorldOptions& options) {
  // Another engine tells in which shard a user lies.
  PresenceEngine::Options probe_options;
  probe_options.shards = options.shards;
  probe_options.hash_seed = options.hash_seed;
  PresenceEngine probe(probe_options, Now{});
  std::map<std::string, int> shards;
  for (int user = 0; user < options.users; ++user) {
    const std::string name = UserName(user);
    OpenRequest request;
    request.name = {name, "probe"};
    shards[name] = static_cast<int>(probe.Open(request, Now{}).ref.shard);
  }
  Model::Options model;
  model.policy = Policies()[static_cast<std::size_t>(options.policy)];
  model.epoch = 1'000'000;
  model.max_sessions_per_user = options.max_sessions_per_user;
  model.shards = options.shards;
  model.shard_of = [shards](const std::string& user) {
    return shards.at(user);
  };
  return model;
}

World::World(const WorldOptions& options, const Now& start)
    : options_(options),
      start_(start),
      newest_(start),
      engine_(
          [&] {
            PresenceEngine::Options engine;
            engine.policy =
                Policies()[static_cast<std::size_t>(options.policy)];
            engine.shards = options.shards;
            engine.epoch = 1'000'000;
            engine.hash_seed = options.hash_seed;
            engine.max_sessions_per_user = options.max_sessions_per_user;
            return engine;
          }(),
          start),
      model_(ModelOptions(options), start),
      collector_(std::make_shared<Watch>(std::weak_ptr<WatchListener>())),
      true_collector_(std::make_shared<Watch>(std::weak_ptr<WatchListener>(),
                                              WatchTerms{.view = View::kTrue})),
      watcher_(std::make_shared<Watch>(std::weak_ptr<WatchListener>(),
                                       WatchTerms{.view = options.watcher})) {
  std::vector<std::string> everyone;
  for (int user = 0; user < options.users; ++user) {
    everyone.push_back(UserName(user));
  }
  engine_.CopyAndRegister(collector_, everyone, start);
  engine_.CopyAndRegister(true_collector_, everyone, start);
}

int World::AttachmentsOf(int user, int session) const {
  const auto found = held_.find({user, session});
  return found == held_.end() ? 0 : static_cast<int>(found->second.size());
}

World::Held* World::Find(const Step& step) {
  if (step.back == kNobody) return nullptr;
  const auto found = held_.find({step.user, step.session});
  if (found == held_.end()) return nullptr;
  auto& held = found->second;
  const auto back = static_cast<std::size_t>(step.back);
  return back < held.size() ? &held[held.size() - 1 - back] : nullptr;
}

absl::optional<std::string> World::Compare(const std::string& expected,
                                           const std::string& actual,
                                           const char* what) {
  if (expected == actual) return absl::nullopt;
  return absl::StrCat(what, "\n    model:  ", expected,
                      "\n    engine: ", actual);
}

absl::optional<std::string> World::Run(const Step& step) {
  newest_ = Later(newest_, step.now);
  absl::optional<std::string> fault;
  switch (step.kind) {
    case Step::Kind::kOpen:
      fault = Open(step);
      break;
    case Step::Kind::kApply:
      fault = Apply(step);
      break;
    case Step::Kind::kUnary:
      fault = ApplyUnary(step);
      break;
    case Step::Kind::kDisconnect:
      if (Held* held = Find(step); held != nullptr && held->stream) {
        held->stream = false;
        engine_.Disconnect(held->ref, step.now);
        model_.Disconnect(UserName(step.user), SessionId(step.session),
                          held->ref.attachment, step.now);
      }
      break;
    case Step::Kind::kRead:
      fault = Read(step, View::kPublic);
      if (!fault) fault = Read(step, View::kTrue);
      break;
    case Step::Kind::kCopy:
      fault = Copy(step);
      break;
    case Step::Kind::kUnwatch: {
      const std::string user = UserName(step.user);
      engine_.Unregister(*watcher_, std::vector<std::string>{user});
      watched_.erase(user);
      break;
    }
    case Step::Kind::kTakeMail:
      fault = TakeMail(step);
      break;
    case Step::Kind::kTick:
      engine_.Tick(step.now);
      model_.Tick(step.now);
      counts_ = {model_.Count(View::kPublic, step.now),
                 model_.Count(View::kTrue, step.now)};
      break;
    case Step::Kind::kDeclare: {
      const std::string user = UserName(step.user);
      engine_.Declare(user, *step.availability, step.now);
      model_.Declare(user, *step.availability, step.now);
      break;
    }
    case Step::Kind::kSetPolicy: {
      const Policy& policy = Policies()[static_cast<std::size_t>(step.policy)];
      engine_.SetPolicy(policy);
      model_.SetPolicy(policy);
      break;
    }
  }
  if (!fault) fault = CompareChanges(step.kind);
  if (!fault && step.kind == Step::Kind::kTick) fault = FollowForgetting();
  if (!fault) fault = CompareCounts(View::kPublic, counts_[0]);
  if (!fault) fault = CompareCounts(View::kTrue, counts_[1]);
  if (!fault) fault = CompareBindings(step);
  return fault;
}

absl::optional<std::string> World::Open(const Step& step) {
  const std::string user = UserName(step.user);
  const std::string session = SessionId(step.session);
  const Metadata metadata =
      step.metadata.value_or(0) == 0
          ? Metadata()
          : Metadata{{"key", absl::StrCat(*step.metadata)}};
  OpenRequest request;
  request.name = {user, session};
  if (!step.unary) request.binding = {next_stream_++, 7};
  request.instance = step.instance;
  request.device = step.device;
  if (step.metadata.has_value()) request.metadata = &metadata;
  request.signal = step.signal;
  if (step.availability.has_value()) request.availability = &*step.availability;
  request.replaces_availability = step.replaces_availability;

  const OpenOutcome actual = engine_.Open(request, step.now);
  const OpenOutcome expected =
      model_.Open(request, actual.ref.attachment, step.now);
  if (actual.ok()) {
    if (!attachments_.insert(actual.ref.attachment).second) {
      return "an attachment was given twice";
    }
    held_[{step.user, step.session}].push_back({actual.ref, !step.unary});
  }
  ++tally_[actual.ok()
               ? absl::StrCat("open ", actual.resumed ? "resumed" : "begun",
                              actual.taken_over ? " taking over" : "")
               : absl::StrCat("open refused ", Word(actual.refusal))];
  ++tally_[absl::StrCat("open on ", DeviceClassName(DeviceOf(request)))];
  return Compare(Words(expected), Words(actual), "open");
}

absl::optional<std::string> World::Apply(const Step& step) {
  const Held* held = Find(step);
  // A stream that is gone says nothing.
  if (held == nullptr || !held->stream) return absl::nullopt;
  const Declaration declaration = DeclarationOf(step);
  const SignalOutcome actual =
      declaration.empty() ? engine_.Apply(held->ref, *step.signal, step.now)
                          : engine_.ApplyDeclaring(held->ref, *step.signal,
                                                   declaration, step.now);
  const SignalOutcome expected =
      model_.Apply(UserName(step.user), SessionId(step.session),
                   held->ref.attachment, *step.signal, declaration, step.now);
  ++tally_[absl::StrCat("stream signal ", Word(actual.refusal))];
  return Compare(Words(expected), Words(actual), "stream signal");
}

absl::optional<std::string> World::ApplyUnary(const Step& step) {
  const std::string user = UserName(step.user);
  const std::string session = SessionId(step.session);
  const Held* held = Find(step);
  const Attachment attachment =
      held == nullptr ? kNoAttachment : held->ref.attachment;
  if (attachment == kNoAttachment && step.signal->kind != SignalKind::kLeave) {
    return absl::nullopt;
  }
  const Declaration declaration = DeclarationOf(step);
  const SignalOutcome actual = engine_.ApplyUnary(
      {user, session}, attachment, *step.signal, step.now, declaration);
  const SignalOutcome expected = model_.ApplyUnary(
      user, session, attachment, *step.signal, declaration, step.now);
  ++tally_[absl::StrCat("unary signal ", Word(actual.refusal))];
  return Compare(Words(expected), Words(actual), "unary signal");
}

absl::optional<std::string> World::Read(const Step& step, View viewed) {
  const std::string user = UserName(step.user);
  const UserView view = engine_.GetUser(user, step.now, viewed);
  const std::vector<SessionView> sessions =
      engine_.ListSessions(user, step.now, viewed);
  const UserExplanation explanation =
      engine_.Explain(user, step.now, "", viewed);
  const ModelUserView expected = model_.Read(user, viewed, step.now);
  ++tally_[absl::StrCat(viewed == View::kTrue ? "seen through " : "read ",
                        Word(view.record.state))];

  auto fault = Compare(Words(expected.record, start_),
                       Words(view.record, start_), "user");
  if (!fault) {
    fault = Compare(Words(expected.record, start_),
                    Words(explanation.user.record, start_), "explained user");
  }
  if (!fault) {
    fault = Compare(Words(expected.next_change, start_),
                    Words(explanation.next_change, start_),
                    "next change of the user");
  }
  if (!fault && (view.sessions_by_state != expected.sessions_by_state ||
                 sessions.size() != expected.sessions.size() ||
                 explanation.sessions.size() != expected.sessions.size())) {
    fault = "the number of sessions";
  }
  for (std::size_t i = 0; !fault && i < sessions.size(); ++i) {
    const SessionExplanation& model = expected.sessions[i].explanation;
    fault = Compare(Words(model.session, start_), Words(sessions[i], start_),
                    "session");
    if (fault) break;
    fault =
        Compare(Words(model, start_), Words(explanation.sessions[i], start_),
                "explained session");
  }
  if (!fault && viewed == View::kTrue) {
    fault = CheckConfidence(step, expected, explanation);
  }
  return fault;
}

// § 6, as far as it does not depend on what was learned.
absl::optional<std::string> World::CheckConfidence(
    const Step& step, const ModelUserView& expected,
    const UserExplanation& actual) {
  double all_gone = 1;
  for (std::size_t i = 0; i < actual.sessions.size(); ++i) {
    const SessionExplanation& session = actual.sessions[i];
    const double confidence = session.session.confidence;
    if (!(confidence >= 0 && confidence <= 1)) return "confidence outside 0…1";
    if (expected.sessions[i].within_promise && confidence != 1) {
      return "confidence below 1 within the promise";
    }
    if (session.holds_user_state) all_gone *= 1 - confidence;

    Silence& before = silences_[{step.user, session.session.session}];
    const PresenceTime since = newest_.presence - *session.signal_age;
    if (before.since == since && before.row == session.row &&
        before.promised == session.session.next_interval &&
        confidence > before.confidence) {
      return "confidence that rises in silence";
    }
    before = {since, session.row, session.session.next_interval, confidence};
  }
  const double together = actual.sessions.empty() ? 0 : 1 - all_gone;
  if (std::abs(together - actual.user.confidence) > kRounding) {
    return absl::StrCat("a user's confidence of ", actual.user.confidence,
                        " where the sessions give ", together);
  }
  return absl::nullopt;
}

absl::optional<std::string> World::Copy(const Step& step) {
  const std::string user = UserName(step.user);
  const std::vector<PresenceRecord> copied = engine_.CopyAndRegister(
      watcher_, std::vector<std::string>{user}, step.now);
  const PresenceRecord expected =
      model_.Read(user, options_.watcher, step.now).record;
  watched_.insert(user);
  std::erase_if(mailbox_,
                [&](const Waiting& waiting) { return waiting.user == user; });
  // What the copy found is in it, and is not told to this watcher again.
  auto fault = CompareChanges(step.kind);
  std::erase_if(mailbox_,
                [&](const Waiting& waiting) { return waiting.user == user; });
  if (fault) return fault;
  if (copied.size() != 1) return "one record for each user copied";
  return Compare(Words(expected, start_), Words(copied[0], start_), "copy");
}

absl::optional<std::string> World::TakeMail(const Step& step) {
  const auto words = [](const std::string& user, State state,
                        Revision revision) {
    return absl::StrCat(user, " ", Word(state), " ", revision, "; ");
  };
  const auto most = static_cast<std::size_t>(step.most);
  std::string actual;
  for (const PublishedChangePtr& mail : watcher_->Take(most).mail) {
    const PresenceRecord& after = mail->change.after;
    absl::StrAppend(&actual, words(after.user, after.state, after.revision));
    ++tally_["mail taken"];
  }
  std::string expected;
  for (std::size_t i = 0; i < most && !mailbox_.empty(); ++i) {
    const Waiting& first = mailbox_.front();
    absl::StrAppend(&expected, words(first.user, first.state, first.revision));
    mailbox_.erase(mailbox_.begin());
  }
  return Compare(expected, actual, "mailbox");
}

}  // namespace lifesign::property
