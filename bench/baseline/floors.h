// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The floors that speak gRPC. Each is a service with the product's two streams,
// raw: an expert who needs no more would not let gRPC parse.
#ifndef LIFESIGN_BENCH_BASELINE_FLOORS_H_
#define LIFESIGN_BENCH_BASELINE_FLOORS_H_

#include <grpcpp/impl/service_type.h>

#include <memory>

namespace lifesign::bench {

// (a) Parses each heartbeat and answers it with its number.
std::unique_ptr<grpc::Service> MakeEcho();

// (b) Reads heartbeats and looks at none.
std::unique_ptr<grpc::Service> MakeDiscard();

// (c) Parses heartbeats into a reused arena and forgets them.
std::unique_ptr<grpc::Service> MakeParse();

// (d) Tells every watch of each signal and open of every heartbeat stream: one
// message a change, one slice for all.
std::unique_ptr<grpc::Service> MakeBroadcast();

// (g) Passes heartbeats that open or leave on to every watch, as they are;
// parses the others and forgets them.
std::unique_ptr<grpc::Service> MakeRelay();

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_BASELINE_FLOORS_H_
