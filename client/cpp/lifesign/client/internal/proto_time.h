// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Spans and points of time, in and out of messages.
#ifndef LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_PROTO_TIME_H_
#define LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_PROTO_TIME_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/time/time.h"
#include "lifesign/client/session_status.h"

namespace lifesign::client::internal {

// What a server told to wait or to expect, held within 0 and 24 h: no answer,
// however broken, makes a client go silent for good.
Duration FromProto(const google::protobuf::Duration& duration);

// REQUIRES: duration >= 0. Beyond what the API takes: the longest it takes.
void ToProto(Duration duration, google::protobuf::Duration& out);

absl::Time FromProto(const google::protobuf::Timestamp& timestamp);

}  // namespace lifesign::client::internal

#endif  // LIFESIGN_CLIENT_CPP_LIFESIGN_CLIENT_INTERNAL_PROTO_TIME_H_
