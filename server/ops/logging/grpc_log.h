// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// gRPC's own log lines, among ours.
#ifndef LIFESIGN_SERVER_OPS_LOGGING_GRPC_LOG_H_
#define LIFESIGN_SERVER_OPS_LOGGING_GRPC_LOG_H_

namespace lifesign {

// Sends what gRPC logs through Log(): "grpc", with its text and the place in
// its source, each place at most once a second. Its errors become warnings,
// since they are mostly a client's; the rest is asked for only if
// MinLogLevel() is debug.
//
// REQUIRES: grpc_init() was called, or it would replace the function again.
void RedirectGrpcLog();

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_LOGGING_GRPC_LOG_H_
