// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the core takes from the machine.
#ifndef LIFESIGN_BENCH_MICRO_MEMORY_H_
#define LIFESIGN_BENCH_MICRO_MEMORY_H_

#include <cstddef>

namespace lifesign::bench {

struct MemoryOptions {
  std::size_t users = 1'000'000;
  std::size_t sessions_per_user = 2;
  int shards = 16;
};

// One line: bytes per open session by resident memory and by allocator, the
// ids' own bytes (8 of a session, 16 of a user) taken off. Nothing else is: how
// they are kept counts.
int RunMemory(const MemoryOptions& options);

// Of this process.
double ResidentBytes();
// What its allocator has handed out.
double AllocatedBytes();

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_MICRO_MEMORY_H_
