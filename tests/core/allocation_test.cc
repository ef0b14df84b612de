// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// docs/architecture.md, "What a session costs": a heartbeat to a known session
// allocates nothing unless the user changes. This file counts what its thread
// takes from the heap; the whole executable allocates through it.
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/presence_story.h"

namespace {

thread_local int allocations = 0;

void* Allocate(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}

void* AllocateAligned(std::size_t size, std::size_t alignment) {
  ++allocations;
  // aligned_alloc takes whole multiples of the alignment.
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, whole);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

// The forms for arrays and without exceptions call these.
void* operator new(std::size_t size) { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return AllocateAligned(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace lifesign {
namespace {

class AllocationTest : public PresenceStory {
 protected:
  // What one signal takes from the heap.
  int Cost(const Client& client, SignalKind kind) {
    Signal signal;
    signal.kind = kind;
    const Now at = now();
    const int before = allocations;
    const SignalOutcome outcome = engine().Apply(client.opened.ref, signal, at);
    const int after = allocations;
    EXPECT_TRUE(outcome.ok());
    return after - before;
  }
};

TEST_F(AllocationTest, AHeartbeatToAKnownSessionAllocatesNothing) {
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(Login(absl::StrCat("user", i, "/tab")));
  }
  const Client phone = Login("user0/a-session-id-that-is-not-kept-inline");
  for (double at = 10; at <= 600; at += 10) {
    JumpTo(at);
    Tick();
    EXPECT_EQ(Cost(phone, SignalKind::kIdle), 0) << "at " << at;
    for (const Client& client : clients) {
      EXPECT_EQ(Cost(client, SignalKind::kActive), 0)
          << client.user << " at " << at;
    }
  }
}

TEST_F(AllocationTest, IsSeenWhereThereIsOne) {
  const int before = allocations;
  Login("u1/tab");
  EXPECT_GT(allocations, before);
}

}  // namespace
}  // namespace lifesign
