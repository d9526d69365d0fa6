//! What may an operator do, and what may happen to their devices, in every state?

use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{AgentId, Generation};
use cityline::centre::input::FromDesk;
use cityline::centre::output::{Output, Refusal, ToDesk};

use super::story::Story;
use crate::city::{BARE_PHONE, HEADSET, PHONE, operator, settings, with};

fn city() -> Story {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    story.signs_in("aigul", &[11]);
    story
}

fn aigul() -> AgentId {
    AgentId::from("aigul")
}

fn refused(story: &Story, why: &Refusal) -> usize {
    story.asked_count(|output| matches!(output, Output::Desk(ToDesk::Refused { why: given, .. }) if given == why))
}

fn states(story: &Story) -> Vec<String> {
    let word = |fact: &Fact| match fact {
        Fact::AgentChanged { agent, state } if *agent == aigul() => Some(state.word().to_owned()),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| word(fact)).collect()
}

#[test]
fn the_operator_ends_the_talk_at_the_desk_or_at_the_phone() {
    for at_desk in [true, false] {
        let mut story = city();
        story.pass(1_000);
        let call = story.waits_for_heating(77);
        story.pass(100);
        let leg = story.rings_at("aigul");
        story.answers(leg);
        if at_desk {
            story.desk(FromDesk::HangUp { agent: aigul(), call });
        } else {
            story.leg_hangs_up(leg);
        }
        assert_eq!(story.ended(call), Some(EndReason::OperatorHungUp));
        assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
        story.everything_is_released();
        assert_eq!(states(&story), ["ready", "offered", "talking", "wrap_up", "ready"]);
    }
}

/// AST#1006, AST#607: wrap-up ended early. It lasts its time, whatever else happens in the queue.
#[test]
fn wrap_up_lasts_its_time_while_callers_wait() {
    let mut story = city();
    let call = story.talks_with(1, "aigul");
    let next = story.waits_for_heating(2);
    story.hangs_up(call);
    story.pass(19_990);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.pass(10);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(next));
}

/// AST#1006: it belongs to the operator. New settings, a reloaded desk or a phone that comes back do not end it.
#[test]
fn nothing_but_its_end_or_the_operator_ends_wrap_up() {
    let mut story = city();
    let call = story.talks_with(1, "aigul");
    story.waits_for_heating(2);
    story.hangs_up(call);
    story.reload(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)));
    story.desk(FromDesk::DeskGone { agent: aigul(), generation: Generation(1) });
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: Generation(2) });
    story.registers("aigul", &[]);
    story.registers("aigul", &[12]);
    story.desk(FromDesk::Decline { agent: aigul(), call });
    story.desk(FromDesk::HangUp { agent: aigul(), call });
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.desk(FromDesk::WrapUpDone { agent: aigul() });
    assert!(matches!(story.agent("aigul"), AgentStatus::Offered(_)));
}

#[test]
fn a_queue_without_wrap_up_frees_the_operator_at_once() {
    let mut quick = with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE));
    quick.queues.values_mut().for_each(|queue| queue.wrap_up_ms = 0);
    let mut story = Story::new(quick);
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(1, "aigul");
    story.hangs_up(call);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    assert_eq!(states(&story), ["ready", "offered", "talking", "wrap_up", "ready"]);
}

/// AST#66: the pause and its reason are told as facts of their own.
#[test]
fn a_pause_wished_for_in_the_talk_comes_after_wrap_up() {
    let mut story = city();
    let call = story.talks_with(1, "aigul");
    story.pauses("aigul", "lunch");
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Paused("lunch".into()));
    story.waits_for_heating(2);
    story.pass(60_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Paused("lunch".into()), "who pauses is not rung");
}

#[test]
fn a_wish_is_taken_back_by_ready_in_the_talk() {
    let mut story = city();
    let call = story.talks_with(1, "aigul");
    story.pauses("aigul", "lunch");
    story.desk(FromDesk::Ready { agent: aigul() });
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
}

#[test]
fn a_wish_overruled_in_wrap_up_does_not_come_true_after_a_later_talk() {
    let mut story = city();
    let call = story.talks_with(1, "aigul");
    story.pauses("aigul", "lunch");
    story.hangs_up(call);
    story.desk(FromDesk::Ready { agent: aigul() });
    let call = story.talks_with(2, "aigul");
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
}

#[test]
fn the_shift_may_end_in_any_state() {
    let mut story = city();
    story.desk(FromDesk::SignOut { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    story.desk(FromDesk::Ready { agent: aigul() });
    story.pauses("aigul", "break");
    story.desk(FromDesk::SignOut { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    story.desk(FromDesk::Ready { agent: aigul() });
    let call = story.talks_with(1, "aigul");
    story.desk(FromDesk::SignOut { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call), "the talk goes on");
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    story.everything_is_released();
}

/// FU#2831: an unregistered phone stayed available.
#[test]
fn a_phone_that_is_lost_takes_its_operator_out_of_every_state_that_needs_it() {
    let mut story = city();
    story.registers("aigul", &[]);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.waits_for_heating(77);
    story.desk(FromDesk::Ready { agent: aigul() });
    assert_eq!(refused(&story, &Refusal::NoPhone), 1);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.registers("aigul", &[13]);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding, "the operator must say so");
    story.desk(FromDesk::Ready { agent: aigul() });
    assert!(matches!(story.agent("aigul"), AgentStatus::Offered(_)));
}

/// FU#2831: in the talk, in wrap-up and in a pause.
#[test]
fn a_phone_lost_in_a_talk_leaves_the_talk_to_its_own_end() {
    let mut story = city();
    let call = story.talks_with(1, "aigul");
    story.registers("aigul", &[]);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call), "its dialog tells when it is over");
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.pauses("aigul", "lunch");
    story.registers("aigul", &[14]);
    assert_eq!(story.agent("aigul"), AgentStatus::Paused("lunch".into()));
    story.registers("aigul", &[]);
    story.desk(FromDesk::Ready { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Paused("lunch".into()));
}

/// FU#2831: readiness by the desk's heartbeat.
#[test]
fn a_desk_that_is_lost_takes_away_who_answers_there_alone() {
    for (device, after) in [(HEADSET, AgentStatus::NotResponding), (PHONE, AgentStatus::Ready)] {
        let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], device)));
        story.signs_in("aigul", &[11]);
        story.desk(FromDesk::DeskGone { agent: aigul(), generation: Generation(1) });
        assert_eq!(story.agent("aigul"), after);
    }
}

#[test]
fn a_page_reloaded_in_the_talk_is_a_new_generation_of_the_same_desk() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    story.desk(FromDesk::Accept { agent: aigul(), call });
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: Generation(2) });
    story.desk(FromDesk::DeskGone { agent: aigul(), generation: Generation(1) });
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
}

#[test]
fn a_bare_phone_is_ready_while_it_is_registered() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], BARE_PHONE)));
    story.registers("aigul", &[11]);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    let call = story.waits_for_heating(77);
    story.pass(15_000);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.registers("aigul", &[11]);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding, "a refreshed registration says nothing new");
    story.pass(30_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "it has rested");
    story.registers("aigul", &[]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    story.registers("aigul", &[12]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn who_signed_out_at_a_bare_phone_is_not_brought_back_by_a_refresh() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], BARE_PHONE)));
    story.registers("aigul", &[11]);
    story.desk(FromDesk::SignOut { agent: aigul() });
    story.registers("aigul", &[11]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
}

#[test]
fn a_bare_phone_that_answers_at_the_desk_is_not_ready_without_the_desk() {
    let device = cityline::centre::settings::Device::Phone { ready_when_registered: true, answer_at_desk: true };
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], device)));
    story.registers("aigul", &[11]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
}

#[test]
fn wishes_that_cannot_be_are_refused_with_the_reason() {
    let mut story = city();
    story.pauses("aigul", "siesta");
    assert_eq!(refused(&story, &Refusal::UnknownReason("siesta".into())), 1);
    story.desk(FromDesk::Ready { agent: "nobody".into() });
    assert_eq!(refused(&story, &Refusal::UnknownOperator), 1);
    let call = story.waits_for_heating(77);
    story.desk(FromDesk::Accept { agent: aigul(), call });
    assert_eq!(refused(&story, &Refusal::PickUpThePhone), 1);
}
