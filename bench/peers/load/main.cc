// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The load of bench/peers/run: the clients of one presence server on this
// machine, in one thread. Prints one JSON object.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "bench/peers/load/jobs.h"
#include "bench/peers/load/peer.h"
#include "bench/peers/load/server_process.h"

namespace {

using lifesign::bench::Layout;
using lifesign::bench::Peer;

constexpr int kBadFlags = 2;

const std::map<std::string, std::unique_ptr<Peer> (*)(const Layout&)> kPeers = {
    {"lifesign", lifesign::bench::MakeLifesignPeer},
    {"redis", lifesign::bench::MakeRedisPeer},
    {"nats", lifesign::bench::MakeNatsPeer},
    {"socketio", lifesign::bench::MakeSocketIoPeer},
    {"centrifugo", lifesign::bench::MakeCentrifugoPeer},
    {"ejabberd", lifesign::bench::MakeEjabberdPeer},
};

using Job = std::string (*)(Peer&, const lifesign::bench::ServerProcesses&,
                            const lifesign::bench::Load&);
const std::map<std::string, Job> kJobs = {
    {"beats", lifesign::bench::MeasureBeats},
    {"storm", lifesign::bench::MeasureStorm},
    {"fanout", lifesign::bench::MeasureFanOut},
};

}  // namespace

int main(int argc, char** argv) {
  std::string peer_name;
  std::string job_name;
  std::vector<int> pids;
  bool answered = false;
  Layout layout;
  lifesign::bench::Load load;

  CLI::App app("Clients of a presence server, for bench/peers/run.");
  app.add_option("--peer", peer_name)->required()->check(CLI::IsMember(kPeers));
  app.add_option("--job", job_name)->required()->check(CLI::IsMember(kJobs));
  app.add_option("--port", layout.port)->required();
  app.add_option("--server-pids", pids)->required()->delimiter(',');
  app.add_option("--sessions", layout.sessions)->required();
  app.add_option("--connections", layout.connections, "0: one a session");
  app.add_flag("--answered", answered, "every heartbeat is answered");
  app.add_option("--rate", load.rate, "heartbeats a second");
  app.add_option("--batch", load.batch, "heartbeats in one write");
  app.add_option("--seconds", load.seconds);
  app.add_option("--watchers", load.watchers);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kBadFlags;
  }
  layout.answers = answered ? lifesign::bench::Answers::kAlways
                            : lifesign::bench::Answers::kSparse;

  const auto peer = kPeers.at(peer_name)(layout);
  const std::string result =
      kJobs.at(job_name)(*peer, lifesign::bench::ServerProcesses(pids), load);
  std::printf("{\"peer\":\"%s\",\"job\":\"%s\",%s}\n", peer_name.c_str(),
              job_name.c_str(), result.c_str());
  std::fflush(stdout);
  // Thousands of calls are under way; the kernel ends them sooner.
  std::_Exit(EXIT_SUCCESS);
}
