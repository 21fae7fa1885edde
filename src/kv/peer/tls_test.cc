// Goal: only nodes with a certificate of the cluster's authority connect, files are checked before
// they are used and read again when they change. Method: authorities and certificates that openssl
// makes in a directory of the test; nodes on loopback. Every wait is for an event.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "kv/peer/testing/test_node.h"

namespace orochi::kv::peer {
namespace {

using testing::Impatient;
using testing::TestNode;

class PeerTls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("openssl version > /dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no openssl command here";
    }
    MakeAuthority("ours");
    MakeAuthority("theirs");
  }

  std::string Path(const std::string& name) const { return StrCat(directory_.path(), "/", name); }

  void Run(const std::string& command) const {
    ASSERT_EQ(std::system(StrCat("cd ", directory_.path(), " && ", command, " 2> log").c_str()), 0)
        << command;
  }
  void MakeAuthority(const std::string& name) const {
    Run(
        StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
               "-subj /CN=",
               name, " -keyout ", name, ".key -out ", name, ".pem"));
  }
  // Files NAME.pem and NAME.key.
  TlsFiles MakeNode(const std::string& name, const std::string& authority,
                    const std::string& alternative_name = "IP:127.0.0.1") const {
    Run(StrCat("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=",
               name, " -keyout ", name, ".key.new -out ", name, ".csr"));
    Run(StrCat("echo subjectAltName=", alternative_name, " > ", name, ".extensions"));
    Run(StrCat("openssl x509 -req -days 2 -in ", name, ".csr -CA ", authority, ".pem -CAkey ",
               authority, ".key -CAcreateserial -extfile ", name, ".extensions -out ", name,
               ".pem.new"));
    Run(StrCat("mv ", name, ".key.new ", name, ".key && mv ", name, ".pem.new ", name, ".pem"));
    TlsFiles files;
    files.certificate = Path(name + ".pem");
    files.key = Path(name + ".key");
    files.authority = Path(authority + ".pem");
    files.reload_interval_s = 1;
    return files;
  }
  static TransportOptions With(TlsFiles files) {
    TransportOptions options = Impatient();
    options.tls = std::move(files);
    return options;
  }
  // That `first` tries to reach `second` and does not.
  static void ExpectNoConnection(TestNode& first, TestNode& second) {
    first.SetPeer(second);
    NodeNumber const to = second.number();
    EXPECT_TRUE(first.Await([&] { return first.Link(to).failed_count >= 3; }));
    EXPECT_EQ(first.Link(to).connected_count, 0U);
    EXPECT_EQ(second.transport().statistics().inbound_stream_count, 0U);
  }

  orochi::testing::TempDir directory_;
};

TEST_F(PeerTls, ConnectsNodesWithCertificatesOfOneAuthority) {
  TestNode first(1, With(MakeNode("first", "ours")));
  TestNode second(2, With(MakeNode("second", "ours")));
  first.SetPeer(second);
  second.SetPeer(first);
  ASSERT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected)) << first.Why();
  ASSERT_TRUE(second.AwaitState(NodeNumber(1), LinkState::kConnected)) << second.Why();
  first.Send(NodeNumber(2), Lane::kUrgent, "1");
  ASSERT_TRUE(second.AwaitFrames(NodeNumber(1), 1));
}

TEST_F(PeerTls, DoesNotConnectWithACertificateOfAnotherAuthority) {
  TestNode ours(1, With(MakeNode("ours_1", "ours")));
  TlsFiles files = MakeNode("stranger", "theirs");
  TestNode trusts_itself(2, With(files));
  ExpectNoConnection(ours, trusts_itself);
  // Even when the stranger trusts our authority: then it is us who refuse it.
  files.authority = Path("ours.pem");
  TestNode trusts_us(3, With(files));
  ExpectNoConnection(trusts_us, ours);
}

TEST_F(PeerTls, DoesNotConnectInPlaintextToANodeWithTlsOrTheOtherWayRound) {
  TestNode with(1, With(MakeNode("with", "ours")));
  TestNode without(2, Impatient());
  ExpectNoConnection(without, with);
  ExpectNoConnection(with, without);
}

TEST_F(PeerTls, ChecksWhoTheCertificateIsMadeOutTo) {
  TestNode elsewhere(2, With(MakeNode("elsewhere", "ours", "DNS:kv.example")));
  TlsFiles files = MakeNode("first", "ours");
  TestNode first(1, With(files));
  ExpectNoConnection(first, elsewhere);
  files.peer_name = "kv.example";
  TestNode by_name(3, With(files));
  by_name.SetPeer(elsewhere);
  EXPECT_TRUE(by_name.AwaitState(NodeNumber(2), LinkState::kConnected)) << by_name.Why();
}

TEST_F(PeerTls, ReadsFilesAgainWhenTheyChange) {
  TestNode first(1, With(MakeNode("first", "ours")));
  TlsFiles files = MakeNode("second", "theirs");
  files.authority = Path("authority.pem");
  Run("cp theirs.pem authority.pem");
  TestNode second(2, With(files));
  ExpectNoConnection(first, second);
  MakeNode("second", "ours");
  Run("cp ours.pem new.pem && mv new.pem authority.pem");
  EXPECT_TRUE(first.AwaitState(NodeNumber(2), LinkState::kConnected)) << first.Why();
}

TEST_F(PeerTls, ChecksFilesAndNamesTheOneThatIsWrong) {
  TlsFiles const good = MakeNode("good", "ours");
  TlsFiles const other = MakeNode("other", "ours");
  EXPECT_TRUE(CheckTlsFiles(good).ok());
  auto const expect = [](const TlsFiles& files, StatusCode code, const std::string& message) {
    Status const status = CheckTlsFiles(files);
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message(), message);
  };
  TlsFiles bad = good;
  bad.certificate = Path("missing.pem");
  expect(bad, StatusCode::kInvalidArgument,
         StrCat("certificate ", bad.certificate, ": cannot be read"));
  bad = good;
  bad.authority = good.key;
  expect(bad, StatusCode::kInvalidArgument,
         StrCat("certificate authority ", bad.authority, ": no certificate in PEM"));
  bad = good;
  bad.key = good.certificate;
  expect(bad, StatusCode::kInvalidArgument,
         StrCat("key ", bad.key, ": no private key in PEM, or one with a pass phrase"));
  bad.key = other.key;
  expect(bad, StatusCode::kInvalidArgument,
         StrCat("key ", bad.key, ": is not the key of certificate ", bad.certificate));
  Run(StrCat("openssl ec -in good.key -aes128 -passout pass:secret -out locked.key"));
  bad.key = Path("locked.key");
  expect(bad, StatusCode::kInvalidArgument,
         StrCat("key ", bad.key, ": no private key in PEM, or one with a pass phrase"));
  Run("openssl x509 -req -days -1 -in good.csr -CA ours.pem -CAkey ours.key -out expired.pem");
  bad = good;
  bad.certificate = Path("expired.pem");
  expect(bad, StatusCode::kFailedPrecondition,
         StrCat("certificate ", bad.certificate, ": has expired"));
}

}  // namespace
}  // namespace orochi::kv::peer
