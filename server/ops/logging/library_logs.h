// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The log lines of the libraries we build on, among ours.
#ifndef LIFESIGN_SERVER_OPS_LOGGING_LIBRARY_LOGS_H_
#define LIFESIGN_SERVER_OPS_LOGGING_LIBRARY_LOGS_H_

namespace lifesign {

// Sends what gRPC and protobuf log through Log(): "grpc" or "protobuf", with
// its text and the place in its source, each place at most once a second,
// because a client may make them speak as often as it likes. Their errors
// become warnings, since they are mostly a client's; gRPC's other lines are
// asked for only if MinLogLevel() is debug.
//
// REQUIRES: grpc_init() was called, or it would replace the function again.
void RedirectLibraryLogs();

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_LOGGING_LIBRARY_LOGS_H_
