// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Heartbeats, and what they cost the server.
#ifndef LIFESIGN_BENCH_LOAD_BEATS_H_
#define LIFESIGN_BENCH_LOAD_BEATS_H_

#include <cstdint>
#include <string>

namespace lifesign::bench {

struct BeatsOptions {
  std::string target;
  int server_pid = 0;
  // A floor that knows no sessions: none are opened.
  bool floor = false;
  int connections = 1;
  int streams = 1;  // a multiple of connections
  int sessions_per_stream = 1;
  // Signals a message; at most sessions_per_stream.
  int batch = 1;
  // Every message is answered; else the server answers as it likes.
  bool acked = false;
  // Messages a second over all streams, evenly; 0: each stream sends its next
  // as soon as its last is answered (acked) or taken (else).
  double rate = 0;
  double warmup_seconds = 1;
  double seconds = 4;
};

// Opens the sessions, beats, and prints one line of JSON: messages, signals,
// seconds, server_cpu_ns, answer_p50_ns and answer_p99_ns (from the intended
// send; acked only). Returns the exit code.
int RunBeats(const BeatsOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_BEATS_H_
