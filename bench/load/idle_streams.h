// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What a stream costs that says nothing.
#ifndef LIFESIGN_BENCH_LOAD_IDLE_STREAMS_H_
#define LIFESIGN_BENCH_LOAD_IDLE_STREAMS_H_

#include <string>

namespace lifesign::bench {

struct IdleStreamsOptions {
  std::string target;
  int server_pid = 0;
  // A floor answers a message, whatever it says.
  bool floor = false;
  int streams = 1'000;
  // Over which the streams are spread.
  int connections = 1'000;
};

// Opens the streams with one session each, waits for every answer, and prints
// streams, connections and bytes: what the server's own memory grew by. One
// stream is there before, so that what is made once is not counted.
int RunIdleStreams(const IdleStreamsOptions& options);

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_IDLE_STREAMS_H_
