//! Who is called back, when, how often, and does anybody lose their place by it?

use cityline::centre::dialplan::Action;
use cityline::centre::explanation::Held;
use cityline::centre::fact::{AgentStatus, CallbackEnd, CallbackRefusal, EndReason, Fact, QueueEnd};
use cityline::centre::ids::{CallId, CallerRef, LegId};
use cityline::centre::input::{Input, Keyed};
use cityline::centre::output::{KeyingOrder, Output, Sound, Target, ToDesk, ToLine, ToMedia};
use cityline::centre::settings::Settings;

use super::story::{SPEAKS_MS, Story};
use crate::city::{HEADSET, KEY_WAIT_MS, PHONE, operator, settings, step, with};

pub const AGAIN_MS: u64 = 300_000;

/// Heating offers a callback by "1"; one operator takes it.
pub fn city() -> Settings {
    let mut city = with(settings(), "aigul", operator(&["ru", "heating"], PHONE));
    let plan = city.numbers.values_mut().next().unwrap();
    let ask = Action::Callback { queue: "heating".into(), wait_ms: KEY_WAIT_MS, tries: 2, otherwise: "heating".into() };
    plan.steps.extend([step("callback", ask)]);
    for (name, known) in &mut plan.steps {
        if let Action::Queue { callback, .. } = &mut known.action
            && name.as_str() == "heating"
        {
            *callback = Some("callback".into());
        }
    }
    city.queues.get_mut(&"heating".into()).unwrap().callback_after_ms = 60_000;
    city.callbacks.again_after_ms = AGAIN_MS;
    city
}

/// A caller who waits and asks to be called back at the number that they call from.
fn wants_a_callback(story: &mut Story, caller: u64) -> CallId {
    let call = story.waits_for_heating(caller);
    story.pass(1_000);
    story.presses(call, '1');
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '1');
    story.pass(SPEAKS_MS + 100);
    call
}

fn ended(story: &Story, call: CallId) -> Option<CallbackEnd> {
    story.told.iter().find_map(|(_, fact)| match fact {
        Fact::CallbackEnded { call: id, how } if *id == call => Some(*how),
        _ => None,
    })
}

fn dials(story: &Story, to: u64) -> usize {
    story.asked_count(|output| matches!(output, Output::Line(ToLine::Dial { target: Target::Outside(number), .. }) if number.0 == to))
}

/// The operator picks up, and the resident rings.
fn operator_takes(story: &mut Story, call: CallId) -> LegId {
    let leg = story.rings_at("aigul");
    story.answers(leg);
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    LegId::caller(call)
}

#[test]
fn a_caller_keeps_the_place_without_a_line_and_is_called_once_an_operator_is_on_theirs() {
    let mut story = Story::new(city());
    let call = wants_a_callback(&mut story, 77);
    assert!(story.centre.legs().is_empty(), "the line is given up");
    assert_eq!((story.centre.calls_up(), story.centre.callbacks_standing()), (0, 1));
    let behind = story.waits_for_heating(78);
    story.pass(60_000);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "before who came later");
    let shown = |output: &Output| {
        matches!(output, Output::Desk(ToDesk::Offer { offer, .. })
            if offer.callback.as_ref().is_some_and(|back| (back.to, back.attempt, back.of) == (CallerRef(77), 1, 3)))
    };
    assert_eq!(story.asked_count(shown), 1);
    assert_eq!(dials(&story, 77), 0, "nobody is called to hear silence");
    let resident = operator_takes(&mut story, call);
    assert_eq!(dials(&story, 77), 1);
    story.answers(resident);
    assert_eq!(ended(&story, call), Some(CallbackEnd::Reached));
    let waited = story.told.iter().find_map(|(_, fact)| match fact {
        Fact::Connected { call: id, waited_ms, .. } if *id == call => Some(*waited_ms),
        _ => None,
    });
    assert!(waited.unwrap() > 66_000, "the whole wait counts: {waited:?}");
    let enqueued = story.told_count(|fact| matches!(fact, Fact::Enqueued { call: id, .. } if *id == call));
    assert_eq!(enqueued, 1, "offered once, answered once");
    story.hangs_up(call);
    story.hangs_up(behind);
    story.everything_is_released();
}

#[test]
fn nobody_is_overtaken_by_a_callback_and_a_callback_by_nobody() {
    let mut story = Story::new(city());
    let first = story.waits_for_heating(76);
    let second = wants_a_callback(&mut story, 77);
    let third = story.waits_for_heating(78);
    story.signs_in("aigul", &[1]);
    for (call, caller) in [(first, 76), (second, 77), (third, 78)] {
        story.pass(100);
        assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "{caller}");
        let leg = story.rings_at("aigul");
        story.answers(leg);
        story.pass(100);
        if call == second {
            story.answers(LegId::caller(call));
        }
        story.hangs_up(call);
        story.pass(20_100);
    }
    story.everything_is_released();
}

#[test]
fn who_is_not_reached_is_called_again_by_the_rule_and_then_owed() {
    let mut story = Story::new(city());
    story.signs_in("aigul", &[1]);
    story.pauses("aigul", "lunch");
    let call = wants_a_callback(&mut story, 77);
    story.desk(cityline::centre::input::FromDesk::Ready { agent: "aigul".into() });
    for attempt in 1..=3_u64 {
        story.pass(100);
        let resident = operator_takes(&mut story, call);
        assert_eq!(dials(&story, 77), attempt as usize);
        match attempt {
            1 => story.refuses(resident, 486),
            2 => story.pass(30_100),
            _ => story.refuses(resident, 404),
        }
        assert_eq!(story.agent("aigul"), AgentStatus::Ready, "the operator is free at once");
        if attempt < 3 {
            let why = story.centre.explain_wait(call).unwrap().callback.unwrap();
            assert!(matches!(why.held, Some(Held::Again { .. })) && u64::from(why.tries) == attempt, "{why:?}");
            story.pass(AGAIN_MS - 1_000);
            assert_eq!(dials(&story, 77), attempt as usize, "not before its time");
            story.pass(1_000);
        }
    }
    assert_eq!(ended(&story, call), Some(CallbackEnd::NotReached));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallbackOwed { call: id, .. } if *id == call)), 1);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Dequeued { how: QueueEnd::Failed, .. })), 1, "it flowed out, nobody gave up");
    story.everything_is_released();
}

/// Whoever waits and comes later is served while the callback has to wait, and the place of before is taken up again.
#[test]
fn a_callback_that_waits_for_its_next_time_holds_nobody_up() {
    let mut story = Story::new(city());
    story.signs_in("aigul", &[1]);
    story.pauses("aigul", "lunch");
    let call = wants_a_callback(&mut story, 77);
    story.desk(cityline::centre::input::FromDesk::Ready { agent: "aigul".into() });
    story.pass(100);
    let resident = operator_takes(&mut story, call);
    let later = story.waits_for_heating(78);
    story.refuses(resident, 486);
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(later));
    story.hangs_up(later);
    story.pauses("aigul", "lunch");
    let last = story.waits_for_heating(79);
    story.pass(AGAIN_MS);
    story.desk(cityline::centre::input::FromDesk::Ready { agent: "aigul".into() });
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "at the place of before");
    let resident = operator_takes(&mut story, call);
    story.answers(resident);
    story.hangs_up(call);
    story.hangs_up(last);
    story.everything_is_released();
}

#[test]
fn the_operator_who_goes_while_it_rings_costs_a_try_and_no_place() {
    let mut story = Story::new(city());
    story.signs_in("aigul", &[1]);
    story.pauses("aigul", "lunch");
    let call = wants_a_callback(&mut story, 77);
    story.desk(cityline::centre::input::FromDesk::Ready { agent: "aigul".into() });
    story.pass(100);
    operator_takes(&mut story, call);
    story.hangs_up_at_desk("aigul", call);
    let cancelled = |output: &Output| matches!(output, Output::Line(ToLine::CancelDial { leg }) if *leg == LegId::caller(call));
    assert_eq!(story.asked_count(cancelled), 1);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallbackTried { why: EndReason::OperatorHungUp, again_ms: Some(_), .. })), 1);
    assert_eq!(story.centre.callbacks_standing(), 1);
    story.pass(AGAIN_MS + 100);
    let resident = operator_takes(&mut story, call);
    story.answers(resident);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn one_number_has_one_callback_in_a_queue() {
    let mut story = Story::new(city());
    wants_a_callback(&mut story, 77);
    let again = wants_a_callback(&mut story, 77);
    let refused = |fact: &Fact| matches!(fact, Fact::CallbackRefused { why: CallbackRefusal::StandsAlready, .. });
    assert_eq!(story.told_count(refused), 1);
    let heard = |output: &Output| {
        matches!(output, Output::Media(ToMedia::Play { sounds, .. })
            if matches!(&sounds[..], [Sound::Prompt { id, .. }] if id.as_str() == "callback-stands-already"))
    };
    assert_eq!(story.asked_count(heard), 1, "they are told");
    story.pass(SPEAKS_MS + 100);
    assert_eq!(story.centre.callbacks_standing(), 1);
    assert!(story.centre.explain_wait(again).is_some(), "and wait on, if they like");
}

#[test]
fn who_calls_again_and_is_answered_is_not_called_back() {
    let mut story = Story::new(city());
    let call = wants_a_callback(&mut story, 77);
    let mut open = city();
    open.revision += 1;
    open.callbacks.calendar = Some("never".into());
    story.reload(open);
    story.signs_in("aigul", &[1]);
    let why = story.centre.explain_wait(call).unwrap().callback.unwrap();
    assert!(matches!(why.held, Some(Held::Hours { .. })), "nobody is called at this hour: {why:?}");
    let again = story.waits_for_heating(77);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(again));
    assert_eq!(ended(&story, call), Some(CallbackEnd::CalledAgain));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallbackOwed { .. })), 0);
    story.hangs_up(again);
    story.everything_is_released();
}

#[test]
fn a_keyed_number_is_confirmed_and_called() {
    let mut story = Story::new(city());
    let call = story.waits_for_heating(0);
    story.presses(call, '1');
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '1');
    assert_eq!(story.centre.callbacks_standing(), 0, "a withheld number cannot be called");
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '2');
    let begun = |order| move |output: &Output| matches!(output, Output::Keying { order: given, .. } if *given == order);
    assert_eq!(story.asked_count(begun(KeyingOrder::Begin)), 1);
    story.happens(Input::Keyed { call, keyed: Keyed::Key });
    story.pass(KEY_WAIT_MS);
    assert_eq!(story.asked_count(begun(KeyingOrder::Finish)), 1, "nothing more is keyed");
    story.happens(Input::Keyed { call, keyed: Keyed::Number(CallerRef(55)) });
    let spoken = |output: &Output| {
        matches!(output, Output::Media(ToMedia::Play { sounds, .. })
            if matches!(&sounds[..], [_, Sound::Number { number: CallerRef(55), .. }, _]))
    };
    assert_eq!(story.asked_count(spoken), 1);
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '1');
    story.hangs_up(call);
    assert_eq!(story.centre.callbacks_standing(), 1, "who hangs up amid the promise has it");
    story.signs_in("aigul", &[1]);
    story.pass(100);
    let resident = operator_takes(&mut story, call);
    assert_eq!(dials(&story, 55), 1);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Recall { number: CallerRef(55) })), 1);
    story.answers(resident);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn who_thinks_better_of_it_waits_on_at_the_same_place() {
    let mut story = Story::new(city());
    let call = story.waits_for_heating(77);
    let behind = story.waits_for_heating(78);
    story.presses(call, '1');
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '*');
    story.signs_in("aigul", &[1]);
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Dequeued { call: id, .. } if *id == call)), 0, "they never left");
    story.hangs_up(call);
    story.hangs_up(behind);
    story.everything_is_released();
}

#[test]
fn who_hangs_up_while_being_asked_gave_up() {
    let mut story = Story::new(city());
    let call = story.waits_for_heating(77);
    story.pass(5_000);
    story.presses(call, '1');
    story.hangs_up(call);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Dequeued { how: QueueEnd::Abandoned, .. })), 1);
    story.everything_is_released();
}

#[test]
fn no_more_are_promised_than_may_stand() {
    let mut city = city();
    city.callbacks.most = 1;
    let mut story = Story::new(city);
    wants_a_callback(&mut story, 77);
    wants_a_callback(&mut story, 78);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallbackRefused { why: CallbackRefusal::Full, .. })), 1);
    assert_eq!(story.centre.callbacks_standing(), 1);
}

#[test]
fn announcements_offer_it_after_a_while_over_the_music() {
    let mut city = city();
    city.queues.get_mut(&"heating".into()).unwrap().over_music = true;
    let mut story = Story::new(city);
    let call = story.waits_for_heating(77);
    story.pass(5_000);
    assert!(matches!(story.hears(call)[..], [Sound::Music { .. }] | [Sound::Bed { .. }, Sound::Position { .. }, ..]));
    story.pass(65_000);
    let offered = |output: &Output| {
        matches!(output, Output::Media(ToMedia::Play { sounds, .. })
            if matches!(sounds.first(), Some(Sound::Bed { .. }))
            && matches!(sounds.last(), Some(Sound::Prompt { id, .. }) if id.as_str() == "callback-offer"))
    };
    assert!(story.asked_count(offered) >= 1);
}

#[test]
fn a_full_queue_and_too_long_a_wait_may_lead_to_a_callback() {
    let mut city = city();
    let plan = city.numbers.values_mut().next().unwrap();
    for (name, known) in &mut plan.steps {
        if let Action::Queue { overflow, .. } = &mut known.action
            && name.as_str() == "heating"
        {
            *overflow = Some("callback".into());
        }
    }
    city.queues.get_mut(&"heating".into()).unwrap().max_wait_ms = 30_000;
    let mut story = Story::new(city);
    let call = story.waits_for_heating(77);
    story.pass(30_000 + SPEAKS_MS);
    story.presses(call, '1');
    story.pass(SPEAKS_MS + 100);
    assert_eq!(story.centre.callbacks_standing(), 1);
    let kept = story.told.iter().find_map(|(at, fact)| match fact {
        Fact::CallbackStands { waiting_since_ms, .. } => Some(at.0 - waiting_since_ms),
        _ => None,
    });
    assert!(kept.unwrap() >= 30_000, "with the age of the wait");
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Dequeued { .. })), 0);
}

#[test]
fn an_automatic_callback_asks_no_operator() {
    let mut city = with(city(), "aigul", operator(&["ru", "heating"], HEADSET));
    city.callbacks.automatic = true;
    let mut story = Story::new(city);
    let call = wants_a_callback(&mut story, 77);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    story.desk(cityline::centre::input::FromDesk::OfferShown { agent: "aigul".into(), call });
    story.pass(100);
    let resident = operator_takes(&mut story, call);
    story.answers(resident);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_callback_outlives_the_process_and_is_not_dialled_twice() {
    let mut story = Story::new(city());
    story.signs_in("aigul", &[1]);
    story.pauses("aigul", "lunch");
    let call = wants_a_callback(&mut story, 77);
    story.restarts(2_000);
    story.pass(15_000);
    assert_eq!(story.centre.callbacks_standing(), 1);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    let resident = operator_takes(&mut story, call);
    assert_eq!(dials(&story, 77), 1);
    // The process ends while it rings: that was a try.
    story.restarts(2_000);
    story.happens(Input::LegGone { leg: resident });
    story.pass(15_000);
    assert_eq!(dials(&story, 77), 1, "not again before its time");
    story.signs_in("aigul", &[1]);
    story.pass(AGAIN_MS - 10_000);
    let resident = operator_takes(&mut story, call);
    assert_eq!(dials(&story, 77), 2);
    story.answers(resident);
    assert_eq!(ended(&story, call), Some(CallbackEnd::Reached));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn an_orderly_end_keeps_callbacks_for_the_next_process() {
    let mut story = Story::new(city());
    let call = wants_a_callback(&mut story, 77);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.happens(Input::DrainStarted);
    story.happens(Input::Stopping);
    assert_eq!((story.centre.calls_up(), story.centre.callbacks_standing()), (0, 1));
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallbackEnded { .. } | Fact::CallbackOwed { .. })), 0);
    story.restarts(60_000);
    story.pass(75_000);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    let resident = operator_takes(&mut story, call);
    story.answers(resident);
    story.hangs_up(call);
    story.everything_is_released();
}

/// A caller with a withheld number keys this one, and is reached there.
pub fn is_reached_at(story: &mut Story, number: u64) -> CallId {
    let call = story.waits_for_heating(0);
    for key in ['1', '2'] {
        story.presses(call, key);
        story.pass(SPEAKS_MS + 100);
    }
    story.happens(Input::Keyed { call, keyed: Keyed::Number(CallerRef(number)) });
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '1');
    story.hangs_up(call);
    story.signs_in("aigul", &[1]);
    story.pass(100);
    let resident = operator_takes(story, call);
    story.answers(resident);
    call
}

/// At night fifty callbacks stand, and somebody calls whom the one operator could take at once.
#[test]
fn callbacks_that_nobody_may_call_yet_take_no_room_and_no_place_from_who_is_on_the_line() {
    let mut night = city();
    night.callbacks.calendar = Some("never".into());
    night.queues.get_mut(&"heating".into()).unwrap().max_waiting = 2;
    let mut story = Story::new(night);
    for caller in 70..75 {
        wants_a_callback(&mut story, caller);
    }
    assert_eq!(story.centre.callbacks_standing(), 5);
    let first = story.waits_for_heating(80);
    let second = story.waits_for_heating(81);
    let full = story.waits_for_heating(82);
    assert!(!story.steps(first).contains(&"busy".to_owned()) && !story.steps(second).contains(&"busy".to_owned()));
    assert!(story.steps(full).contains(&"busy".to_owned()), "two on the line fill it");
    story.pass(6_000);
    let place = |call| {
        let of = |fact: &Fact| match fact {
            Fact::PlaceTold { call: id, place, .. } if *id == call => Some(*place),
            _ => None,
        };
        story.told.iter().rev().find_map(|(_, fact)| of(fact))
    };
    assert_eq!((place(first), place(second)), (Some(1), Some(2)), "nobody stands before them whom anybody may call");
    story.signs_in("aigul", &[1]);
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(first));
}
