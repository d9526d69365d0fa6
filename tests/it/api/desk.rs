//! Does an operator's socket ring, tell, obey and prove that it lives?

use std::time::Duration;

use cityline::caller::CallerSeen;
use cityline::centre::explanation::{Explanation, Merits, Rule, Verdict};
use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{AgentId, CallId, CallerRef, Generation, Language, TrunkId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::output::{Offer, Refusal, ToDesk};
use cityline::centre::time::Time;
use cityline::private::Private;
use cityline::store::Role;
use cityline::web::SpeaksBy;
use cityline_bases::{Kind, on_both};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::city::{City, LIMIT};

on_both!(
    an_offer_rings_at_once_then_tells_who_calls_and_is_accepted,
    wishes_become_inputs_of_the_operator_who_is_signed_in,
    a_second_tab_takes_over_and_the_first_is_not_missed,
    new_settings_reach_open_pages_and_seat_new_operators,
    a_page_that_closes_or_signs_out_is_gone_after_a_moment,
    a_page_that_answers_no_echo_is_gone_though_its_socket_is_open,
    a_desk_is_for_operators_of_the_settings_on_our_own_page,
);

pub const CALL: CallId = CallId(7);
pub const CALLER: CallerRef = CallerRef(0xfeed_face_cafe_beef);

pub struct Desk {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub cookie: String,
}

impl Desk {
    pub async fn open(city: &City, cookie: &str, origin: &str) -> Result<Desk, u16> {
        let mut request = format!("ws://{}/desk", city.address).into_client_request().unwrap();
        request.headers_mut().insert("Cookie", cookie.trim_start_matches("Cookie: ").parse().unwrap());
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Desk { socket, cookie: cookie.to_owned() }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Signs an operator in and opens the socket; the engine hears of it.
    pub async fn of(city: &mut City, name: &str) -> (Desk, Generation) {
        let cookie = city.signed_in(name, Role::Operator).await;
        let origin = format!("http://{}", city.address);
        let mut desk = Desk::open(city, &cookie, &origin).await.unwrap();
        let Input::Desk(FromDesk::DeskUp { agent, generation }) = city.input().await else { panic!("a desk came") };
        assert_eq!(agent.as_str(), name);
        assert_eq!(desk.next("welcome").await["pause_reasons"], json!(["lunch"]));
        (desk, generation)
    }

    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message of a kind; echoes are answered on the way, others passed over.
    pub async fn next(&mut self, kind: &str) -> Value {
        tokio::time::timeout(LIMIT, async {
            loop {
                let message = self.any().await.expect("the socket is open");
                match message["type"].as_str().unwrap() {
                    found if found == kind => return message,
                    "echo" => self.say(json!({ "type": "echo", "n": message["n"] })).await,
                    _ => {}
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("no {kind}"))
    }

    pub async fn any(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub async fn closed(&mut self) {
        tokio::time::timeout(LIMIT, async { while self.any().await.is_some() {} }).await.expect("the socket is closed");
    }
}

pub fn offer() -> Offer {
    let verdicts = vec![(AgentId::from("operator"), Verdict::Chosen { idle_ms: 9_000, merits: Merits::default() })];
    Offer {
        call: CALL,
        caller: CALLER,
        queue: "heating".into(),
        language: Language::Kk,
        topic: Some("heating".into()),
        waited_ms: 48_000,
        rings_ms: 15_000,
        why: Explanation { rule: Rule::LongestIdle, needed: vec!["kk".into()], verdicts, ..Explanation::default() },
        from: None,
        auto_answer_ms: 0,
        callback: None,
    }
}

pub fn changed(state: AgentStatus) -> Fact {
    Fact::AgentChanged { agent: "operator".into(), state }
}

/// The call is up, its caller is known.
pub async fn call_waits(city: &mut City) {
    let number = Private::new("+77010000045".to_owned());
    city.store.remember_callers(&[CallerSeen { caller: CALLER, number, name: None, at: Time(1) }]).await.unwrap();
    let started = Fact::CallStarted { call: CALL, number: "109".into(), trunk: TrunkId::from("city"), caller: CALLER };
    city.happens(1_000, vec![changed(AgentStatus::Ready), started]).await;
}

pub async fn wish(city: &mut City) -> FromDesk {
    match city.input().await {
        Input::Desk(wish) => wish,
        other => panic!("{other:?}"),
    }
}

async fn an_offer_rings_at_once_then_tells_who_calls_and_is_accepted(kind: Kind) {
    let mut city = City::start(kind).await;
    call_waits(&mut city).await;
    let (mut desk, _) = Desk::of(&mut city, "operator").await;
    let (mut other, _) = Desk::of(&mut city, "olena").await;
    assert_eq!(desk.next("state").await["state"], "ready");
    assert_eq!(desk.next("board").await["board"]["calls_up"], 1);

    city.happens(2_000, vec![changed(AgentStatus::Offered(CALL))]).await;
    city.shell.carry_out(ToDesk::Offer { agent: "operator".into(), offer: offer() });
    let shown = desk.next("offer").await;
    assert_eq!((&shown["language"], &shown["waited_ms"], &shown["ringing"]), (&json!("kk"), &json!(48_000), &json!(true)));
    assert_eq!(shown["why"]["verdicts"][0][0], "operator");
    assert!(!shown.to_string().contains("caller"), "the reference stays inside");
    let context = desk.next("context").await;
    assert_eq!((&context["call"], &context["story"]["number"]), (&json!(7), &json!("+77010000045")));
    let opened = city.store.accesses(10).await.unwrap();
    assert_eq!((opened[0].who.as_str(), opened[0].action.as_str(), opened[0].subject.as_str()), ("operator", "story", "call 7"));

    desk.say(json!({ "type": "offer_shown", "call": 7 })).await;
    assert_eq!(wish(&mut city).await, FromDesk::OfferShown { agent: "operator".into(), call: CALL });
    desk.say(json!({ "type": "accept", "call": 7 })).await;
    assert_eq!(wish(&mut city).await, FromDesk::Accept { agent: "operator".into(), call: CALL });
    let connected = Fact::Connected { call: CALL, queue: "heating".into(), agent: "operator".into(), waited_ms: 48_000 };
    city.shell.carry_out(ToDesk::OfferGone { agent: "operator".into(), call: CALL });
    city.happens(3_000, vec![connected, changed(AgentStatus::Talking(CALL))]).await;
    desk.next("offer_gone").await;
    assert_eq!(desk.next("call_state").await["state"], "connected");
    assert_eq!(desk.next("state").await["state"], "talking");

    desk.say(json!({ "type": "write_case", "call": 7, "topic": "heating", "text": "no heating", "draft": "form-1" })).await;
    let saved = desk.next("case_saved").await;
    assert_eq!((&saved["draft"], saved["number"].as_str().unwrap().ends_with("-000001")), (&json!("form-1"), true));
    assert_eq!(city.store.story(CALLER).await.unwrap().cases.len(), 1, "the case is the caller's");
    other.say(json!({ "type": "write_case", "call": 7, "topic": "heating", "text": "not mine", "draft": "form-2" })).await;
    assert!(other.next("refused").await["what"].as_str().unwrap().contains("not yours"));

    city.happens(9_000, vec![changed(AgentStatus::WrapUp), Fact::CallEnded { call: CALL, reason: EndReason::CallerHungUp }]).await;
    assert_eq!(desk.next("state").await["state"], "wrap_up");
    assert_eq!(desk.next("call_state").await["state"], "ended");
    desk.say(json!({ "type": "wrap_up_done" })).await;
    assert_eq!(wish(&mut city).await, FromDesk::WrapUpDone { agent: "operator".into() });
    city.shell.carry_out(ToDesk::Refused { agent: "operator".into(), why: Refusal::NoPhone });
    assert!(desk.next("refused").await["mend"].as_str().unwrap().contains("phone"));

    // The one who was not offered the call has seen the board and nothing of the caller.
    other.say(json!({ "type": "hello", "last_event": 1 })).await;
    other.next("welcome").await;
    let seen = other.next("board").await.to_string();
    assert!(!seen.contains("7701"));
    city.stop().await;
}

async fn wishes_become_inputs_of_the_operator_who_is_signed_in(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut desk, _) = Desk::of(&mut city, "operator").await;
    let agent = AgentId::from("operator");
    for (said, expected) in [
        (json!({ "type": "ready" }), FromDesk::Ready { agent: agent.clone() }),
        (json!({ "type": "pause", "reason": "lunch" }), FromDesk::Pause { agent: agent.clone(), reason: "lunch".into() }),
        (json!({ "type": "decline", "call": 7 }), FromDesk::Decline { agent: agent.clone(), call: CALL }),
        (json!({ "type": "hang_up", "call": 7 }), FromDesk::HangUp { agent: agent.clone(), call: CALL }),
        (json!({ "type": "sign_out" }), FromDesk::SignOut { agent: agent.clone() }),
    ] {
        desk.say(said).await;
        assert_eq!(wish(&mut city).await, expected);
    }
    desk.say(json!({ "type": "ready", "agent": "olena" })).await;
    assert_eq!(wish(&mut city).await, FromDesk::Ready { agent }, "nobody speaks for another");
    desk.say(json!({ "type": "accept", "call": 7, "agent": "olena" })).await;
    assert!(desk.next("refused").await["what"].as_str().unwrap().contains("not understood"));
    city.stop().await;
}

async fn a_second_tab_takes_over_and_the_first_is_not_missed(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut first, one) = Desk::of(&mut city, "operator").await;
    city.shell.carry_out(ToDesk::Offer { agent: "operator".into(), offer: offer() });
    first.next("offer").await;
    let origin = format!("http://{}", city.address);
    let mut second = Desk::open(&city, &first.cookie, &origin).await.unwrap();
    let FromDesk::DeskUp { generation: two, .. } = wish(&mut city).await else { panic!("the second tab came") };
    assert!(two > one);
    first.next("taken_over").await;
    first.closed().await;
    assert_eq!(second.next("offer").await["call"], 7, "what rings is shown again");
    second.next("context").await;
    second.say(json!({ "type": "accept", "call": 7 })).await;
    assert!(matches!(wish(&mut city).await, FromDesk::Accept { .. }), "no word of a desk that is gone");
    city.stop().await;
}

async fn new_settings_reach_open_pages_and_seat_new_operators(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut desk, _) = Desk::of(&mut city, "operator").await;
    let cookie = city.signed_in("daniyar", Role::Operator).await;
    let origin = format!("http://{}", city.address);
    assert_eq!(Desk::open(&city, &cookie, &origin).await.err(), Some(403));
    city.shell.reload(&[("daniyar".into(), SpeaksBy::Page)].into(), Default::default(), vec!["training".into()]);
    assert_eq!(desk.next("welcome").await["pause_reasons"], json!(["training"]));
    desk.say(json!({ "type": "wrap_up_done" })).await;
    assert!(matches!(wish(&mut city).await, FromDesk::WrapUpDone { .. }), "who is removed ends what was begun");
    assert!(Desk::open(&city, &cookie, &origin).await.is_ok());
    assert_eq!(Desk::open(&city, &desk.cookie, &origin).await.err(), Some(403), "and does not come again");
    city.stop().await;
}

async fn a_page_that_closes_or_signs_out_is_gone_after_a_moment(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut desk, generation) = Desk::of(&mut city, "operator").await;
    let answer = city.ask("POST", "/api/logout", std::slice::from_ref(&desk.cookie), Some("{}")).await;
    assert_eq!(answer.status, 204);
    desk.closed().await;
    assert_eq!(wish(&mut city).await, FromDesk::DeskGone { agent: "operator".into(), generation });
    city.stop().await;
}

async fn a_page_that_answers_no_echo_is_gone_though_its_socket_is_open(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut desk, generation) = Desk::of(&mut city, "operator").await;
    let began = std::time::Instant::now();
    // The browser's own pongs go on: only the page is silent.
    let silent = async { while desk.any().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(34), silent).await.expect("cut off");
    assert!(began.elapsed() >= Duration::from_secs(18), "not while a network that was lost for 15 s may come back");
    assert_eq!(wish(&mut city).await, FromDesk::DeskGone { agent: "operator".into(), generation });
    city.stop().await;
}

async fn a_desk_is_for_operators_of_the_settings_on_our_own_page(kind: Kind) {
    let mut city = City::start(kind).await;
    let own = format!("http://{}", city.address);
    let operator = city.signed_in("operator", Role::Operator).await;
    assert_eq!(Desk::open(&city, &operator, "http://evil.example").await.err(), Some(403));
    let stranger = city.signed_in("stranger", Role::Operator).await;
    assert_eq!(Desk::open(&city, &stranger, &own).await.err(), Some(403));
    let supervisor = city.signed_in("supervisor", Role::Supervisor).await;
    assert_eq!(Desk::open(&city, &supervisor, &own).await.err(), Some(403));
    assert_eq!(Desk::open(&city, "Cookie: cityline=made-up", &own).await.err(), Some(401));
    let (_desk, _) = Desk::of(&mut city, "operator").await;
    city.stop().await;
}
