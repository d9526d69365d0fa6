//! Do carriers take us as we are? SIPp as registrar that asks for a digest, and as two addresses of a trunk of which one is busy.

use cityline::centre::ids::{CallId, LegId};
use cityline::centre::input::FromLine;
use cityline::centre::output::{Shown, Target, ToLine};
use cityline::config::Config;
use cityline_phone::ports::free_port;

use super::core::{Line, SDP, start_with};
use super::{is_content, sipp};
use cityline::centre::fact::EndReason;

/// The demo city with these trunks in place of its own.
async fn with_trunks(trunks: &str) -> Line {
    let mut config = Config::load(None).unwrap();
    (config.sip.udp, config.sip.tcp) = (Some("127.0.0.1:0".parse().unwrap()), Some("127.0.0.1:0".parse().unwrap()));
    config.trunks = toml::from_str(trunks).unwrap();
    start_with(&config).await.unwrap()
}

#[tokio::test]
async fn sipp_as_registrar_asks_who_we_are_and_lets_us_in() {
    let port = free_port();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/sipp/registrar.xml");
    let registrar = sipp(&["-sf", scenario, "-p", &port.to_string(), "-m", "1"]);
    let trunk = format!(
        "[provider]\nto = \"127.0.0.1:{port}\"\nregister = true\ncheck_s = 0\ndomain = \"provider.example\"\nlogin = {{ user = \"77142500000\", password = \"secret\" }}"
    );
    let _line = with_trunks(&trunk).await;
    assert!(is_content(registrar).await);
}

#[tokio::test]
async fn sipp_that_is_busy_is_passed_over() {
    let (busy_port, port) = (free_port(), free_port());
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/sipp/busy.xml");
    let busy = sipp(&["-sf", scenario, "-p", &busy_port.to_string(), "-m", "1"]);
    let far = sipp(&["-sn", "uas", "-p", &port.to_string(), "-m", "1"]);
    let mut line = with_trunks(&format!("[carrier]\ncheck_s = 0\nto = [\"127.0.0.1:{busy_port}\", \"127.0.0.1:{port}\"]")).await;
    let leg = LegId { call: CallId(1), n: 1 };
    let target = Target::Address("112".into());
    line.order(ToLine::Dial {
        leg,
        target,
        shown: Shown::City("109".into()),
        sdp: line.sdps.put(SDP.to_owned()),
        auto_answer: false,
        replaces: None,
    });
    assert_eq!(line.event().await, FromLine::Ringing { leg });
    assert!(matches!(line.event().await, FromLine::Answered { .. }));
    line.order(ToLine::HangUp { leg, reason: EndReason::OperatorHungUp });
    assert!(is_content(busy).await && is_content(far).await);
}
