// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "server/ops/logging/async_log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ops/logging/log_line.h"

namespace lifesign {
namespace {

std::string Line(AsyncLog::Format format, const LogRecord& record,
                 WallTime time) {
  return format == AsyncLog::Format::kJson ? JsonLine(record, time)
                                           : TextLine(record, time);
}

// Writes a line of its own before the next one whenever lines were dropped.
// Called by the one writing thread only.
class LossTellingSink final : public spdlog::sinks::sink {
 public:
  LossTellingSink(spdlog::sink_ptr target, AsyncLog::Format format,
                  const Clock& clock)
      : target_(std::move(target)), format_(format), clock_(clock) {}

  // REQUIRES: called before anything is logged. `pool` owns the writing thread.
  void CountLossOf(spdlog::details::thread_pool* pool) { pool_ = pool; }

  void log(const spdlog::details::log_msg& message) override {
    const std::uint64_t dropped = pool_->overrun_counter();
    if (dropped > told_) {
      const LogField fields[] = {{"lines", dropped - told_}};
      const std::string line =
          Line(format_, {LogLevel::kWarning, "log lines dropped", fields},
               clock_.WallNow());
      target_->log({message.logger_name, spdlog::level::warn, line});
      told_ = dropped;
    }
    target_->log(message);
  }
  void flush() override { target_->flush(); }
  void set_pattern(const std::string& pattern) override {
    target_->set_pattern(pattern);
  }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    target_->set_formatter(std::move(formatter));
  }

 private:
  const spdlog::sink_ptr target_;
  const AsyncLog::Format format_;
  const Clock& clock_;
  // Not a weak_ptr: that is empty while the pool's destructor waits for us.
  spdlog::details::thread_pool* pool_ = nullptr;
  std::uint64_t told_ = 0;
};

spdlog::sink_ptr OpenTarget(const std::string& file) {
  if (file.empty()) {
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
}

}  // namespace

// Lines come to spdlog complete and escaped, and its pattern adds nothing: a
// pattern such as {"message":"%v"} would let a text forge fields.
class AsyncLog::Writer {
 public:
  // Throws spdlog::spdlog_ex if the file cannot be opened.
  Writer(const Options& options, const Clock& clock)
      : sink_(std::make_shared<LossTellingSink>(OpenTarget(options.file),
                                                options.format, clock)),
        pool_(std::make_shared<spdlog::details::thread_pool>(
            options.queued_lines, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            "lifesign", sink_, pool_,
            spdlog::async_overflow_policy::overrun_oldest)) {
    sink_->CountLossOf(pool_.get());
    logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%v", spdlog::pattern_time_type::utc, "\n"));
    logger_->set_level(spdlog::level::trace);
    // Each line can be read as soon as it is written, also by who waits for
    // it; the writing thread pays.
    logger_->flush_on(spdlog::level::trace);
  }

  void Write(const std::string& line) {
    logger_->log(spdlog::level::info, spdlog::string_view_t(line));
  }

  std::uint64_t dropped() const { return pool_->overrun_counter(); }

 private:
  const std::shared_ptr<LossTellingSink> sink_;
  // Destroyed after the logger, with it the thread: what is queued is written.
  const std::shared_ptr<spdlog::details::thread_pool> pool_;
  const std::shared_ptr<spdlog::async_logger> logger_;
};

absl::StatusOr<std::unique_ptr<AsyncLog>> AsyncLog::Start(
    const Options& options, const Clock& clock) {
  try {
    std::unique_ptr<AsyncLog> log(new AsyncLog(options, clock));
    SetMinLogLevel(options.min_level);
    SetLogSink(log.get());
    return log;
  } catch (const spdlog::spdlog_ex& error) {
    return absl::UnavailableError(
        absl::StrCat("the log cannot be opened: ", error.what()));
  }
}

AsyncLog::AsyncLog(const Options& options, const Clock& clock)
    : format_(options.format),
      clock_(clock),
      writer_(std::make_unique<Writer>(options, clock)) {}

AsyncLog::~AsyncLog() { SetLogSink(nullptr); }

void AsyncLog::Write(const LogRecord& record) {
  writer_->Write(Line(format_, record, clock_.WallNow()));
}

std::uint64_t AsyncLog::dropped_lines() const { return writer_->dropped(); }

}  // namespace lifesign
