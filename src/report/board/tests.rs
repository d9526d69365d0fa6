//! Does the board say what happened, by the definitions, in bounded memory?
#![allow(clippy::unwrap_used)]
use super::*;
use crate::centre::ids::{CallerRef, Language, TrunkId};

const QUEUE: &str = "heating";

fn scene(queues: &[&str]) -> Scene {
    let queues = queues.iter().map(|queue| (QueueId::from(*queue), QueueScene::default()));
    Scene { queues: queues.collect(), ..Scene::default() }
}

fn start(board: &mut Board, call: u64, at: u64) {
    let fact = Fact::CallStarted { call: CallId(call), number: "109".into(), trunk: TrunkId::from("city"), caller: CallerRef(call) };
    board.apply(Time(at), &fact);
}

fn enqueue(board: &mut Board, call: u64, at: u64) {
    board.apply(Time(at), &Fact::Enqueued { call: CallId(call), queue: QUEUE.into(), language: Language::Kk, skills: vec![] });
}

fn offer(board: &mut Board, call: u64, at: u64) {
    board.apply(Time(at), &Fact::Offered { call: CallId(call), queue: QUEUE.into(), agent: "aigul".into(), why: Default::default() });
    board.apply(Time(at), &Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Offered(CallId(call)) });
}

fn leave(board: &mut Board, call: u64, at: u64, how: QueueEnd, waited_ms: u64) {
    board.apply(Time(at), &Fact::Dequeued { call: CallId(call), queue: QUEUE.into(), how, waited_ms });
}

#[test]
fn a_missed_offer_leaves_the_caller_waiting_since_the_same_moment() {
    let mut board = Board::new(Time(0));
    start(&mut board, 1, 10);
    enqueue(&mut board, 1, 100);
    offer(&mut board, 1, 200);
    let view = board.view(Time(250));
    assert_eq!((view.calls[0].state, view.calls[0].with.as_deref()), ("offered", Some("aigul")));
    assert_eq!((view.queues[0].waiting, view.queues[0].longest_since_ms), (1, Some(100)));
    board.apply(Time(300), &Fact::OfferEnded { call: CallId(1), agent: "aigul".into(), how: OfferEnd::NoAnswer });
    let view = board.view(Time(350));
    assert_eq!((view.calls[0].state, view.calls[0].since_ms, view.today.offers_missed), ("waiting", 100, 1));
}

#[test]
fn every_queue_of_the_settings_stands_there_and_a_dropped_one_until_its_callers_are_gone() {
    let named = |board: &Board| board.view(Time(0)).queues.iter().map(|queue| queue.queue.to_string()).collect::<Vec<_>>();
    let mut board = Board::new(Time(0));
    board.set_scene(scene(&[QUEUE, "roads"]));
    assert_eq!(named(&board), [QUEUE, "roads"]);
    start(&mut board, 1, 10);
    enqueue(&mut board, 1, 100);
    board.set_scene(scene(&["lifts"]));
    assert_eq!(named(&board), [QUEUE, "lifts"]);
    leave(&mut board, 1, 200, QueueEnd::Abandoned, 100);
    board.start_day(Time(300));
    board.set_scene(scene(&["lifts"]));
    assert_eq!(named(&board), ["lifts"]);
}

#[test]
fn counts_follow_the_definitions() {
    let mut board = Board::new(Time(0));
    for (call, how, waited) in [
        (1, QueueEnd::Answered, 20_000),
        (2, QueueEnd::Answered, 20_001),
        (3, QueueEnd::Abandoned, 4_999),
        (4, QueueEnd::Abandoned, 5_000),
        (5, QueueEnd::Overflowed, 90_000),
    ] {
        start(&mut board, call, 0);
        enqueue(&mut board, call, 0);
        leave(&mut board, call, waited, how, waited);
    }
    let expected = Waits {
        offered: 5,
        answered: 2,
        answered_in_target: 1,
        abandoned: 2,
        abandoned_short: 1,
        abandoned_in_target: 2,
        flowed_out: 1,
        waited_ms: 40_001,
        all_waited_ms: 140_000,
        longest_ms: 90_000,
    };
    assert_eq!(board.view(Time(0)).queues[0].counts, expected);
    assert_eq!(board.view(Time(0)).today.queues, expected);
    board.start_day(Time(100_000));
    assert_eq!(board.view(Time(0)).today, Today::default());
    assert_eq!(board.view(Time(0)).calls_up, 5, "a new day ends no call");
}

#[test]
fn a_talk_is_shown_with_its_operator_and_ends_in_the_list_of_the_last() {
    let mut board = Board::new(Time(0));
    start(&mut board, 1, 10);
    enqueue(&mut board, 1, 100);
    offer(&mut board, 1, 200);
    board.apply(Time(300), &Fact::Connected { call: CallId(1), queue: QUEUE.into(), agent: "aigul".into(), waited_ms: 200 });
    leave(&mut board, 1, 300, QueueEnd::Answered, 200);
    board.apply(Time(300), &Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Talking(CallId(1)) });
    let view = board.view(Time(400));
    assert_eq!((view.calls[0].state, view.queues[0].waiting), ("talking", 0));
    assert_eq!((view.operators[0].state, view.operators[0].answered, view.operators[0].call), ("talking", 1, Some(CallId(1))));
    board.apply(Time(900), &Fact::CallEnded { call: CallId(1), reason: EndReason::CallerHungUp });
    let view = board.view(Time(900));
    assert_eq!((view.calls_up, view.last[0].reason, view.today.ended[&EndReason::CallerHungUp]), (0, "caller_hung_up", 1));
}

#[test]
fn a_hundred_thousand_calls_leave_nothing_behind_but_the_last_twenty() {
    let mut board = Board::new(Time(0));
    for call in 0..100_000 {
        start(&mut board, call, call);
        enqueue(&mut board, call, call);
        // A queue that never told of the leaving: the end of the call must be enough.
        board.apply(Time(call), &Fact::CallEnded { call: CallId(call), reason: EndReason::Interrupted });
    }
    assert_eq!((board.calls.len(), board.ended.len(), board.queues.len()), (0, LAST_KEPT, 1));
    assert!(board.queues.values().all(|queue| queue.waiting.is_empty()));
}

fn person(board: &mut Board, state: AgentStatus, at: u64) {
    board.apply(Time(at), &Fact::AgentChanged { agent: "aigul".into(), state });
}

#[test]
fn a_window_tells_the_last_minutes_alone_and_whoever_is_late_already() {
    let mut board = Board::new(Time(0));
    board.set_scene(Scene { window_minutes: 30, ..scene(&[QUEUE]) });
    for (call, ended, how, waited) in
        [(1, 60_000, QueueEnd::Answered, 1_000), (2, 1_900_000, QueueEnd::Answered, 30_000), (3, 1_900_000, QueueEnd::Answered, 10_000)]
    {
        start(&mut board, call, ended - waited);
        enqueue(&mut board, call, ended - waited);
        leave(&mut board, call, ended, how, waited);
    }
    start(&mut board, 4, 1_950_000);
    enqueue(&mut board, 4, 1_950_000);
    let window = |now| board.view(Time(now)).queues[0].window.clone();
    let figures = window(1_960_000);
    assert_eq!(
        (figures.level, figures.average_answer_ms, figures.entered),
        (Some(5_000), Some(20_000), 3),
        "call 4 has time, call 1 is long ago"
    );
    assert_eq!(window(1_970_001).level, Some(3_333), "call 4 is late, whatever becomes of it");
    let behind = board.behind(&QUEUE.into(), Time(1_960_000)).unwrap();
    let told: Vec<_> = behind.iter().map(|view| (view.call.0, view.outcome, view.in_target)).collect();
    assert_eq!(told, [(4, Outcome::Waiting, true), (3, Outcome::Answered, true), (2, Outcome::Answered, false)]);
    let strip = board.view(Time(1_960_000)).strip;
    assert_eq!((strip.len(), strip.iter().map(|span| (span.entered, span.ended)).max()), (7, Some((3, 2))));
}

#[test]
fn handling_is_from_the_talk_to_the_end_of_wrap_up_and_counts_for_the_queue() {
    let mut board = Board::new(Time(0));
    let heating = QueueScene { skills: ["heating".into()].into(), ..QueueScene::default() };
    let people = [("aigul".into(), [("heating".into(), 7)].into())].into();
    board.set_scene(Scene { queues: [(QUEUE.into(), heating)].into(), people, ..Scene::default() });
    person(&mut board, AgentStatus::Ready, 0);
    start(&mut board, 1, 50_000);
    enqueue(&mut board, 1, 50_000);
    offer(&mut board, 1, 60_000);
    board.apply(Time(70_000), &Fact::Connected { call: CallId(1), queue: QUEUE.into(), agent: "aigul".into(), waited_ms: 20_000 });
    leave(&mut board, 1, 70_000, QueueEnd::Answered, 20_000);
    person(&mut board, AgentStatus::Talking(CallId(1)), 70_000);
    let view = board.view(Time(80_000));
    assert_eq!((view.queues[0].staff.talking, view.operators[0].queue.clone()), (1, Some(QUEUE.into())));
    assert_eq!(view.operators[0].skills.values().collect::<Vec<_>>(), [&7]);
    person(&mut board, AgentStatus::WrapUp, 160_000);
    board.apply(Time(160_000), &Fact::CallEnded { call: CallId(1), reason: EndReason::CallerHungUp });
    person(&mut board, AgentStatus::Ready, 190_000);
    let window = board.view(Time(240_000)).queues[0].window.clone();
    assert_eq!((window.handled, window.average_handling_ms), (1, Some(120_000)));
    assert_eq!(window.occupancy, Some(5_000), "120 s of 240 s");
    assert_eq!(board.behind(&QUEUE.into(), Time(240_000)).unwrap()[0].operator, Some("aigul".into()));
    board.apply(Time(240_000), &Fact::ShiftChanged { agent: "aigul".into(), is_on: false, shifts: vec![] });
    assert_eq!(board.view(Time(240_000)).queues[0].staff, Staff::default(), "who is off shift serves no queue");
}

#[test]
fn whoever_a_supervisor_takes_from_a_queue_today_is_none_of_its_staff_and_whoever_is_lent_to_it_is() {
    let mut board = Board::new(Time(0));
    let queue = QueueScene { skills: ["heating".into()].into(), ..QueueScene::default() };
    let people = [("aigul", "heating"), ("nina", "roads")];
    let people = people.map(|(who, skill)| (AgentId::from(who), [(skill.into(), 5)].into()));
    board.set_scene(Scene { queues: [(QUEUE.into(), queue)].into(), people: people.into(), ..Scene::default() });
    for agent in ["aigul", "nina"] {
        board.apply(Time(5), &Fact::AgentChanged { agent: agent.into(), state: AgentStatus::Ready });
    }
    let ready = |board: &Board| board.view(Time(10)).queues[0].staff.ready;
    assert_eq!(ready(&board), 1);
    let today = |agent: &str, level: u8, queues: &[(&str, bool)]| Fact::AbleToday {
        agent: agent.into(),
        levels: [("heating".into(), level)].into(),
        queues: queues.iter().map(|(queue, member)| ((*queue).into(), *member)).collect(),
        until_ms: None,
    };
    board.apply(Time(11), &today("aigul", 0, &[]));
    assert_eq!(ready(&board), 0, "nobody is left who can");
    board.apply(Time(12), &today("nina", 4, &[]));
    assert_eq!(ready(&board), 1);
    board.apply(Time(13), &today("nina", 4, &[(QUEUE, false)]));
    assert_eq!(ready(&board), 0, "she could, and gets none of its calls");
}

#[test]
fn a_talk_that_ends_for_the_operator_alone_is_no_talk_any_more() {
    let mut board = Board::new(Time(0));
    start(&mut board, 1, 10);
    enqueue(&mut board, 1, 100);
    offer(&mut board, 1, 200);
    leave(&mut board, 1, 300, QueueEnd::Answered, 200);
    let connected = Fact::Connected { call: CallId(1), queue: QUEUE.into(), agent: "aigul".into(), waited_ms: 200 };
    board.apply(Time(300), &connected);
    board.apply(Time(300), &Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Talking(CallId(1)) });
    board.apply(Time(400), &Fact::AgentChanged { agent: "aigul".into(), state: AgentStatus::Paused("evacuation".into()) });
    let view = board.view(Time(450));
    assert_eq!((view.calls[0].state, view.calls[0].with.as_deref(), view.calls[0].since_ms), ("plan", None, 400));
    let party = Party::Outside("112".into());
    board.apply(Time(500), &Fact::LegStarted { leg: crate::centre::ids::LegId { call: CallId(1), n: 2 }, party });
    assert_eq!(board.view(Time(550)).calls[0].state, "outside");
}
