//! Does nobody come to a talk but a supervisor, for a reason, on record, and known to its operator?

use cityline::centre::fact::{AgentStatus, Fact, Party, Role as Part};
use cityline::centre::ids::{CallId, LegId, Supervision};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::output::ToDesk;
use cityline::store::{AccessFilter, Role};
use cityline_bases::{Kind, on_both};
use serde_json::json;

use super::city::City;
use super::desk::{CALL, Desk, changed, offer};

on_both!(a_supervisor_comes_with_a_reason_on_record_and_the_operator_sees_it,);

async fn a_supervisor_comes_with_a_reason_on_record_and_the_operator_sees_it(kind: Kind) {
    let mut city = City::start(kind).await;
    let (mut operator, _) = Desk::of(&mut city, "operator").await;
    operator.say(json!({ "type": "monitor", "call": CALL.0, "mode": "monitor", "reason": "curious" })).await;
    assert!(operator.next("refused").await["what"].as_str().unwrap().contains("only a supervisor"));
    let cookie = city.signed_in("olena", Role::Supervisor).await;
    let origin = format!("http://{}", city.address);
    let mut boss = Desk::open(&city, &cookie, &origin).await.unwrap();
    let Input::Desk(FromDesk::DeskUp { .. }) = city.input().await else { panic!("the supervisor's desk came") };
    city.shell.carry_out(ToDesk::Offer { agent: "operator".into(), offer: offer() });
    city.happens(1_000, vec![changed(AgentStatus::Talking(CALL))]).await;

    boss.say(json!({ "type": "monitor", "call": CALL.0, "mode": "monitor", "reason": " " })).await;
    assert!(boss.next("refused").await["what"].as_str().unwrap().contains("no reason"));
    boss.say(json!({ "type": "monitor", "call": CALL.0, "mode": "whisper", "reason": "a hard call" })).await;
    let expected = FromDesk::Monitor { agent: "olena".into(), call: CALL, mode: Supervision::Whisper };
    assert_eq!(city.input().await, Input::Desk(expected));
    let log = city.store.accesses_of(&AccessFilter { action: Some("supervision".into()), ..AccessFilter::default() }).await.unwrap();
    assert_eq!((log[0].who.as_str(), log[0].subject.as_str()), ("olena", "call 7, whisper: a hard call"));

    let supervising = Fact::AgentChanged { agent: "olena".into(), state: AgentStatus::Supervising(CALL) };
    let joined = Fact::Joined {
        leg: LegId { call: CallId(CALL.0), n: 2 },
        party: Party::Agent("olena".into()),
        role: Part::Supervisor(Supervision::Whisper),
    };
    city.happens(2_000, vec![supervising, joined]).await;
    let told = operator.next("supervised").await;
    assert_eq!((&told["by"], &told["how"]), (&json!("olena"), &json!("whisper")));
    assert_eq!(boss.next("call_state").await["state"], "whisper");

    boss.say(json!({ "type": "take_over", "call": CALL.0, "reason": "a hard call" })).await;
    assert_eq!(city.input().await, Input::Desk(FromDesk::TakeOver { agent: "olena".into(), call: CALL }));
    let took = Fact::TakenOver { call: CALL, agent: "olena".into(), from: "operator".into() };
    let talks = Fact::AgentChanged { agent: "olena".into(), state: AgentStatus::Talking(CALL) };
    city.happens(3_000, vec![took, changed(AgentStatus::WrapUp), talks]).await;
    assert_eq!(operator.next("supervised").await["how"], "took_over");
    let shown = boss.next("offer").await;
    assert_eq!((&shown["call"], &shown["ringing"], &shown["language"]), (&json!(CALL.0), &json!(false), &json!("kk")));
    city.stop().await;
}
