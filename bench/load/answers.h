// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How late a server answers that has almost nothing to do.
#ifndef LIFESIGN_BENCH_LOAD_ANSWERS_H_
#define LIFESIGN_BENCH_LOAD_ANSWERS_H_

#include <string>
#include <vector>

namespace lifesign::bench {

struct AnswersOptions {
  // Idle servers, asked independently.
  std::vector<std::string> targets;
  // Answers to take in all.
  int answers = 100;
  // Between two heartbeats to one server, at random.
  double least_seconds = 1;
  double most_seconds = 2.5;
  unsigned seed = 1;
};

// Prints answers, answer_p50_ns, answer_p99_ns, answer_max_ns: from the
// intended send to the receipt.
int RunAnswers(const AnswersOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_ANSWERS_H_
