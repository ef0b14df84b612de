// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A configuration as it was written: its values, and where each was written.
#ifndef LIFESIGN_SERVER_OPS_CONFIG_CONFIG_DOCUMENT_H_
#define LIFESIGN_SERVER_OPS_CONFIG_CONFIG_DOCUMENT_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "lifesign/config/v1/config.pb.h"
#include "server/ops/config/setting.h"

namespace lifesign {

// What is wrong with a configuration, for a person.
struct ConfigError {
  // "lifesignd.conf:12:3", "--policy.ttl", or empty if it was written nowhere.
  std::string where;
  // "policy.ttl", or empty if the error is not that of a setting.
  std::string path;
  // Continues the path ("must be above 3m") or stands alone.
  std::string text;

  // "where: path: text", without parts that are empty or say the same.
  std::string ToString() const;
};

// A plain value; copyable. Not thread-safe.
class ConfigDocument {
 public:
  ConfigDocument() = default;

  // Reads `text` in protobuf text format into this document, which holds
  // nothing yet. `file` is its name in errors. Returns every unknown setting,
  // and the first of other errors of syntax; the document is then of no use.
  std::vector<ConfigError> Parse(absl::string_view file,
                                 absl::string_view text);

  // Sets `setting` from the text of a flag, over what a file said.
  std::vector<ConfigError> SetFromFlag(const Setting& setting,
                                       const std::vector<std::string>& texts);

  const config::v1::Config& written() const { return written_; }

  // Whether the field, section or row at `path` ("policy.device_rows[0].ttl")
  // was written.
  bool IsWritten(absl::string_view path) const;
  // Where: see ConfigError::where.
  std::string Where(absl::string_view path) const;

 private:
  config::v1::Config written_;
  absl::flat_hash_map<std::string, std::string> where_;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_OPS_CONFIG_CONFIG_DOCUMENT_H_
