//! A core that decides nothing: it answers, accepts and forgets by a script, so that signalling can be tested alone.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use cityline::caller::{CallerKey, CallerSeen};
use cityline::centre::ids::LegId;
use cityline::centre::input::{FromDesk, FromLine, Input};
use cityline::centre::output::ToLine;
use cityline::clock::Clock;
use cityline::config::Config;
use cityline::lanes::{InputLanes, lanes};
use cityline::number_book::NumberBook;
use cityline::private::Private;
use cityline::sdp_book::SdpBook;
use cityline::sip::{PhoneAccount, SipError, SipParts, SipShell, start};
use cityline::vitals::Vitals;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A description of G.711 at a port where nobody listens.
pub const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";

/// Signalling with the ends that the rest of Cityline would hold.
pub struct Line {
    pub shell: SipShell,
    pub sdps: SdpBook,
    pub lanes: InputLanes,
    pub callers: mpsc::Receiver<CallerSeen>,
    pub stop: CancellationToken,
}

/// Starts signalling on these addresses, with the settings of the demo city and its phones.
pub async fn line(udp: &str, tcp: &str) -> Line {
    try_line(udp, tcp).await.unwrap()
}

/// As [`line`], for addresses that cannot be had.
pub async fn try_line(udp: &str, tcp: &str) -> Result<Line, SipError> {
    let mut config = Config::load(None).unwrap();
    (config.sip.udp, config.sip.tcp) = (Some(udp.parse().unwrap()), Some(tcp.parse().unwrap()));
    start_with(&config).await
}

/// Starts signalling with these settings.
pub async fn start_with(config: &Config) -> Result<Line, SipError> {
    let phones = config.operators.iter().filter_map(|(name, operator)| {
        let phone = operator.phone.as_ref()?;
        Some(PhoneAccount {
            user: phone.user.clone(),
            agent: name.as_str().into(),
            password: Private::new(phone.password.reveal().clone()),
            secure: phone.secure,
        })
    });
    let (inputs, lanes) = lanes(20_000);
    let (seen, callers) = mpsc::channel(20_000);
    let (sdps, stop) = (SdpBook::default(), CancellationToken::new());
    let parts = SipParts {
        config: config.sip.clone(),
        trunks: config.trunks.clone(),
        phones: phones.collect(),
        inputs,
        sdps: sdps.clone(),
        caller_key: CallerKey::new([7; 32]),
        callers: seen,
        numbers: NumberBook::new(CallerKey::new([7; 32])),
        clock: Clock::of_process(),
        vitals: Vitals::new(Clock::of_process()),
        next_call: Arc::new(AtomicU64::new(1)),
    };
    Ok(Line { shell: start(parts, stop.clone()).await?, sdps, lanes, callers, stop })
}

impl Line {
    /// The next thing that signalling reports, within ten seconds.
    pub async fn input(&mut self) -> Input {
        let next = async {
            tokio::select! {
                Some(input) = self.lanes.reserved.recv() => input,
                Some(input) = self.lanes.common.recv() => input,
                else => panic!("signalling is gone"),
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), next).await.expect("signalling reports nothing")
    }

    /// The next report of a line.
    pub async fn event(&mut self) -> FromLine {
        loop {
            match self.input().await {
                Input::Line(event) => return event,
                Input::Desk(FromDesk::PhoneChanged { .. }) => {}
                other => panic!("not of signalling: {other:?}"),
            }
        }
    }

    /// An order that must find room.
    pub fn order(&self, order: ToLine) {
        self.shell.carry_out(order).unwrap();
    }

    /// Answers calls to 109 and refuses others, for ever.
    pub async fn answer_all(mut self) {
        loop {
            tokio::select! {
                biased;
                Some(input) = self.lanes.reserved.recv() => self.answer(&input),
                Some(input) = self.lanes.common.recv() => self.answer(&input),
                Some(_) = self.callers.recv() => {}
                else => return,
            }
        }
    }

    fn answer(&self, input: &Input) {
        let Input::Line(event) = input else { return };
        match event {
            FromLine::CallArrived { call, number, .. } => {
                let leg = LegId::caller(*call);
                match number.as_str() {
                    "109" | "service" | "ivr" => self.order(ToLine::Answer { leg, sdp: self.sdps.put(SDP.to_owned()) }),
                    _ => self.order(ToLine::Reject { leg, status: 404, retry_after_s: None }),
                }
            }
            FromLine::Reoffered { leg, .. } => self.order(ToLine::AcceptOffer { leg: *leg, sdp: self.sdps.put(SDP.to_owned()) }),
            _ => {}
        }
    }
}
