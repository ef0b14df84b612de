// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Writes log lines on a thread of its own.
#ifndef LIFESIGN_SERVER_OPS_LOGGING_ASYNC_LOG_H_
#define LIFESIGN_SERVER_OPS_LOGGING_ASYNC_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/base/log.h"

namespace lifesign {

// While it lives, it is the process's log sink. Formatting happens on the
// logging thread of the caller (about 1 µs); a queue and a writing thread keep
// a slow disk or terminal away from everybody. When the queue is full its
// oldest line is dropped, counted, and the loss is told in the log itself.
//
// Thread-safe. One at a time in a process.
class AsyncLog final : public LogSink {
 public:
  enum class Format { kJson, kText };
  struct Options {
    Format format = Format::kJson;
    LogLevel min_level = LogLevel::kInfo;
    // Appended to; created if it is not there. Empty: standard error.
    std::string file;
    std::size_t queued_lines = kQueuedLines;
  };
  static constexpr std::size_t kQueuedLines = 8'192;

  // Becomes the sink. `clock` outlives it. UNAVAILABLE if the file cannot be
  // opened.
  static absl::StatusOr<std::unique_ptr<AsyncLog>> Start(const Options& options,
                                                         const Clock& clock);

  // Writes out what is queued, then lines go to standard error again. No other
  // thread may be logging.
  ~AsyncLog() override;

  void Write(const LogRecord& record) override;

  // Lines dropped since the start, because the queue was full.
  std::uint64_t dropped_lines() const;

 private:
  class Writer;
  AsyncLog(const Options& options, const Clock& clock);

  // Constant after construction.
  const Format format_;
  const Clock& clock_;
  const std::unique_ptr<Writer> writer_;  // thread-safe
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_LOGGING_ASYNC_LOG_H_
