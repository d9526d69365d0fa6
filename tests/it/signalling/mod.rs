//! Do SIP programs that are not ours understand our signalling? SIPp on loopback, over UDP and TCP, with a core that only answers.

mod carriers;
mod core;
mod secure;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use cityline::centre::fact::EndReason;
use cityline::centre::ids::{CallId, LegId};
use cityline::centre::input::{FromDesk, FromLine, Input, ReferTo};
use cityline::centre::output::{Shown, Target, ToLine};
use cityline_phone::ports::free_port;
use core::{Line, SDP, line};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// What takes seconds on a quiet machine is done within this on a busy one.
const PATIENCE: Duration = Duration::from_secs(60);

async fn any_port() -> Line {
    line("127.0.0.1:0", "127.0.0.1:0").await
}

fn sipp(arguments: &[&str]) -> Child {
    let mut command = Command::new("sipp");
    command.args(arguments).args(["-i", "127.0.0.1", "-nostdin", "-timeout", "50", "-timeout_error"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().expect("sipp is missing: apt-get install sip-tester")
}

async fn is_content(mut sipp: Child) -> bool {
    tokio::time::timeout(PATIENCE, sipp.wait()).await.expect("sipp does not end").unwrap().success()
}

fn at(address: Option<SocketAddr>) -> String {
    address.unwrap().to_string()
}

#[tokio::test]
async fn sipp_calls_over_udp_and_tcp() {
    let line = any_port().await;
    let (udp, tcp) = (at(line.shell.udp_addr()), at(line.shell.tcp_addr()));
    tokio::spawn(line.answer_all());
    assert!(is_content(sipp(&["-sn", "uac", &udp, "-s", "109", "-m", "50", "-r", "50", "-d", "50"])).await, "UDP");
    assert!(is_content(sipp(&["-sn", "uac", &tcp, "-t", "t1", "-s", "109", "-m", "50", "-r", "50", "-d", "50"])).await, "TCP");
    assert!(!is_content(sipp(&["-sn", "uac", &udp, "-s", "110", "-m", "1"])).await, "an unknown number is refused");
}

#[tokio::test]
async fn sipp_is_called_and_hung_up_on() {
    let mut line = any_port().await;
    let port = free_port();
    let far = sipp(&["-sn", "uas", "-p", &port.to_string(), "-m", "1"]);
    let leg = LegId { call: CallId(1), n: 1 };
    let target = Target::Address(format!("sip:112@127.0.0.1:{port}"));
    line.order(ToLine::Dial {
        leg,
        target,
        shown: Shown::City("109".into()),
        sdp: line.sdps.put(SDP.to_owned()),
        auto_answer: false,
        replaces: None,
    });
    assert_eq!(line.event().await, FromLine::Ringing { leg });
    let FromLine::Answered { sdp, .. } = line.event().await else { panic!("not answered") };
    assert!(line.sdps.take(sdp).unwrap().contains("m=audio"));
    line.order(ToLine::HangUp { leg, reason: EndReason::OperatorHungUp });
    assert!(is_content(far).await);
    line.stop.cancel();
    tokio::time::timeout(PATIENCE, line.shell.stopped()).await.expect("the task goes on after it was told to stop");
}

#[tokio::test]
async fn sipp_registers_with_digest() {
    for (transport, tcp) in [("u1", false), ("t1", true)] {
        let mut line = any_port().await;
        let address = at(if tcp { line.shell.tcp_addr() } else { line.shell.udp_addr() });
        let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/sipp/register.xml");
        let phone = sipp(&["-sf", scenario, &address, "-t", transport, "-s", "201", "-au", "201", "-ap", "demo-201", "-m", "1"]);
        let Input::Desk(FromDesk::PhoneChanged { agent, contacts }) = line.input().await else { panic!("no phone") };
        assert_eq!((agent.as_str(), contacts.len()), ("aigul", 1));
        assert!(is_content(phone).await, "{transport}");
    }
}

/// A scenario of `tools/sipp`, played once.
fn play(scenario: &str, arguments: &[&str]) -> Child {
    let file = format!("{}/tools/sipp/{scenario}.xml", env!("CARGO_MANIFEST_DIR"));
    sipp(&[&["-sf", &file, "-m", "1"], arguments].concat())
}

#[tokio::test]
async fn sipp_refreshes_its_session_by_update_and_reinvite() {
    let line = any_port().await;
    let (udp, tcp) = (at(line.shell.udp_addr()), at(line.shell.tcp_addr()));
    tokio::spawn(line.answer_all());
    assert!(is_content(play("timer", &[&udp, "-s", "109"])).await, "UDP");
    assert!(is_content(play("timer", &[&tcp, "-t", "t1", "-s", "109"])).await, "TCP");
}

#[tokio::test]
async fn sipp_requires_reliable_ringing() {
    let mut line = any_port().await;
    let caller = play("prack", &[&at(line.shell.udp_addr()), "-s", "109"]);
    let FromLine::CallArrived { call, .. } = line.event().await else { panic!("no call") };
    let leg = LegId::caller(call);
    line.order(ToLine::Ring { leg });
    assert!(matches!(line.event().await, FromLine::Digit { .. }), "its PRACK is answered");
    line.order(ToLine::Answer { leg, sdp: line.sdps.put(SDP.to_owned()) });
    assert!(is_content(caller).await);
}

#[tokio::test]
async fn sipp_answers_before_it_answers() {
    let mut line = any_port().await;
    let port = free_port();
    let far = play("early_answer", &["-p", &port.to_string()]);
    let leg = LegId { call: CallId(1), n: 1 };
    let target = Target::Address(format!("sip:112@127.0.0.1:{port}"));
    line.order(ToLine::Dial {
        leg,
        target,
        shown: Shown::City("109".into()),
        sdp: line.sdps.put(SDP.to_owned()),
        auto_answer: false,
        replaces: None,
    });
    assert_eq!(line.event().await, FromLine::Ringing { leg });
    assert!(matches!(line.event().await, FromLine::EarlyMedia { .. }));
    let FromLine::Answered { sdp, .. } = line.event().await else { panic!("not answered") };
    assert!(line.sdps.take(sdp).unwrap().contains("m=audio"), "the description of the 183");
    line.order(ToLine::HangUp { leg, reason: EndReason::OperatorHungUp });
    assert!(is_content(far).await);
}

#[tokio::test]
async fn sipp_glares() {
    let mut line = any_port().await;
    let caller = play("glare", &[&at(line.shell.udp_addr()), "-s", "109"]);
    let FromLine::CallArrived { call, .. } = line.event().await else { panic!("no call") };
    let leg = LegId::caller(call);
    line.order(ToLine::Answer { leg, sdp: line.sdps.put(SDP.to_owned()) });
    line.order(ToLine::Renegotiate { leg, sdp: line.sdps.put(SDP.to_owned()) });
    assert!(matches!(line.event().await, FromLine::Renegotiated { .. }), "once the far end lets ours go first");
    assert!(is_content(caller).await);
}

#[tokio::test]
async fn sipp_gives_its_call_away() {
    let mut line = any_port().await;
    let port = free_port();
    let phone = play("refer", &["-p", &port.to_string()]);
    let leg = LegId { call: CallId(1), n: 1 };
    let target = Target::Address(format!("sip:201@127.0.0.1:{port}"));
    line.order(ToLine::Dial {
        leg,
        target,
        shown: Shown::City("109".into()),
        sdp: line.sdps.put(SDP.to_owned()),
        auto_answer: false,
        replaces: None,
    });
    assert!(matches!(line.event().await, FromLine::Answered { .. }));
    assert_eq!(line.event().await, FromLine::Referred { leg, to: ReferTo::Name("heating".to_owned()) });
    line.order(ToLine::ReferProgress { leg, status: 200 });
    line.order(ToLine::HangUp { leg, reason: EndReason::OperatorHungUp });
    assert!(is_content(phone).await);
}

#[tokio::test]
async fn a_stream_is_framed_kept_alive_and_closed_on_nonsense() {
    let line = any_port().await;
    let address = line.shell.tcp_addr().unwrap();
    let _up = tokio::spawn(line.answer_all());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(some(&mut stream, "\r\n").await, "\r\n", "RFC 5626 §4.4.1");
    let options = |n: u32| {
        format!(
            "OPTIONS sip:109@x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKo{n}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:109@x>\r\n\
             Call-ID: o{n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 3\r\n\r\nabc"
        )
    };
    let two = options(1) + &options(2);
    let (first, second) = two.split_at(300);
    stream.write_all(first.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    stream.write_all(second.as_bytes()).await.unwrap();
    let answers = some(&mut stream, "Call-ID: o2").await;
    assert_eq!(answers.matches("SIP/2.0 200 OK").count(), 2, "{answers}");
    stream.write_all(options(3).replace("Length: 3", "Length: -3").as_bytes()).await.unwrap();
    let mut rest = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut rest)).await.expect("the stream stays open").unwrap();
    assert!(rest.contains("SIP/2.0 400 Bad Request"), "{rest}");
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let error = core::try_line(&address, "127.0.0.1:0").await.err().unwrap().to_string();
    assert!(error.contains("sip.udp") && error.contains(&address) && error.contains("another program"), "{error}");
}

/// Reads until `what` has come.
async fn some(stream: &mut TcpStream, what: &str) -> String {
    let mut text = String::new();
    while !text.contains(what) {
        let mut part = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut part)).await.expect("no answer").unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    text
}
