//! Does the database hold what happened, exactly once, whatever failed on the way?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cityline_bases::{Base, Kind, on_both};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

mod opening;
mod outbox;

use super::statement::{query_each, query_made};
use super::*;
use crate::caller::CallerSeen;
use crate::centre::explanation::{Explanation, Merits, Rule, Verdict};
use crate::centre::fact::{AgentStatus, Chosen, ConsultEnd, EndReason, Fact, OfferEnd, Party, QueueEnd};
use crate::centre::ids::{
    AgentId, CallId, CallTo, CallerRef, Language, LegId, NumberId, PauseReason, QueueId, RecordingId, StepId, TrunkId,
};
use crate::centre::shift::Wanted;
use crate::centre::time::Time;
use crate::private::Private;

on_both!(
    a_call_that_was_handed_on_is_one_row_with_a_leg_for_each_part,
    a_call_to_a_resident_is_kept_with_who_made_it,
    a_call_is_found_with_all_that_happened_in_it,
    batches_given_twice_and_cut_anywhere_make_the_same_rows,
    a_failure_in_the_middle_of_a_batch_writes_nothing,
    an_operators_intervals_touch_without_gap_or_overlap,
    a_callback_is_owed_until_it_was_made_once,
    a_callback_stands_until_it_has_ended,
    passwords_are_checked_and_accounts_replaced,
    who_calls_twice_in_a_batch_is_kept_once_with_the_last_number,
    text_that_a_database_cannot_hold_stops_nothing,
    #[ignore = "a measurement"]
    projection_cost,
);

/// A folder with a database, and what goes with it.
pub(super) struct Folder {
    path: PathBuf,
    base: Base,
}

impl Folder {
    pub fn new(kind: Kind, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("cityline-store-{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(unique);
        let _ = std::fs::remove_dir_all(&path);
        let base = Base::migrated(kind, &path, |address| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let db = db::Db::open(&address).await.unwrap();
                db.prepare().await.unwrap();
                db.close().await;
            });
        });
        Self { path, base }
    }

    /// The database's address, as the settings have it.
    pub fn address(&self) -> &str {
        &self.base.address
    }

    /// Where recordings would lie.
    pub fn recordings(&self) -> PathBuf {
        self.path.join("recordings")
    }

    /// Where evidence lies.
    pub fn evidence(&self) -> PathBuf {
        self.path.join("evidence")
    }

    pub async fn open(&self) -> Result<Store, StoreError> {
        Store::open_at(self.address(), self.recordings()).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn why() -> Explanation {
    let verdicts = vec![
        (AgentId::from("aigul"), Verdict::Chosen { idle_ms: 900, merits: Merits::default() }),
        (AgentId::from("olena"), Verdict::NotReady { state: "paused".into() }),
    ];
    Explanation { rule: Rule::LongestIdle, needed: vec![Language::Ru.skill()], verdicts, ..Explanation::default() }
}

/// The records of one whole call: 109, Russian, heating, offered, talked, recorded. Fifteen records from `first` on.
fn whole_call(number: u64, first: u64, start: u64) -> Vec<Projected> {
    let call = CallId(number);
    let caller = CallerRef(number % 500 + 1);
    let (resident, operator) = (LegId::caller(call), LegId { call, n: 1 });
    let (queue, agent) = (QueueId::from("heating"), AgentId::from(format!("agent-{}", number % 30)));
    let recording = RecordingId { call, n: 1 };
    let steps: Vec<Vec<Fact>> = vec![
        vec![
            Fact::CallStarted { call, number: NumberId::from("109"), trunk: TrunkId::from("city"), caller },
            Fact::LegStarted { leg: resident, party: Party::Resident },
        ],
        vec![Fact::CallAnswered { call }, Fact::LegAnswered { leg: resident }, Fact::StepEntered { call, step: StepId::from("greeting") }],
        vec![
            Fact::KeyPressed { call, step: StepId::from("language"), key: '2' },
            Fact::LanguageChosen { call, caller, language: Language::Ru, how: Chosen::Key },
            Fact::StepEntered { call, step: StepId::from("menu") },
        ],
        vec![
            Fact::KeyPressed { call, step: StepId::from("menu"), key: '1' },
            Fact::TopicChosen { call, topic: "heating".into() },
            Fact::StepEntered { call, step: StepId::from("heating") },
            Fact::Enqueued { call, queue: queue.clone(), language: Language::Ru, skills: vec![Language::Ru.skill(), "heating".into()] },
        ],
        vec![Fact::PlaceTold { call, queue: queue.clone(), place: 2, minutes: Some(5) }],
        vec![
            Fact::Offered { call, queue: queue.clone(), agent: agent.clone(), why: why() },
            Fact::AgentChanged { agent: agent.clone(), state: AgentStatus::Offered(call) },
            Fact::LegStarted { leg: operator, party: Party::Agent(agent.clone()) },
        ],
        vec![Fact::OfferShown { call, agent: agent.clone() }],
        vec![
            Fact::LegAnswered { leg: operator },
            Fact::OfferEnded { call, agent: agent.clone(), how: OfferEnd::Answered },
            Fact::Connected { call, queue: queue.clone(), agent: agent.clone(), waited_ms: 400 },
            Fact::Dequeued { call, queue: queue.clone(), how: QueueEnd::Answered, waited_ms: 400 },
            Fact::AgentChanged { agent: agent.clone(), state: AgentStatus::Talking(call) },
            Fact::RecordingStarted { recording, agent: Some(agent.clone()) },
        ],
        vec![
            Fact::LegEnded { leg: resident, reason: EndReason::CallerHungUp },
            Fact::LegEnded { leg: operator, reason: EndReason::CallerHungUp },
            Fact::AgentChanged { agent: agent.clone(), state: AgentStatus::WrapUp },
            Fact::CallEnded { call, reason: EndReason::CallerHungUp },
        ],
        vec![Fact::RecordingEnded { recording, length_ms: 60_000, lost_ms: 0 }],
        vec![
            Fact::ShiftOrdered {
                agent: agent.clone(),
                wanted: Wanted::Moved { to: "night".into() },
                until_ms: start + 9_000,
                by: "boss".into(),
                reason: "two are ill".into(),
            },
            Fact::ShiftChanged { agent: agent.clone(), is_on: true, shifts: vec!["night".into(), "late".into()] },
            Fact::AgentChanged { agent, state: AgentStatus::Ready },
        ],
    ];
    let record = |(at, facts)| Projected { position: Position(first + at), at: Time(start + at * 100), facts };
    (0..).zip(steps).map(record).collect()
}

/// What the projection writes: tables, and the columns by which their rows are in order.
const PROJECTED: [(&str, &str, &str); 15] = [
    (
        "calls",
        "id",
        "id, number, trunk, caller, language, topic, queue, agent, started_ms, answered_ms, connected_ms, waited_ms, ended_ms, end_reason, \
         called_out_by",
    ),
    ("legs", "call_id, n", "call_id, n, party, name, started_ms, answered_ms, ended_ms, end_reason, sound_lost, role, partner_ms"),
    ("queue_events", "call_id, position, place", "call_id, position, place, queue, language, skills, entered_ms, left_ms, how, waited_ms"),
    ("offers", "call_id, position, place", "call_id, position, place, queue, agent, why, offered_ms, shown_ms, ended_ms, how"),
    ("agent_states", "agent, position, place", "agent, position, place, state, reason, call_id, from_ms, until_ms"),
    ("steps", "call_id, position, place", "call_id, position, place, step, key, at_ms"),
    ("call_events", "call_id, position, place", "call_id, position, place, what, agent, leg, party, name, at_ms"),
    ("recordings", "call_id, n", "call_id, n, path, agent, started_ms, length_ms, lost_ms"),
    ("callers", "caller", "caller, number, name, language, first_ms, last_ms"),
    ("callbacks", "call_id", "call_id, caller, queue, waiting_since_ms, owed_ms, done_ms"),
    (
        "callback_wishes",
        "call_id",
        "call_id, caller, queue, language, waiting_since_ms, stood_ms, tries, dialled_ms, again_ms, ended_ms, how",
    ),
    ("shift_orders", "position, place", "position, place, agent, wanted, shift, until_ms, by_name, reason, at_ms"),
    ("orders", "position, place", "position, place, kind, target, what, until_ms, by_name, reason, at_ms, refused"),
    ("shift_changes", "position, place", "position, place, agent, is_on, shifts, at_ms"),
    ("projections", "name", "name, position"),
];

/// Everything that the projection wrote, as text; the same on both databases.
async fn all_rows(store: &Store) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, order, columns) in PROJECTED {
        let texts: Vec<_> = columns.split(", ").map(|column| format!("COALESCE(CAST({} AS TEXT), '-')", column.trim())).collect();
        let text = format!("SELECT {} FROM {table} ORDER BY {order}", texts.join(" || '|' || "));
        let found: Vec<(String,)> = query_made(text).fetch_all(store.db.readers()).await.unwrap();
        rows.extend(found.into_iter().map(|(row,)| format!("{table}: {row}")));
    }
    rows
}

/// One story: who was asked, who took over, what each leg was and from when until when.
async fn a_call_that_was_handed_on_is_one_row_with_a_leg_for_each_part(kind: Kind) {
    let folder = Folder::new(kind, "handed-on");
    let store = folder.open().await.unwrap();
    let mut records = whole_call(7, 1, 1_000);
    let (call, olena) = (CallId(7), Party::Agent("olena".into()));
    let agent = AgentId::from("agent-7");
    let leg = LegId { call, n: 2 };
    let talk = records.get_mut(7).unwrap();
    talk.facts.extend([
        Fact::Held { leg: LegId { call, n: 1 }, held: true },
        Fact::ConsultStarted { call, agent: agent.clone(), with: olena.clone() },
        Fact::LegStarted { leg, party: olena.clone() },
        Fact::Joined { leg, party: olena.clone(), role: crate::centre::fact::Role::Consultant },
        Fact::ConsultEnded { call, agent: agent.clone(), how: ConsultEnd::Completed },
        Fact::LegEnded { leg: LegId { call, n: 1 }, reason: EndReason::Transferred },
        Fact::Joined { leg, party: olena, role: crate::centre::fact::Role::Partner },
    ]);
    // In two batches, so that rows are filled in later too.
    store.project(&records[..8]).await.unwrap();
    let end = Fact::LegEnded { leg, reason: EndReason::CallerHungUp };
    records.get_mut(8).unwrap().facts = vec![end, Fact::CallEnded { call, reason: EndReason::CallerHungUp }];
    store.project(&records).await.unwrap();
    let detail = store.call(call).await.unwrap().unwrap();
    let what: Vec<&str> = detail.events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what, ["held", "consult", "joined_consultant", "consult_completed", "joined_partner"]);
    assert_eq!((detail.events[1].agent.as_deref(), detail.events[1].name.as_deref()), (Some("agent-7"), Some("olena")));
    let legs: Vec<_> = detail
        .legs
        .iter()
        .map(|leg| (leg.name.as_deref(), leg.role.as_deref(), leg.partner_ms, leg.ended_ms, leg.end_reason.as_deref()))
        .collect();
    assert_eq!(legs[1], (Some("agent-7"), None, None, Some(1_700), Some("transferred")));
    assert_eq!(legs[2], (Some("olena"), Some("partner"), Some(1_700), Some(1_800), Some("caller_hung_up")));
    assert_eq!((detail.call.agent.as_deref(), detail.call.called_out_by), (Some("agent-7"), None), "who answered stays who answered");
}

async fn a_call_to_a_resident_is_kept_with_who_made_it(kind: Kind) {
    let folder = Folder::new(kind, "called-out");
    let store = folder.open().await.unwrap();
    let call = CallId(9);
    let number = CallerRef(u64::MAX - 3);
    let facts = vec![
        Fact::CalledOut { call, number: "109".into(), caller: number, agent: "aigul".into(), queue: "heating".into() },
        Fact::LegStarted { leg: LegId { call, n: 2 }, party: Party::Number(number) },
        Fact::Transferred { call, agent: "aigul".into(), to: CallTo::Outside(number) },
        Fact::TransferFailed { call, queue: "heating".into(), how: OfferEnd::NoAnswer },
        Fact::TakenOver { call, agent: "saule".into(), from: "aigul".into() },
        Fact::CallEnded { call, reason: EndReason::NotReached },
    ];
    store.project(&[Projected { position: Position(1), at: Time(500), facts }]).await.unwrap();
    let detail = store.call(call).await.unwrap().unwrap();
    assert_eq!(detail.call.agent, None, "nobody has answered");
    let answered = |position| Projected { position: Position(position), at: Time(600), facts: vec![Fact::CallAnswered { call }] };
    store.project(&[answered(2)]).await.unwrap();
    assert_eq!(store.call(call).await.unwrap().unwrap().call.agent.as_deref(), Some("aigul"));
    assert_eq!((detail.call.called_out_by.as_deref(), detail.call.trunk, detail.call.started_ms), (Some("aigul"), None, Some(500)));
    let reference = Some("-4");
    assert_eq!(detail.legs.first().and_then(|leg| leg.name.as_deref()), reference, "the reference as callers has it");
    let about: Vec<_> = detail.events.iter().map(|event| (event.what.as_str(), event.name.as_deref())).collect();
    assert_eq!(about, [("transfer", reference), ("transfer_failed", Some("heating")), ("taken_over", Some("aigul"))]);
}

async fn a_call_is_found_with_all_that_happened_in_it(kind: Kind) {
    let folder = Folder::new(kind, "detail");
    let store = folder.open().await.unwrap();
    assert_eq!(store.position().await.unwrap(), None);
    let caller = CallerRef(8);
    let number = Private::new("+77010000045".to_owned());
    store.remember_callers(&[CallerSeen { caller, number: number.clone(), name: None, at: Time(5) }]).await.unwrap();
    assert_eq!(store.project(&whole_call(7, 1, 1_000)).await.unwrap(), Some(Position(11)));

    let detail = store.call(CallId(7)).await.unwrap().unwrap();
    assert_eq!((detail.call.language.as_deref(), detail.call.topic.as_deref()), (Some("ru"), Some("heating")));
    assert_eq!((detail.call.waited_ms, detail.call.end_reason.as_deref()), (Some(400), Some("caller_hung_up")));
    assert_eq!(detail.caller, Some(number.clone()));
    assert_eq!(detail.legs.len(), 2);
    assert_eq!(detail.queue_events[0].how.as_deref(), Some("answered"));
    assert_eq!(detail.offers[0].why.0, why());
    assert_eq!((detail.offers[0].shown_ms, detail.offers[0].how.as_deref()), (Some(1_600), Some("answered")));
    assert_eq!(detail.steps.len(), 5);
    assert_eq!(detail.recordings[0].path, "000000/7-1.wav");
    assert_eq!(store.calls(&CallFilter::default()).await.unwrap().len(), 1);

    assert_eq!(store.known(caller, CallId(u32::MAX.into()), Time(0)).await.unwrap().language, Some(Language::Ru));
    assert_eq!(store.known(CallerRef(0), CallId(u32::MAX.into()), Time(0)).await.unwrap().language, None);
    let orders = store.shift_orders().await.unwrap();
    let told: Vec<(&str, &str, Option<&str>, &str)> =
        orders.iter().map(|order| (order.agent.as_str(), order.wanted.as_str(), order.shift.as_deref(), order.by_name.as_str())).collect();
    assert_eq!(told, [("agent-7", "moved", Some("night"), "boss")]);
    let known = async |call: u64, at: u64| store.known(caller, CallId(call), Time(at)).await.unwrap();
    assert_eq!(known(8, 2_000).await.last_operator, Some("agent-7".into()));
    let day = 24 * 3_600_000;
    assert!(known(8, 2_000).await.called_lately && !known(7, 2_000).await.called_lately, "the call itself is none");
    assert!(!known(8, 1_000 + day).await.called_lately, "a day ago");
    let story = store.story(caller).await.unwrap();
    assert_eq!((story.number, story.calls.len(), story.cases.len()), (Some(number), 1, 0));
}

/// However the records are cut into batches, and however often a batch is given again: the same rows.
async fn batches_given_twice_and_cut_anywhere_make_the_same_rows(kind: Kind) {
    let drawn = (prop::collection::vec(1usize..9, 1..40), any::<bool>());
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() });
    // The runner wants a plain function; what it calls wants a runtime that is not the test's.
    let ran = tokio::task::spawn_blocking(move || {
        runner.run(&drawn, |(cuts, again)| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(cut_anywhere(kind, &cuts, again));
            Ok(())
        })
    });
    ran.await.unwrap().unwrap();
}

async fn cut_anywhere(kind: Kind, cuts: &[usize], again: bool) {
    let mut records: Vec<Projected> = (0..4).flat_map(|n| whole_call(n * 30 + 1, 1 + n * 11, 1_000 + n * 5_000)).collect();
    let owed =
        Fact::CallbackOwed { call: CallId(1), caller: CallerRef(2), queue: "heating".into(), language: Language::Ru, waiting_since_ms: 10 };
    records.push(Projected { position: Position(100), at: Time(90_000), facts: vec![owed] });
    let (whole, pieces) = (Folder::new(Kind::Sqlite, "whole"), Folder::new(kind, "pieces"));
    let at_once = whole.open().await.unwrap();
    at_once.project(&records).await.unwrap();
    let mut store = pieces.open().await.unwrap();
    let mut rest = &records[..];
    let mut from = 0;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (batch, others) = rest.split_at((*cut).min(rest.len()));
        store.project(batch).await.unwrap();
        if again {
            // The process dies after the commit, before anybody heard of it: the tail begins too early.
            store.close().await;
            store = pieces.open().await.unwrap();
            store.project(&records[from..from + batch.len()]).await.unwrap();
        }
        from += batch.len();
        rest = others;
    }
    assert_eq!(all_rows(&store).await, all_rows(&at_once).await);
    store.close().await;
}

async fn a_failure_in_the_middle_of_a_batch_writes_nothing(kind: Kind) {
    let folder = Folder::new(kind, "failure");
    let store = folder.open().await.unwrap();
    let records = whole_call(1, 1, 1_000);
    store.project(&records[..3]).await.unwrap();
    let before = all_rows(&store).await;
    // Neither knows the other's language of triggers.
    let refuse = query_each(
        "CREATE TRIGGER full_disk BEFORE INSERT ON recordings BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
        "DO $$ BEGIN \
           CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''disk is full''; END'; \
           CREATE TRIGGER full_disk BEFORE INSERT ON recordings FOR EACH ROW EXECUTE FUNCTION full_disk(); \
         END $$",
    );
    refuse.execute(store.db.writer()).await.unwrap();
    let error = store.project(&records).await.unwrap_err();
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert_eq!(all_rows(&store).await, before);
    query_each("DROP TRIGGER full_disk", "DROP TRIGGER full_disk ON recordings").execute(store.db.writer()).await.unwrap();
    assert_eq!(store.project(&records).await.unwrap(), Some(Position(11)));
}

async fn an_operators_intervals_touch_without_gap_or_overlap(kind: Kind) {
    let folder = Folder::new(kind, "intervals");
    let store = folder.open().await.unwrap();
    let agent = AgentId::from("agent-1");
    let records: Vec<_> = (0..40).flat_map(|n| whole_call(n * 30 + 1, 1 + n * 11, n * 4_000)).collect();
    for batch in records.chunks(7) {
        store.project(batch).await.unwrap();
    }
    let pause = Fact::AgentChanged { agent: agent.clone(), state: AgentStatus::Paused(PauseReason::from("lunch")) };
    store.project(&[Projected { position: Position(9_000), at: Time(200_000), facts: vec![pause] }]).await.unwrap();
    let intervals = store.agent_intervals(&agent, Time(0), Time(u64::MAX)).await.unwrap();
    assert_eq!(intervals.len(), 40 * 4 + 1);
    for pair in intervals.windows(2) {
        assert_eq!(pair[0].until_ms, Some(pair[1].from_ms), "{pair:?}");
    }
    let last = intervals.last().unwrap();
    assert_eq!((last.state.as_str(), last.reason.as_deref(), last.until_ms), ("paused", Some("lunch"), None));
}

async fn a_callback_is_owed_until_it_was_made_once(kind: Kind) {
    let folder = Folder::new(kind, "callbacks");
    let store = folder.open().await.unwrap();
    let owed =
        Fact::CallbackOwed { call: CallId(4), caller: CallerRef(0), queue: "roads".into(), language: Language::Kk, waiting_since_ms: 77 };
    store.project(&[Projected { position: Position(1), at: Time(99), facts: vec![owed] }]).await.unwrap();
    assert_eq!(store.callbacks_owed().await.unwrap()[0].waiting_since_ms, 77);
    assert!(store.callback_done(CallId(4), "aigul", Time(100)).await.unwrap());
    assert!(!store.callback_done(CallId(4), "olena", Time(101)).await.unwrap());
    assert!(store.callbacks_owed().await.unwrap().is_empty());
}

/// What is told of a wish is added up, in one batch or in several.
async fn a_callback_stands_until_it_has_ended(kind: Kind) {
    let folder = Folder::new(kind, "wishes");
    let store = folder.open().await.unwrap();
    let call = CallId(4);
    let stands = Fact::CallbackStands { call, to: CallerRef(9), queue: "roads".into(), language: Language::Kk, waiting_since_ms: 77 };
    let dialled = |attempt| Fact::CallbackDialled { call, agent: "aigul".into(), attempt };
    let tried = Fact::CallbackTried { call, attempt: 1, why: EndReason::NotReached, again_ms: Some(300) };
    let record = |position, at, facts| Projected { position: Position(position), at: Time(at), facts };
    store.project(&[record(1, 99, vec![stands]), record(2, 100, vec![dialled(1), tried])]).await.unwrap();
    let standing = store.callbacks_standing().await.unwrap();
    let told: Vec<_> =
        standing.iter().map(|wish| (wish.waiting_since_ms, wish.stood_ms, wish.tries, wish.dialled_ms, wish.again_ms)).collect();
    assert_eq!(told, [(77, 99, 1, Some(100), Some(300))]);
    store.project(&[record(3, 301, vec![dialled(2)])]).await.unwrap();
    assert_eq!(store.callbacks_standing().await.unwrap()[0].tries, 2);
    let how = crate::centre::fact::CallbackEnd::Reached;
    store.project(&[record(4, 302, vec![Fact::CallbackEnded { call, how }])]).await.unwrap();
    assert!(store.callbacks_standing().await.unwrap().is_empty());
}

async fn passwords_are_checked_and_accounts_replaced(kind: Kind) {
    let folder = Folder::new(kind, "users");
    let store = folder.open().await.unwrap();
    let (old, changed) = (Private::new("old".to_owned()), Private::new("changed".to_owned()));
    store.put_user("aigul", &old, Role::Operator, Time(1)).await.unwrap();
    assert_eq!(store.check_password("aigul", &old).await.unwrap().unwrap().role, Role::Operator);
    assert_eq!(store.check_password("nobody", &old).await.unwrap(), None);
    store.put_user("aigul", &changed, Role::Supervisor, Time(2)).await.unwrap();
    assert_eq!(store.check_password("aigul", &old).await.unwrap(), None);
    assert_eq!(store.users().await.unwrap()[0].role, Role::Supervisor);
    assert!(store.remove_user("aigul").await.unwrap());
}

async fn who_calls_twice_in_a_batch_is_kept_once_with_the_last_number(kind: Kind) {
    let folder = Folder::new(kind, "twice");
    let store = folder.open().await.unwrap();
    let seen = |caller, number: &str, name: Option<&str>, at| CallerSeen {
        caller: CallerRef(caller),
        number: Private::new(number.to_owned()),
        name: name.map(|name| Private::new(name.to_owned())),
        at: Time(at),
    };
    let batch = [seen(9, "+77010000009", Some("Dana"), 1), seen(0, "", None, 2), seen(5, "+5", None, 3), seen(9, "87010000009", None, 4)];
    store.remember_callers(&batch).await.unwrap();
    store.remember_callers(&[seen(9, "+77010000009", None, 5)]).await.unwrap();
    let rows: Vec<_> = all_rows(&store).await.into_iter().filter(|row| row.starts_with("callers")).collect();
    assert_eq!(rows, ["callers: 5|+5|-|-|3|3", "callers: 9|+77010000009|Dana|-|1|5"]);
}

/// PostgreSQL holds no U+0000; a line that sends one must not stop the projection for ever.
async fn text_that_a_database_cannot_hold_stops_nothing(kind: Kind) {
    let folder = Folder::new(kind, "text");
    let store = folder.open().await.unwrap();
    let facts = vec![Fact::TopicChosen { call: CallId(1), topic: "heat\0ing ё қ 🔥".into() }];
    store.project(&[Projected { position: Position(1), at: Time(1), facts }]).await.unwrap();
    assert_eq!(store.call(CallId(1)).await.unwrap().unwrap().call.topic.as_deref(), Some("heat\u{FFFD}ing ё қ 🔥"));
}

/// Prints what a call costs: `cargo test --release -p cityline projection_cost -- --ignored --nocapture`.
async fn projection_cost(kind: Kind) {
    let folder = Folder::new(kind, "cost");
    let store = folder.open().await.unwrap();
    let calls = 30_000u64;
    // 1,000 calls a second of a second each, their facts mixed as they happen, written every 100 ms: each call is in ten batches.
    let mut records: Vec<_> = (0..calls).flat_map(|n| whole_call(n, 0, n)).collect();
    records.sort_by_key(|record| record.at.0 + record.at.0 % 7);
    (1..).zip(&mut records).for_each(|(position, record)| record.position = Position(position));
    let batches: Vec<&[Projected]> = records.chunks(100 * 11).collect();
    let (cpu, wall) = (cpu_ms(), std::time::Instant::now());
    for batch in batches {
        store.project(batch).await.unwrap();
    }
    let (cpu, wall) = (cpu_ms() - cpu, wall.elapsed());
    println!("{calls} calls: {:.4} ms CPU a call, {:.0} calls/s", cpu / calls as f64, calls as f64 / wall.as_secs_f64());
    let asked = std::time::Instant::now();
    for caller in 1..=500 {
        store.known(CallerRef(caller), CallId(u32::MAX.into()), Time(0)).await.unwrap();
    }
    let known = asked.elapsed() / 500;
    let asked = std::time::Instant::now();
    for caller in 1..=500 {
        store.story(CallerRef(caller)).await.unwrap();
    }
    println!("known {known:?}, story {:?}", asked.elapsed() / 500);
}

/// CPU time of this process in milliseconds, from its accounting in /proc (ticks of 10 ms).
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10.0
}
