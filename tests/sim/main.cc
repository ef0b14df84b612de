// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Runs seeds of the simulation, one after another.
//
//   lifesign_sim [--seeds N] [--from S] [--jobs J] [--follow]
//
// Prints of each seed that fails the shortest script that was found. Its last
// line is "sim: seeds=N failed=M steps=K"; it fails if a seed did.
//   --seeds  how many (2,000)
//   --from   the first (1)
//   --jobs   in so many processes (1)
//   --follow prints all that happens
//   --any    stops at the first that fails
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/log.h"
#include "tests/sim/run.h"

namespace lifesign::sim {
namespace {

struct Flags {
  std::uint64_t seeds = 2'000;
  std::uint64_t from = 1;
  std::uint64_t jobs = 1;
  bool follow = false;
  bool any = false;
};

struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  std::uint64_t steps = 0;
  std::map<std::string, std::uint64_t> tally;
};

bool Parse(int count, char** arguments, Flags& flags) {
  for (int i = 1; i < count; ++i) {
    const absl::string_view flag = arguments[i];
    if (flag == "--follow") {
      flags.follow = true;
      continue;
    }
    if (flag == "--any") {
      flags.any = true;
      continue;
    }
    std::uint64_t* value = flag == "--seeds"  ? &flags.seeds
                           : flag == "--from" ? &flags.from
                           : flag == "--jobs" ? &flags.jobs
                                              : nullptr;
    if (value == nullptr || ++i == count ||
        !absl::SimpleAtoi(arguments[i], value)) {
      return false;
    }
  }
  return flags.jobs > 0;
}

// Of the sources, to be told with a failure.
std::string Commit() {
  std::string commit;
  if (std::FILE* git =
          popen("git describe --always --dirty --abbrev=12 2>&1", "r")) {
    char text[64] = "";
    if (std::fgets(text, sizeof(text), git) != nullptr) commit = text;
    if (pclose(git) != 0) commit.clear();
  }
  while (!commit.empty() && commit.back() == '\n') commit.pop_back();
  return commit.empty() ? "unknown" : commit;
}

// Of the seed that runs.
volatile std::sig_atomic_t seed_high = 0;
volatile std::sig_atomic_t seed_low = 0;
constexpr std::uint64_t kHalf = 1'000'000'000;

// An assertion of ours, or worse: says in which seed. Calls only what may be
// called when anything may be broken.
void OnCrash(int signal) {
  char text[] = "\nCRASHED in seed 000000000000000000\n";
  char* digit = text + sizeof(text) - 3;
  for (const auto half : {seed_low, seed_high}) {
    auto left = half;
    for (int i = 0; i < 9; ++i) {
      *digit-- = static_cast<char>('0' + left % 10);
      left /= 10;
    }
  }
  const auto written = write(STDERR_FILENO, text, sizeof(text) - 1);
  static_cast<void>(written);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// Runs those seeds that fall to `job`.
Totals RunJob(const Flags& flags, std::uint64_t job) {
  Totals totals;
  for (std::uint64_t i = job; i < flags.seeds; i += flags.jobs) {
    const std::uint64_t seed = flags.from + i;
    seed_high = static_cast<std::sig_atomic_t>(seed / kHalf);
    seed_low = static_cast<std::sig_atomic_t>(seed % kHalf);
    const Outcome outcome =
        RunSeed(seed, kStepsPerSeed, flags.follow ? &std::cout : nullptr);
    ++totals.seeds;
    totals.steps += outcome.script.size();
    for (const auto& [what, times] : outcome.tally) {
      totals.tally[std::string(what)] += times;
    }
    if (!outcome.fault.has_value()) continue;
    ++totals.failed;
    std::cout << absl::StrCat("FAILED at commit ", Commit(),
                              "; again: ./dev sim --seeds 1 --from ", seed,
                              "\n", Report(seed, outcome))
              << std::flush;
    if (flags.any) break;
  }
  return totals;
}

void Add(const Totals& part, Totals& whole) {
  whole.seeds += part.seeds;
  whole.failed += part.failed;
  whole.steps += part.steps;
  for (const auto& [what, times] : part.tally) whole.tally[what] += times;
}

// What a child writes for its parent, and the parent reads: a line each.
void WriteTotals(const Totals& totals, std::FILE* to) {
  std::fprintf(to, "%ju %ju %ju\n", static_cast<std::uintmax_t>(totals.seeds),
               static_cast<std::uintmax_t>(totals.failed),
               static_cast<std::uintmax_t>(totals.steps));
  for (const auto& [what, times] : totals.tally) {
    std::fprintf(to, "%ju %s\n", static_cast<std::uintmax_t>(times),
                 what.c_str());
  }
}

bool ReadTotals(std::FILE* from, Totals& totals) {
  if (std::fscanf(from, "%ju %ju %ju\n", &totals.seeds, &totals.failed,
                  &totals.steps) != 3) {
    return false;
  }
  std::uintmax_t times = 0;
  char what[256];
  while (std::fscanf(from, "%ju %255[^\n]\n", &times, what) == 2) {
    totals.tally[what] += times;
  }
  return true;
}

// Forks before any thread is there. False if a child was lost.
bool RunJobs(const Flags& flags, Totals& totals) {
  std::vector<std::FILE*> results;
  for (std::uint64_t job = 0; job < flags.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0) return false;
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      std::FILE* to = fdopen(ends[1], "w");
      WriteTotals(RunJob(flags, job), to);
      std::fclose(to);
      _exit(0);
    }
    close(ends[1]);
    if (child < 0) return false;
    results.push_back(fdopen(ends[0], "r"));
  }
  bool whole = true;
  for (std::FILE* from : results) {
    Totals part;
    whole &= ReadTotals(from, part);
    Add(part, totals);
    std::fclose(from);
  }
  while (wait(nullptr) > 0) {
  }
  return whole;
}

int Main(int count, char** arguments) {
  Flags flags;
  if (!Parse(count, arguments, flags)) {
    std::cerr << "usage: lifesign_sim [--seeds N] [--from S] [--jobs J] "
                 "[--follow] [--any]\n";
    return 2;
  }
  // What the server logs of what is done to it is of no interest.
  SetMinLogLevel(LogLevel::kError);
  std::signal(SIGABRT, OnCrash);
  std::signal(SIGSEGV, OnCrash);
  Totals totals;
  const bool whole = flags.jobs == 1 ? (Add(RunJob(flags, 0), totals), true)
                                     : RunJobs(flags, totals);
  for (const auto& [what, times] : totals.tally) {
    std::cout << absl::StrCat("  ", times, " ", what, "\n");
  }
  std::cout << absl::StrCat("sim: seeds=", totals.seeds,
                            " failed=", totals.failed, " steps=", totals.steps,
                            "\n");
  if (!whole) std::cerr << "a process of the simulation was lost\n";
  return whole && totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace lifesign::sim

int main(int count, char** arguments) {
  return lifesign::sim::Main(count, arguments);
}
