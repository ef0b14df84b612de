// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A file descriptor that is closed with its scope.
#ifndef LIFESIGN_SERVER_BASE_UNIQUE_FD_H_
#define LIFESIGN_SERVER_BASE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace lifesign {

class UniqueFd {
 public:
  UniqueFd() = default;
  // Owns `fd`; negative: nothing.
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Close(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Release();
    }
    return *this;
  }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  // Gives up ownership.
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) {
      close(std::exchange(fd_, -1));
    }
  }

 private:
  int fd_ = -1;
};

}  // namespace lifesign

#endif  // LIFESIGN_SERVER_BASE_UNIQUE_FD_H_
