// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The engine and the model, side by side.
#ifndef LIFESIGN_TESTS_PROPERTY_WORLD_H_
#define LIFESIGN_TESTS_PROPERTY_WORLD_H_

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "server/core/presence_engine.h"
#include "tests/property/model.h"
#include "tests/property/step.h"

namespace lifesign::property {

struct WorldOptions {
  int shards = 1;
  int users = 1;
  int sessions = 1;  // names of a user's sessions
  int max_sessions_per_user = 64;
  int policy = 0;  // of Policies()
  std::uint64_t hash_seed = 0;
  View watcher = View::kPublic;
};

// How often what happened: whoever asserts that nothing went wrong should know
// that something went on.
using Tally = std::map<std::string, int>;

class World {
 public:
  World(const WorldOptions& options, const Now& start);

  // Does `step` to both. Returns how they disagree; none if they do not.
  absl::optional<std::string> Run(const Step& step);

  const Model& model() const { return model_; }
  const Now& start() const { return start_; }
  // The attachments that the session had in this world.
  int AttachmentsOf(int user, int session) const;
  const Tally& tally() const { return tally_; }

 private:
  struct Held {
    SessionRef ref;
    bool stream;  // of a stream that is open
  };
  // What waits in the watcher's mailbox, as docs/concepts.md § 9 says it.
  struct Waiting {
    std::string user;
    State told;
    AvailabilityViewPtr told_availability;
    State state;
    Revision revision;
  };

  // What a session's confidence was, and of which silence.
  struct Silence {
    PresenceTime since = kNever;
    PolicyRow row;
    Duration promised{0};
    double confidence = 1;
  };

  static Model::Options ModelOptions(const WorldOptions& options);
  Held* Find(const Step& step);
  absl::optional<std::string> Open(const Step& step);
  absl::optional<std::string> Apply(const Step& step);
  absl::optional<std::string> ApplyUnary(const Step& step);
  absl::optional<std::string> Read(const Step& step, View view);
  absl::optional<std::string> CheckConfidence(const Step& step,
                                              const ModelUserView& expected,
                                              const UserExplanation& actual);
  absl::optional<std::string> Copy(const Step& step);
  absl::optional<std::string> TakeMail(const Step& step);
  absl::optional<std::string> CompareChanges(Step::Kind kind);
  void AdoptOrderOf(std::vector<Change>& changes);
  absl::optional<std::string> CheckRevision(const Change& change,
                                            Revision published_before);
  absl::optional<std::string> CompareBindings(const Step& step);
  absl::optional<std::string> FollowForgetting();
  absl::optional<std::string> CompareCounts(View view,
                                            const ModelCounts& counts);
  void LeaveInMailbox(const Change& change);
  absl::optional<std::string> Compare(const std::string& expected,
                                      const std::string& actual,
                                      const char* what);

  const WorldOptions options_;
  const Now start_;
  Now newest_;
  PresenceEngine engine_;
  Model model_;
  std::map<std::pair<int, int>, std::vector<Held>> held_;
  std::uint64_t next_stream_ = 1;
  std::set<Attachment> attachments_;

  std::map<std::pair<int, std::string>, Silence> silences_;

  // As of the last tick: what everybody is shown, and what is true.
  std::array<ModelCounts, 2> counts_;

  // Are told of everyone, all the time, in each view.
  std::shared_ptr<Watch> collector_;
  std::shared_ptr<Watch> true_collector_;
  std::vector<Change> collected_;
  std::map<int, Revision> newest_of_shard_;
  std::map<std::string, Revision> newest_truth_;
  // Is told of some, now and then.
  std::shared_ptr<Watch> watcher_;
  std::set<std::string> watched_;
  std::vector<Waiting> mailbox_;

  Tally tally_;
};

}  // namespace lifesign::property

#endif  // LIFESIGN_TESTS_PROPERTY_WORLD_H_
