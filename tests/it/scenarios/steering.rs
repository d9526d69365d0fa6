//! What do a supervisor's orders change at once? States, and what somebody does today; each with author and reason, shown to the operator.

use std::collections::BTreeMap;

use cityline::centre::explanation::Verdict;
use cityline::centre::fact::{AgentStatus, Fact};
use cityline::centre::ids::{CallId, QueueId, SkillId};
use cityline::centre::input::Input;
use cityline::centre::output::{Output, Refusal, ToDesk};
use cityline::centre::steer::{Order, StateWanted, Steered};

use super::queues::explanation;
use super::story::Story;
use crate::city::{BARE_PHONE, PHONE, operator, settings, three_operators, with};

/// The supervisor "boss" orders this, because of a storm.
pub fn orders_until(story: &mut Story, order: Order, until_ms: Option<u64>) {
    let (by, reason) = ("boss".to_owned(), "storm".to_owned());
    story.happens(Input::Steered(Box::new(Steered { order, until_ms, by, reason })));
}

pub fn orders(story: &mut Story, order: Order) {
    orders_until(story, order, None);
}

pub fn offered_to(story: &Story, call: CallId) -> Vec<String> {
    let to = |fact: &Fact| match fact {
        Fact::Offered { call: id, agent, .. } if *id == call => Some(agent.to_string()),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| to(fact)).collect()
}

fn able(operator: &str, levels: &[(&str, u8)], queues: &[(&str, bool)]) -> Order {
    Order::Able {
        operator: operator.into(),
        levels: levels.iter().map(|(skill, level)| (SkillId::from(*skill), *level)).collect(),
        queues: queues.iter().map(|(queue, member)| (QueueId::from(*queue), *member)).collect(),
    }
}

fn state(operator: &str, to: StateWanted, pause: Option<&str>) -> Order {
    Order::State { operator: operator.into(), to, pause: pause.map(Into::into) }
}

#[test]
fn a_state_that_a_supervisor_orders_holds_at_once_and_is_shown_with_author_and_reason() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[1]);
    orders(&mut story, state("aigul", StateWanted::Pause, Some("lunch")));
    assert_eq!(story.agent("aigul"), AgentStatus::Paused("lunch".into()));
    let shown = story.asked_count(|output| {
        matches!(output, Output::Desk(ToDesk::Ordered { agent, by, reason, .. }) if agent.as_str() == "aigul" && by == "boss" && reason == "storm")
    });
    assert_eq!(shown, 1);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Steered { by, .. } if by == "boss")), 1);
    orders(&mut story, state("aigul", StateWanted::Ready, None));
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    orders(&mut story, state("aigul", StateWanted::SignedOut, None));
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    orders(&mut story, state("aigul", StateWanted::Pause, Some("no such reason")));
    assert_eq!(story.agent("aigul"), AgentStatus::Offline, "what is not in the settings is void");
}

#[test]
fn a_state_that_cannot_be_is_told_with_its_reason() {
    let refused = |story: &Story| {
        let of = |fact: &Fact| match fact {
            Fact::Steered { refused, .. } => Some(refused.clone()),
            _ => None,
        };
        story.told.iter().rev().find_map(|(_, fact)| of(fact)).unwrap()
    };
    let mut story = Story::new(three_operators());
    orders(&mut story, state("aigul", StateWanted::Ready, None));
    assert_eq!((refused(&story), story.agent("aigul")), (Some(Refusal::NoPhone), AgentStatus::Offline));
    story.signs_in("aigul", &[1]);
    orders(&mut story, state("aigul", StateWanted::Pause, Some("lunch")));
    orders(&mut story, Order::Evacuation { on: true });
    orders(&mut story, state("aigul", StateWanted::Ready, None));
    assert_eq!(refused(&story), Some(Refusal::Evacuated));
    orders(&mut story, Order::Evacuation { on: false });
    orders(&mut story, state("aigul", StateWanted::Ready, None));
    assert_eq!((refused(&story), story.agent("aigul")), (None, AgentStatus::Ready));
    story.talks_with(1, "aigul");
    orders(&mut story, state("aigul", StateWanted::Ready, None));
    assert_eq!(refused(&story), None, "it holds after the talk");
}

#[test]
fn who_talks_is_in_the_ordered_state_after_the_talk() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[1]);
    let call = story.talks_with(1, "aigul");
    orders(&mut story, state("aigul", StateWanted::Pause, Some("lunch")));
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Paused("lunch".into()));
}

#[test]
fn a_skill_that_is_given_for_today_brings_the_next_call_in_the_same_step_and_ends_with_the_day() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "roads"], PHONE)));
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(1);
    assert!(offered_to(&story, call).is_empty());
    orders(&mut story, able("aigul", &[("heating", 6)], &[]));
    assert_eq!(offered_to(&story, call), ["aigul"]);
    let why = explanation(&story, call);
    assert_eq!(why.able_today, ["aigul".into()], "the explanation names whose order counted");
    let until = story.told.iter().find_map(|(_, fact)| match fact {
        Fact::AbleToday { until_ms, .. } => *until_ms,
        _ => None,
    });
    story.hangs_up(call);
    story.pass(until.unwrap() - story.now.0);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::AbleToday { levels, .. } if levels.is_empty())), 1);
    let call = story.waits_for_heating(2);
    assert!(offered_to(&story, call).is_empty(), "the day is over");
}

#[test]
fn a_skill_or_a_queue_that_is_taken_away_brings_no_call_until_it_is_given_back() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[1]);
    let until = story.now.0 + 3_600_000;
    orders_until(&mut story, able("aigul", &[], &[("heating", false)]), Some(until));
    let call = story.waits_for_heating(1);
    assert!(offered_to(&story, call).is_empty());
    let why = story.centre.explain_wait(call).unwrap();
    assert_eq!(why.verdicts, [("aigul".into(), Verdict::ByOrder {})]);
    orders(&mut story, able("aigul", &[("heating", 0)], &[]));
    let why = story.centre.explain_wait(call).unwrap();
    assert_eq!(
        why.verdicts,
        [("aigul".into(), Verdict::Lacks { skills: vec!["heating".into()] })],
        "the newer order is in place of the other"
    );
    orders(&mut story, able("aigul", &[], &[]));
    assert_eq!(offered_to(&story, call), ["aigul"], "as the settings say");
}

#[test]
fn orders_outlive_the_process() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "roads"], PHONE)));
    story.signs_in("aigul", &[1]);
    orders(&mut story, able("aigul", &[("heating", 6)], &[("roads", false)]));
    story.restarts(1_000);
    let retold = story.centre.retold();
    let expected = BTreeMap::from([(SkillId::from("heating"), 6)]);
    let told = retold.iter().position(|(_, fact)| matches!(fact, Fact::AbleToday { levels, .. } if *levels == expected)).unwrap();
    let Fact::Steered { by, reason, .. } = &retold[told - 1].1 else { panic!("the order comes before what follows from it") };
    assert_eq!((by.as_str(), reason.as_str()), ("boss", "storm"), "whose order it was, and why");
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(1);
    assert_eq!(offered_to(&story, call), ["aigul"]);
}

#[test]
fn a_phone_without_a_desk_that_was_sent_off_is_not_ready_by_itself() {
    let city = with(settings(), "dana", operator(&["ru", "heating"], BARE_PHONE));
    let mut story = Story::new(with(city, "fixed", crate::city::fixed(&["ru", "heating"])));
    story.registers("dana", &[4]);
    for who in ["dana", "fixed"] {
        assert_eq!(story.agent(who), AgentStatus::Ready, "{who}");
        orders(&mut story, state(who, StateWanted::SignedOut, None));
    }
    story.registers("dana", &[5]);
    let mut next = with(settings(), "dana", operator(&["ru", "heating"], BARE_PHONE));
    next.revision = 2;
    story.reload(with(next, "fixed", crate::city::fixed(&["ru", "heating"])));
    story.restarts(1_000);
    let call = story.waits_for_heating(1);
    assert!(offered_to(&story, call).is_empty(), "{:?} {:?}", story.agent("dana"), story.agent("fixed"));
    orders(&mut story, state("fixed", StateWanted::Ready, None));
    assert_eq!(offered_to(&story, call), ["fixed"]);
}
