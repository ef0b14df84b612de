// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Chance that can be repeated: the same seed gives the same numbers with every
// compiler and standard library (the distributions of <random> do not).
#ifndef LIFESIGN_CLIENT_CLI_SIMULATE_RANDOM_H_
#define LIFESIGN_CLIENT_CLI_SIMULATE_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <random>

namespace lifesign::simulate {

// Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // The `stream`-th of many independent sources that share one seed.
  Random(std::uint64_t seed, std::uint64_t stream)
      : engine_((seed + 1) * 0x9E3779B97F4A7C15u ^
                (stream + 1) * 0xD1B54A32D192ED03u) {}

  std::uint64_t Bits() { return engine_(); }

  // In [from, to).
  double Uniform(double from, double to) {
    constexpr double kUnit = 1.0 / (std::uint64_t{1} << 53);
    return from + (to - from) * (static_cast<double>(Bits() >> 11) * kUnit);
  }

  // In [0, n). REQUIRES: n > 0. The bias of the remainder is below n / 2^64.
  std::uint64_t Below(std::uint64_t n) { return Bits() % n; }

  bool Chance(double probability) { return Uniform(0, 1) < probability; }

  // How long something lasts that ends at any instant alike.
  double Exponential(double mean) { return -mean * std::log1p(-Uniform(0, 1)); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace lifesign::simulate

#endif  // LIFESIGN_CLIENT_CLI_SIMULATE_RANDOM_H_
