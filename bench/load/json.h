// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// One measurement as a line of JSON.
#ifndef LIFESIGN_BENCH_LOAD_JSON_H_
#define LIFESIGN_BENCH_LOAD_JSON_H_

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace lifesign::bench {

// Numbers under names that need no escaping.
class JsonLine {
 public:
  template <typename Number>
  JsonLine& Add(absl::string_view name, Number value) {
    absl::StrAppend(&text_, text_.empty() ? "" : ", ", "\"", name,
                    "\": ", value);
    return *this;
  }
  void Print() const {
    std::printf("{%s}\n", text_.c_str());
    std::fflush(stdout);
  }

 private:
  std::string text_;
};

}  // namespace lifesign::bench

#endif  // LIFESIGN_BENCH_LOAD_JSON_H_
