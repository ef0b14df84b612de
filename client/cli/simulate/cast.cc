// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include "client/cli/simulate/cast.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/simulate/random.h"

namespace lifesign::simulate {
namespace {

constexpr std::array kNames = {
    "ada",   "akira", "amina", "ana",   "anton", "astrid", "ben",   "berta",
    "boris", "carla", "chen",  "clara", "dario", "dilek",  "dora",  "elif",
    "emil",  "emma",  "erik",  "esra",  "eva",   "farid",  "femi",  "fiona",
    "georg", "greta", "hana",  "hugo",  "ida",   "igor",   "ines",  "ivan",
    "jana",  "jonas", "julia", "kai",   "kenji", "lara",   "leo",   "lin",
    "luca",  "mara",  "mateo", "mia",   "milan", "nadia",  "nils",  "noor",
    "olga",  "omar",  "paula", "pavel", "priya", "rosa",   "ruben", "sara",
    "selim", "sofia", "tariq", "tom",   "uma",   "vera",   "yara",  "yusuf"};

constexpr std::array kRooms = {"standup", "design", "lounge"};

std::string NameOf(int person) {
  const auto i = static_cast<std::size_t>(person);
  const std::string name = kNames[i % kNames.size()];
  const std::size_t round = i / kNames.size();
  return round == 0 ? name : absl::StrCat(name, "-", round + 1);
}

Role Desktop(const std::string& user, Network network) {
  return {user, "desktop", v1::DEVICE_CLASS_DESKTOP, Habit::kWorks, network};
}

Role Tab(const std::string& user, const char* name, Network network) {
  return {user, name, v1::DEVICE_CLASS_WEB, Habit::kTab, network};
}

Role Phone(const std::string& user, Network network) {
  return {user, "phone", v1::DEVICE_CLASS_MOBILE, Habit::kPhone, network};
}

void CastPerson(const std::string& user, Random& random,
                std::vector<Role>& roles) {
  const double which = random.Uniform(0, 1);
  if (which < 0.30) {
    // At a desk, with a tab beside the work and a phone in the pocket.
    roles.push_back(Desktop(user, Network::kSteady));
    roles.push_back(Tab(user, "tab", Network::kSteady));
    roles.push_back(Phone(user, Network::kMobile));
  } else if (which < 0.55) {
    // On the move: a laptop's tab on a bad link, and a phone.
    roles.push_back(Tab(user, "tab", Network::kBurstyLoss));
    roles.push_back(Phone(user, Network::kMobile));
  } else if (which < 0.70) {
    // Two tabs of the same thing.
    roles.push_back(Tab(user, "tab-1", Network::kSteady));
    roles.push_back(Tab(user, "tab-2", Network::kSteady));
  } else if (which < 0.80) {
    roles.push_back(
        {user, "tab", v1::DEVICE_CLASS_WEB, Habit::kVisits, Network::kSteady});
  } else if (which < 0.90) {
    roles.push_back(Phone(user, Network::kSuddenDeath));
  } else {
    roles.push_back(Desktop(user, Network::kSteady));
  }
}

}  // namespace

std::vector<std::string> Rooms() { return {kRooms.begin(), kRooms.end()}; }

std::vector<Role> CastPeople(int people, std::uint64_t seed) {
  Random random(seed, 0);
  std::vector<Role> roles;
  for (int person = 0; person < people; ++person) {
    const std::size_t first = roles.size();
    CastPerson(NameOf(person), random, roles);
    const auto room = static_cast<std::size_t>(person) % kRooms.size();
    for (std::size_t i = first; i < roles.size(); ++i) {
      roles[i].room = kRooms[room];
    }
  }
  return roles;
}

std::vector<Role> CastGateway(int gateway, int clients, std::uint64_t seed) {
  Random random(seed, static_cast<std::uint64_t>(gateway));
  std::vector<Role> roles;
  for (int client = 1; client <= clients; ++client) {
    Role role = {absl::StrFormat("g%d-%03d", gateway, client), "client",
                 v1::DEVICE_CLASS_OTHER, Habit::kOnlyActive, Network::kSteady};
    const double which = random.Uniform(0, 1);
    if (which < 0.1) {
      role.network = Network::kMobile;
    } else if (which < 0.2) {
      role.network = Network::kBurstyLoss;
    } else if (which < 0.25) {
      role.network = Network::kSuddenDeath;
    }
    if (random.Chance(0.2)) role.habit = Habit::kWorks;
    if (random.Chance(0.05)) role.habit = Habit::kVisits;
    roles.push_back(std::move(role));
  }
  return roles;
}

}  // namespace lifesign::simulate
