//! Do others speak TLS with us? openssl as client and as server, baresip as a phone; certificates that change, lack or are not believed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cityline::centre::ids::{CallId, LegId};
use cityline::centre::input::{FromDesk, FromLine, Input};
use cityline::centre::output::{Shown, Target, ToLine};
use cityline::config::Config;
use cityline_phone::ports::free_port;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::core::{Line, SDP, start_with};
use super::{PATIENCE, at};
use crate::certificates::Certificates;

/// The settings of the demo city with TLS on any port.
fn settings(own: &Certificates) -> Config {
    let mut config = Config::load(None).unwrap();
    let sip = &mut config.sip;
    (sip.udp, sip.tcp) = (Some("127.0.0.1:0".parse().unwrap()), Some("127.0.0.1:0".parse().unwrap()));
    sip.tls = Some("127.0.0.1:0".parse().unwrap());
    (sip.certificate, sip.key, sip.trusted) = (Some(own.path("server.pem")), Some(own.path("server.key")), Some(own.path("ca.pem")));
    config
}

/// openssl with its ends.
struct Openssl {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
    said: String,
}

impl Openssl {
    fn start(arguments: &[&str]) -> Openssl {
        let mut command = Command::new("openssl");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().expect("openssl is missing: apt-get install openssl");
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Openssl { process, input, output, said: String::new() }
    }

    /// A client that goes on only if it believes the certificate.
    fn client(address: &str, authority: &Path, more: &[&str]) -> Openssl {
        let authority = authority.to_str().unwrap();
        let arguments =
            ["s_client", "-connect", address, "-CAfile", authority, "-verify_return_error", "-verify_hostname", "localhost", "-crlf"];
        Openssl::start(&[&arguments, more].concat())
    }

    async fn say(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    /// Reads until `what` has come.
    async fn until(&mut self, what: &str) {
        while !self.said.contains(what) {
            let mut part = [0; 4096];
            let read =
                tokio::time::timeout(PATIENCE, self.output.read(&mut part)).await.unwrap_or_else(|_| panic!("no {what} in {}", self.said));
            let read = read.unwrap();
            assert!(read > 0, "it ended without {what}: {}", self.said);
            self.said.push_str(&String::from_utf8_lossy(&part[..read]));
        }
    }
}

/// openssl writes CRLF for each LF.
fn options(n: u32) -> String {
    format!(
        "OPTIONS sip:109@x SIP/2.0\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKo{n}\nFrom: <sip:a@b>;tag=1\nTo: <sip:109@x>\n\
         Call-ID: o{n}\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"
    )
}

#[tokio::test]
async fn openssl_speaks_both_versions_and_sees_the_certificate_of_the_day() {
    let own = Certificates::new("versions");
    let config = settings(&own);
    let line = start_with(&config).await.unwrap();
    let (address, authority) = (at(line.shell.tls_addr()), own.path("ca.pem"));
    let mut first = Openssl::client(&address, &authority, &["-tls1_2"]);
    first.say(&options(1)).await;
    first.until("Call-ID: o1").await;
    assert!(first.said.contains("SIP/2.0 200 OK") && first.said.contains("CN = server"), "{}", first.said);

    own.sign("next");
    let mut sip = config.sip.clone();
    (sip.certificate, sip.key) = (Some(own.path("next.pem")), Some(own.path("next.key")));
    line.shell.reload_tls(&sip).unwrap();
    let mut second = Openssl::client(&address, &authority, &["-tls1_3"]);
    second.say(&options(2)).await;
    second.until("Call-ID: o2").await;
    assert!(second.said.contains("CN = next"), "{}", second.said);
    first.say(&options(3)).await;
    first.until("Call-ID: o3").await;

    sip.key = Some(own.path("server.key"));
    let error = line.shell.reload_tls(&sip).unwrap_err().to_string();
    assert!(error.contains("sip.certificate") && error.contains("made for"), "{error}");
    let mut third = Openssl::client(&address, &authority, &[]);
    third.say(&options(4)).await;
    third.until("Call-ID: o4").await;
    for mut openssl in [first, second, third] {
        openssl.process.kill().await.unwrap();
    }
}

#[tokio::test]
async fn what_lacks_is_named() {
    let own = Certificates::new("lacking");
    let broken = |change: &dyn Fn(&mut cityline::config::Sip)| {
        let mut config = settings(&own);
        change(&mut config.sip);
        config
    };
    let cases: [(&str, &str, Config); 4] = [
        ("sip.certificate", "No such file", broken(&|sip| sip.certificate = Some(own.path("none.pem")))),
        ("sip.key", "PRIVATE KEY", broken(&|sip| sip.key = Some(own.path("server.pem")))),
        ("sip.trusted", "CERTIFICATE", broken(&|sip| sip.trusted = Some(own.path("server.key")))),
        ("sip.key", "made for", broken(&|sip| sip.key = Some(own.path("ca.key")))),
    ];
    for (key, word, config) in cases {
        let error = start_with(&config).await.err().unwrap().to_string();
        assert!(error.contains(key) && error.contains(word), "{error}");
    }
}

#[tokio::test]
async fn who_speaks_no_tls_is_closed() {
    let own = Certificates::new("plain");
    let line = start_with(&settings(&own)).await.unwrap();
    let mut stream = TcpStream::connect(line.shell.tls_addr().unwrap()).await.unwrap();
    stream.write_all(options(1).as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the connection stays open");
    assert!(closed.is_err() || !rest.starts_with(b"SIP"), "{rest:?}");
}

fn dial(line: &Line, port: u16) -> LegId {
    let leg = LegId { call: CallId(1), n: 1 };
    let target = Target::Address(format!("sips:112@127.0.0.1:{port}"));
    line.order(ToLine::Dial {
        leg,
        target,
        shown: Shown::City("109".into()),
        sdp: line.sdps.put(SDP.to_owned()),
        auto_answer: false,
        replaces: None,
    });
    leg
}

/// A far end of openssl's; `name` is the certificate that it shows.
async fn far_end(own: &Certificates, name: &str) -> (u16, Openssl) {
    let (port, certificate, key) = (free_port(), own.path(&format!("{name}.pem")), own.path(&format!("{name}.key")));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let mut far = Openssl::start(&["s_server", "-accept", &format!("127.0.0.1:{port}"), "-cert", certificate, "-key", key]);
    far.until("ACCEPT").await;
    (port, far)
}

#[tokio::test]
async fn we_call_whom_we_believe_and_nobody_else() {
    let own = Certificates::new("believed");
    let mut line = start_with(&settings(&own)).await.unwrap();
    let (port, mut far) = far_end(&own, "server").await;
    dial(&line, port);
    far.until("m=audio").await;
    assert!(
        far.said.contains(&format!("INVITE sips:112@127.0.0.1:{port} SIP/2.0")) && far.said.contains("Via: SIP/2.0/TLS 127.0.0.1:"),
        "{}",
        far.said
    );
    assert!(far.said.contains("Contact: <sips:cityline@127.0.0.1:"), "{}", far.said);
    far.process.kill().await.unwrap();
    assert!(matches!(line.event().await, FromLine::Refused { status: 503, .. }), "the connection has ended");

    let others = Certificates::new("others");
    let (port, mut far) = far_end(&others, "server").await;
    let leg = dial(&line, port);
    assert_eq!(line.event().await, FromLine::Refused { leg, status: 503 });
    far.process.kill().await.unwrap();
}

#[tokio::test]
async fn baresip_registers_over_tls() {
    let own = Certificates::new("baresip");
    let mut line = start_with(&settings(&own)).await.unwrap();
    let folder = own.path("phone");
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "sip_listen 127.0.0.1:{}\nsip_cafile {}\nnet_interface 127.0.0.1\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule_app account.so\nmodule_app menu.so\n",
        free_port(),
        own.path("ca.pem").display()
    );
    std::fs::write(folder.join("config"), config).unwrap();
    let account = format!("<sip:201@{};transport=tls>;auth_pass=demo-201;regint=300\n", at(line.shell.tls_addr()));
    std::fs::write(folder.join("accounts"), account).unwrap();
    let mut command = Command::new("baresip");
    command.arg("-f").arg(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut phone = command.spawn().expect("baresip is missing: apt-get install baresip-core");
    let Input::Desk(FromDesk::PhoneChanged { agent, contacts }) = line.input().await else { panic!("no phone") };
    assert_eq!((agent.as_str(), contacts.len()), ("aigul", 1));
    phone.kill().await.unwrap();
    let gone = tokio::time::timeout(Duration::from_secs(20), line.input()).await.expect("the phone stays");
    assert!(matches!(gone, Input::Desk(FromDesk::PhoneChanged { contacts, .. }) if contacts.is_empty()), "it goes with its connection");
}
