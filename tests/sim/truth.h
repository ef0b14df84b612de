// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What one run of the server should be and tell: the model of tests/property,
// and what it emitted.
#ifndef LIFESIGN_TESTS_SIM_TRUTH_H_
#define LIFESIGN_TESTS_SIM_TRUTH_H_

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/core/presence_engine.h"
#include "tests/property/model.h"
#include "tests/sim/journal.h"
#include "tests/sim/verdict.h"
#include "tests/sim/world_options.h"

namespace lifesign::sim {

// A change, and the PresenceRecord that a watcher is told of it, by Detail.
struct Told {
  // Its revision is 0 as long as only the engine knows it.
  Change change;
  std::array<std::string, kDetails> wires;
  std::string availability;  // see AvailabilityOf
  PresenceTime published_at{};

  const std::string& wire(Detail detail) const {
    return wires[static_cast<std::size_t>(detail)];
  }
};

// As a watcher is told it.
std::string WireOf(const PresenceRecord& record, Detail detail);
// What is in effect, of a record that is as of now, whatever the wall clock
// will say of it later.
std::string AvailabilityOf(const PresenceRecord& record, const Now& now);

// Of users who are invisible, or were, it knows what everybody is told and,
// apart from it, what those are told who see through.
class Truth {
 public:
  // All outlive it. `users`: whoever may come.
  Truth(const WorldOptions& options, const std::vector<std::string>& users,
        const Policy& policy, const Now& start, PresenceEngine& engine,
        Journal& journal, Verdict& verdict);

  // Is called with every change when it is emitted.
  void OnChange(std::function<void(const Change&)> on_change) {
    on_change_ = std::move(on_change);
  }

  // Is called with every change when it is published.
  void OnPublish(std::function<void(const Change&)> on_publish) {
    on_publish_ = std::move(on_publish);
  }

  property::Model& model() { return model_; }
  const property::Model& model() const { return model_; }

  // A tick of the model; the engine's follows.
  void Tick(const Now& now);

  // Evaluates all of `users`, in the model and in the engine: after a step in
  // which users were copied, since only the engine knows who was looked at.
  void EvaluateEveryone(const std::vector<std::string>& users, const Now& now);

  // Takes in what the model emitted. To be called after every step that may
  // have changed it, when the engine has done the same.
  void Collect(const Now& now);

  bool AllPublished() const { return unpublished_ == 0; }
  // Whether a round of publishing is needed before the next tick: not for what
  // only those are told who see through.
  bool NeedsRound() const { return unpublished_in_public_ > 0; }

  // A round of publishing, of engine and model: what is published is what was
  // emitted, in order.
  void Publish(const Now& now);

  // Follows the engine in forgetting users; it may not forget too early.
  void FollowForgetting(const std::vector<std::string>& users, const Now& now);

  // How often `user` was.
  int TimesForgotten(const std::string& user, View view) const {
    const auto found = forgotten_.find({user, view});
    return found == forgotten_.end() ? 0 : found->second;
  }

  // The change of `user` with this revision; null if there was none.
  const Told* Find(const std::string& user, View view, Revision revision) const;
  // The newest change of `user` that is published and of which a watch of this
  // view and detail is told; null if none is.
  const Told* Published(const std::string& user, View view,
                        Detail detail) const;
  // The same, with a revision up to `revision`.
  const Told* PublishedUpTo(const std::string& user, View view, Detail detail,
                            Revision revision) const;

  // The record that `user` has in a snapshot now. Evaluates the user, as
  // copying does.
  PresenceRecord Snapshot(const std::string& user, View view, const Now& now);
  // The same of one who is not evaluated.
  PresenceRecord AsEmitted(const std::string& user, View view,
                           const Now& now) const {
    return model_.Record(user, view, now);
  }
  // `record` as it is copied within a tick, which may have forgotten whom the
  // model still knows: that follows when the tick is over, and says then
  // whether it was too early. May evaluate the user.
  PresenceRecord Remembered(const PresenceRecord& record, View view,
                            const Now& now) const;
  // When this step is over, `user` has this revision.
  void ExpectRevision(const std::string& user, View view, Revision revision) {
    expected_.push_back({user, view, revision});
  }

 private:
  struct Expected {
    std::string user;
    View view;
    Revision revision;
  };
  struct History {
    std::vector<Told> changes;  // in the order of their revisions
    std::size_t published = 0;  // of them
  };
  // By user.
  using Histories = std::map<std::string, History>;

  static property::Model::Options ModelOptions(const WorldOptions& options,
                                               const Policy& policy,
                                               Revision epoch);
  // A tick, or copying, changes users in an order that is the engine's own: the
  // revisions that it gives are the model's, each to another user of the shard.
  // Of several changes of a user that of the last is known now, those of the
  // others once they are published.
  void AdoptRevisions(std::vector<Change>& changes, const Now& now);
  void AdoptInPublic(std::vector<Change>& changes, const Now& now);
  void AdoptInTruth(std::vector<Change>& changes, const Now& now);
  Histories& HistoriesIn(View view) {
    return histories_[static_cast<std::size_t>(view)];
  }
  const Histories& HistoriesIn(View view) const {
    return histories_[static_cast<std::size_t>(view)];
  }
  // One change on its way to its watchers.
  void OnPublished(const Change& change, Revision published_before,
                   const Now& now);
  void CheckPublished(const Change& change, View view, const Now& now);
  // The first that is not published, for a person.
  std::string FirstUnpublished() const;

  PresenceEngine& engine_;
  Journal& journal_;
  Verdict& verdict_;
  property::Model model_;
  std::function<void(const Change&)> on_change_;
  std::function<void(const Change&)> on_publish_;
  // What is to be collected comes in an order that is the engine's own.
  bool unordered_ = false;
  std::vector<Expected> expected_;
  std::array<Histories, 2> histories_;  // by View
  std::map<std::pair<std::string, View>, int> forgotten_;
  // Changes, each in every view that is told of it.
  int unpublished_ = 0;
  int unpublished_in_public_ = 0;
  // That were published: in public, and of users to those who see through.
  std::map<int, Revision> newest_of_shard_;
  std::map<std::string, Revision> newest_in_truth_;
  // Watch everyone, so that every change is seen on its way.
  const std::array<std::shared_ptr<Watch>, 2> everyone_;
};

}  // namespace lifesign::sim

#endif  // LIFESIGN_TESTS_SIM_TRUTH_H_
