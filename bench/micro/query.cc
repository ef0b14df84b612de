// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/query.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/load/json.h"
#include "bench/micro/population.h"
#include "bench/micro/thread_cpu.h"
#include "server/base/limits.h"

namespace lifesign::bench {
namespace {

constexpr int kTimes = 10'000;
constexpr double kNanosecondsPerMillisecond = 1e6;

// CPU time of one of `times` calls.
template <typename Call>
double NanosecondsOf(int times, const Call& call) {
  const double before = ThreadCpuNanoseconds();
  for (int i = 0; i < times; ++i) call(i);
  return (ThreadCpuNanoseconds() - before) / times;
}

void Counts(const Population& population, const PresenceEngine& engine) {
  std::int64_t users = 0;
  const double nanoseconds = NanosecondsOf(
      kTimes, [&](int) { users += engine.Counts().counts.users()[0]; });
  JsonLine()
      .Add("bench", "\"query.count\"")
      .Add("sessions", population.size())
      .Add("users", users / kTimes)
      .Add("ns", nanoseconds)
      .Print();
}

void Listing(Population& population, const char* name, StateSet states) {
  PresenceEngine& engine = population.engine();
  std::size_t users = 0;
  int pages = 0;
  double sum = 0;
  double most = 0;
  absl::optional<ListPlace> from;
  do {
    const double before = ThreadCpuNanoseconds();
    const PresencePage page =
        engine.List({states, {}}, from, limits::kMaxPageSize, population.now());
    const double used = ThreadCpuNanoseconds() - before;
    sum += used;
    most = std::max(most, used);
    users += page.users.size();
    ++pages;
    from = page.next;
  } while (from.has_value());
  JsonLine()
      .Add("bench", absl::StrCat("\"query.list_", name, "\""))
      .Add("sessions", population.size())
      .Add("users", users)
      .Add("pages", pages)
      .Add("ms", sum / kNanosecondsPerMillisecond)
      .Add("longest_page_ms", most / kNanosecondsPerMillisecond)
      .Print();
}

std::shared_ptr<Await> AwaitOf(absl::string_view user, State at_least) {
  AwaitTerms terms;
  terms.users = {std::string(user)};
  terms.predicates = {{{0}, at_least, 1}};
  return std::make_shared<Await>(std::move(terms),
                                 std::weak_ptr<AwaitListener>());
}

// Somebody who is never ACTIVE, and changes with every call of Change.
class Flapper {
 public:
  explicit Flapper(Population& population) : population_(population) {}

  void Change() {
    PresenceEngine& engine = population_.engine();
    if (open_) {
      Signal leave;
      leave.kind = SignalKind::kLeave;
      engine.Apply(ref_, leave, population_.now());
    } else {
      OpenRequest request;
      request.name = {kUser, "s"};
      ref_ = engine.Open(request, population_.now()).ref;
    }
    open_ = !open_;
    engine.Publish(population_.now(), [](const lifesign::Change&, Detail) {
      return std::shared_ptr<const void>();
    });
  }

  static constexpr absl::string_view kUser = "flapper";

 private:
  Population& population_;
  SessionRef ref_;
  bool open_ = false;
};

void Awaits(Population& population) {
  constexpr int kMany = 1'000;
  PresenceEngine& engine = population.engine();
  const double begin_and_end = NanosecondsOf(kTimes, [&](int i) {
    const std::size_t index =
        static_cast<std::size_t>(i) * 97 % population.size();
    const auto await =
        AwaitOf(population.sessions()[index].ids.name().user, State::kActive);
    engine.TellAndRegister(await, population.now());
    engine.Unregister(*await);
  });
  Flapper flapper(population);
  const double of_none = NanosecondsOf(kTimes, [&](int) { flapper.Change(); });
  std::vector<std::shared_ptr<Await>> awaits;
  const auto with = [&](int count, int times) {
    while (static_cast<int>(awaits.size()) < count) {
      awaits.push_back(AwaitOf(Flapper::kUser, State::kActive));
      engine.TellAndRegister(awaits.back(), population.now());
    }
    return NanosecondsOf(times, [&](int) { flapper.Change(); });
  };
  const double of_one = with(1, kTimes);
  const double of_many = with(kMany, kTimes / 10);
  JsonLine()
      .Add("bench", "\"query.await\"")
      .Add("begin_and_end_ns", begin_and_end)
      .Add("change_ns", of_none)
      .Add("change_to_one_ns", of_one)
      .Add("each_of_many_ns", (of_many - of_none) / kMany)
      .Print();
}

}  // namespace

int RunQuery(const QueryOptions& options) {
  Population population({options.sessions, 2, options.shards});
  Counts(population, population.engine());
  Listing(population, "everybody", StateSet::All());
  Listing(population, "nobody", {State::kOffline});
  Awaits(population);
  return 0;
}

}  // namespace lifesign::bench
