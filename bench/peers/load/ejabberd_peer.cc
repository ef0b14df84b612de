// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/peers/load/peer.h"
#include "bench/peers/load/socket_loop.h"

namespace lifesign::bench {
namespace {

constexpr absl::string_view kStream =
    "<stream:stream xmlns='jabber:client' version='1.0' to='localhost' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";
constexpr absl::string_view kBind =
    "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<resource>tab</resource></bind></iq>";
// XEP-0198, stream management: enable, ask, answer, resume.
constexpr absl::string_view kEnable =
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
constexpr absl::string_view kAsk = "<r xmlns='urn:xmpp:sm:3'/>";
constexpr absl::string_view kPresent = "<presence/>";
constexpr absl::string_view kAway = "<presence><show>away</show></presence>";

// The first whole element of `bytes` below the stream's own; empty if there is
// none yet. The head of a stream counts as one.
absl::string_view FirstElement(absl::string_view bytes) {
  int depth = 0;
  for (size_t at = 0;;) {
    const size_t begin = bytes.find('<', at);
    if (begin == absl::string_view::npos) return {};
    const size_t end = bytes.find('>', begin);
    if (end == absl::string_view::npos) return {};
    const absl::string_view tag = bytes.substr(begin, end - begin);
    at = end + 1;
    if (absl::StartsWith(tag, "<?")) continue;
    if (absl::StartsWith(tag, "</")) {
      --depth;
    } else if (!absl::EndsWith(tag, "/") &&
               !absl::StartsWith(tag, "<stream:stream")) {
      ++depth;
    }
    if (depth == 0) return bytes.substr(0, at);
  }
}

// The value of an attribute of the first tag of `element`.
absl::string_view Attribute(absl::string_view element, absl::string_view name) {
  const std::string start = absl::StrCat(" ", name, "='");
  const size_t at = element.find(start);
  if (at == absl::string_view::npos) return {};
  const absl::string_view rest = element.substr(at + start.size());
  return rest.substr(0, rest.find('\''));
}

// One XMPP client: logs in, enables stream management or resumes with it.
struct Client {
  std::string user;
  int watcher = -1;
  bool authenticated = false;
  std::string resumption;  // id to resume the stream with; empty: none
  int handled = 0;         // stanzas received since stream management began
  std::unique_ptr<Connection> connection;
};

// Users with presence subscriptions among them; a heartbeat is a request for an
// acknowledgement of stream management, the cheapest that is answered.
class EjabberdPeer final : public Peer {
 public:
  explicit EjabberdPeer(const Layout& layout) : Peer(layout) {
    if (layout.connections != 0) Fail("ejabberd: a connection is a session");
    sessions_.resize(static_cast<size_t>(layout.sessions));
  }

  void AddWatcher() override {
    const int watcher = static_cast<int>(watchers_.size());
    watchers_.push_back(std::make_unique<Client>());
    watchers_.back()->user = absl::StrCat("w", watcher);
    watchers_.back()->watcher = watcher;
    Connect(*watchers_.back());
  }

  void Login(int session) override {
    Client& client = sessions_[static_cast<size_t>(session)];
    client.user = UserOf(session);
    Connect(client);
  }

  void Beat(const std::vector<int>& sessions) override {
    for (const int session : sessions) Of(session).Send(kAsk);
    beats_ += static_cast<int64_t>(sessions.size());
  }

  void Change(int session, bool present) override {
    Of(session).Send(present ? kPresent : kAway);
  }

  void Cut(int session) override {
    sessions_[static_cast<size_t>(session)].connection.reset();
  }

  void Resume(int session) override {
    Connect(sessions_[static_cast<size_t>(session)]);
  }

  void Poll() override { loop_.Poll(); }

 private:
  Connection& Of(int session) {
    return *sessions_[static_cast<size_t>(session)].connection;
  }

  void Connect(Client& client) {
    client.authenticated = false;
    client.connection = loop_.Connect(
        layout().port, [this, &client](Connection&, absl::string_view bytes) {
          size_t used = 0;
          for (;;) {
            const absl::string_view element = FirstElement(bytes.substr(used));
            if (element.empty()) return used;
            Take(client, element);
            used += element.size();
          }
        });
    client.connection->Send(kStream);
  }

  void Take(Client& client, absl::string_view element) {
    if (absl::StartsWith(element, "<a ")) {
      answers_ += client.watcher < 0;
    } else if (absl::StartsWith(element, "<r ")) {
      client.connection->Send(
          absl::StrCat("<a xmlns='urn:xmpp:sm:3' h='", client.handled, "'/>"));
    } else if (absl::StartsWith(element, "<presence")) {
      ++client.handled;
      TakePresence(client, element);
    } else if (absl::StartsWith(element, "<message")) {
      ++client.handled;
    } else if (absl::StartsWith(element, "<iq")) {
      ++client.handled;
      if (Attribute(element, "id") == "bind") client.connection->Send(kEnable);
    } else {
      TakeOfStream(client, element);
    }
  }

  void TakeOfStream(Client& client, absl::string_view element) {
    Connection& connection = *client.connection;
    if (absl::StartsWith(element, "<stream:features")) {
      if (!client.authenticated) {
        connection.Send(absl::StrCat(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
            "mechanism='PLAIN'>",
            absl::Base64Escape(absl::StrCat(absl::string_view("\0", 1),
                                            client.user,
                                            absl::string_view("\0", 1), "pw")),
            "</auth>"));
      } else if (client.resumption.empty()) {
        connection.Send(kBind);
      } else {
        connection.Send(absl::StrCat("<resume xmlns='urn:xmpp:sm:3' previd='",
                                     client.resumption, "' h='", client.handled,
                                     "'/>"));
      }
    } else if (absl::StartsWith(element, "<success")) {
      client.authenticated = true;
      connection.Send(kStream);
    } else if (absl::StartsWith(element, "<enabled")) {
      client.resumption = std::string(Attribute(element, "id"));
      client.handled = 0;
      connection.Send(kPresent);
      ++(client.watcher < 0 ? sessions_ready_ : watchers_ready_);
    } else if (absl::StartsWith(element, "<resumed")) {
      ++sessions_ready_;
    } else if (!absl::StrContains(element, "<stream:stream")) {
      Fail(absl::StrCat("ejabberd: ", element));
    }
  }

  void TakePresence(const Client& client, absl::string_view presence) {
    if (client.watcher < 0) return;
    const absl::string_view from = Attribute(presence, "from");
    const absl::string_view user = from.substr(0, from.find('@'));
    const int session = SessionOf(user.data(), user.size());
    if (session < 0) return;  // its own, reflected
    ++watcher_messages_;
    Tell(client.watcher, session,
         Attribute(presence, "type") == "unavailable" ? Told::kGone
         : absl::StrContains(presence, "away")        ? Told::kAway
                                                      : Told::kPresent);
  }

  SocketLoop loop_;
  std::vector<Client> sessions_;
  std::vector<std::unique_ptr<Client>> watchers_;
};

}  // namespace

std::unique_ptr<Peer> MakeEjabberdPeer(const Layout& layout) {
  return std::make_unique<EjabberdPeer>(layout);
}

}  // namespace lifesign::bench
