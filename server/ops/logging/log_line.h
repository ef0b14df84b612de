// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// How a log record looks as one line.
//
// Whatever clients put into ids and texts, a record stays one line and cannot
// be mistaken for another: control characters (line ends, terminal escapes),
// bidirectional controls, Unicode's line separators and bytes that are not
// UTF-8 are never written as they are.
#ifndef LIFESIGN_SERVER_OPS_LOGGING_LOG_LINE_H_
#define LIFESIGN_SERVER_OPS_LOGGING_LOG_LINE_H_

#include <string>

#include "server/base/log.h"
#include "server/base/time.h"

namespace lifesign {

// {"time":"2026-01-02T03:04:05.678901Z","level":"info","message":"drain
// started","streams":3,"budget_s":30.000000}
//
// One JSON object (RFC 8259), without line end. Fields follow in their order;
// a duration is a number of seconds whose name ends in _s; a number that JSON
// has no word for is null. Bytes that are not UTF-8 become U+FFFD.
std::string JsonLine(const LogRecord& record, WallTime time);

// 2026-01-02T03:04:05.678901Z INFO drain started streams=3 budget=30s
//
// Texts that are not plain words are quoted, with \n, \", \u{1b} and \x{ff}
// (for a byte that is not UTF-8) inside. No line end.
std::string TextLine(const LogRecord& record, WallTime time);

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_LOGGING_LOG_LINE_H_
