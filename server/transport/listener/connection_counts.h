// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How many connections are open, in all and from each network.
#ifndef LIFESIGN_SERVER_TRANSPORT_LISTENER_CONNECTION_COUNTS_H_
#define LIFESIGN_SERVER_TRANSPORT_LISTENER_CONNECTION_COUNTS_H_

#include "absl/container/flat_hash_map.h"
#include "server/base/socket_address.h"

namespace lifesign {

enum class Admission {
  kAdmitted,
  // The server holds as many connections as it may.
  kTooManyConnections,
  // This network holds as many as it may.
  kTooManyOfAddress,
};

// Not thread-safe.
class ConnectionCounts {
 public:
  // At most `max_total` connections, at most `max_per_network` of one network.
  // REQUIRES: both positive.
  ConnectionCounts(int max_total, int max_per_network)
      : max_total_(max_total), max_per_network_(max_per_network) {}

  // Counts a connection, if it is admitted.
  Admission Admit(const NetworkKey& network) {
    if (total_ >= max_total_) {
      return Admission::kTooManyConnections;
    }
    int& of_network = by_network_[network];
    if (of_network >= max_per_network_) {
      return Admission::kTooManyOfAddress;
    }
    ++of_network;
    ++total_;
    return Admission::kAdmitted;
  }

  // An admitted connection has ended.
  void Release(const NetworkKey& network) {
    const auto found = by_network_.find(network);
    if (--found->second == 0) {
      by_network_.erase(found);
    }
    --total_;
  }

  int total() const { return total_; }

 private:
  const int max_total_;
  const int max_per_network_;

  int total_ = 0;
  absl::flat_hash_map<NetworkKey, int> by_network_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_TRANSPORT_LISTENER_CONNECTION_COUNTS_H_
