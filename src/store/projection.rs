//! How do facts become rows, exactly once? A batch is folded into rows in memory; they and the new position go in one transaction.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::centre::fact::{Chosen, Fact, Party};
use crate::centre::ids::{AgentId, CallId, CallerRef, Language, LegId, RecordingId};
use crate::centre::output::Refusal;
use crate::centre::time::Time;

use super::agent_states::{AgentClosed, AgentRow};
use super::bulk::{self, signed};
use super::call_events::CallEventRow;
use super::callbacks::{CallbackRow, Stands, WishRow};
use super::callers::{LanguageRow, MarkRow};
use super::calls::CallRow;
use super::leg_quality::LegQualityRow;
use super::legs::LegRow;
use super::offers::{OfferMoved, OfferRow};
use super::orders::SteeredRow;
use super::queue_events::{QueueClosed, QueueRow};
use super::recordings::RecordingRow;
use super::shifts::{OnShiftRow, OrderedRow};
use super::statement::{On, query};
use super::steps::StepRow;
use super::subscriptions::SubscriptionRow;
use super::transaction::{Lock, Transaction};
use super::{Store, StoreError};

/// The sequence number of a record of the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// One record of the journal, as far as the store needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Projected {
    /// Its sequence number.
    pub position: Position,
    /// When it was handled.
    pub at: Time,
    /// What happened, in order.
    pub facts: Vec<Fact>,
}

/// The identity of a fact: its record and its place there.
#[derive(Clone, Copy, Debug)]
pub(super) struct FactId {
    pub position: Position,
    pub place: usize,
}

impl FactId {
    pub fn position(self) -> i64 {
        signed(self.position.0)
    }

    pub fn place(self) -> i64 {
        i64::try_from(self.place).unwrap_or(i64::MAX)
    }
}

impl Store {
    /// The last record that is in the database, `None` for an empty one.
    pub async fn position(&self) -> Result<Option<Position>, StoreError> {
        Ok(stored_position(self.db.readers()).await?)
    }

    /// Writes the facts of these records (in rising order) and the new position in one transaction. Records at or below the
    /// stored position are skipped, so a batch may be given again after any failure. Returns the position that is stored then.
    pub async fn project(&self, batch: &[Projected]) -> Result<Option<Position>, StoreError> {
        let mut transaction = self.db.begin(Lock::Projection).await?;
        let stored = stored_position(&mut transaction).await?;
        let mut rows = Rows::default();
        let mut last = stored;
        for record in batch {
            if last.is_some_and(|last| record.position <= last) {
                continue;
            }
            for (place, fact) in record.facts.iter().enumerate() {
                rows.add(FactId { position: record.position, place }, record.at, fact);
            }
            last = Some(record.position);
        }
        if let Some(position) = last.filter(|_| last != stored) {
            rows.write(&mut transaction).await?;
            move_position(&mut transaction, stored, position).await?;
            transaction.commit().await?;
        }
        Ok(last)
    }
}

async fn stored_position(on: impl Into<On<'_>>) -> Result<Option<Position>, sqlx::Error> {
    let found: Option<(i64,)> = query("SELECT position FROM projections WHERE name = 'calls'").fetch_optional(on).await?;
    Ok(found.map(|(position,)| Position(position.cast_unsigned())))
}

/// Fails when the position is not the one that was read: then somebody else has written the same facts.
async fn move_position(transaction: &mut Transaction, from: Option<Position>, to: Position) -> Result<(), StoreError> {
    let statement = match from {
        None => query("INSERT INTO projections (name, position) VALUES ('calls', $1) ON CONFLICT DO NOTHING").bind(signed(to.0)),
        Some(from) => {
            query("UPDATE projections SET position = $1 WHERE name = 'calls' AND position = $2").bind(signed(to.0)).bind(signed(from.0))
        }
    };
    let moved = statement.execute(transaction).await?;
    if moved == 1 { Ok(()) } else { Err(StoreError::TwoWriters { expected: from }) }
}

/// What a batch changes, a row a thing: a call whose facts come together costs one statement's share, not one a fact.
#[derive(Default)]
struct Rows {
    calls: BTreeMap<CallId, CallRow>,
    legs: BTreeMap<LegId, LegRow>,
    leg_quality: Vec<LegQualityRow>,
    recordings: BTreeMap<RecordingId, RecordingRow>,
    languages: BTreeMap<CallerRef, LanguageRow>,
    marks: Vec<MarkRow>,
    steps: Vec<StepRow>,
    callbacks: Vec<CallbackRow>,
    wishes: BTreeMap<CallId, WishRow>,
    subscriptions: Vec<SubscriptionRow>,
    events: Vec<CallEventRow>,
    queue: Vec<QueueRow>,
    queue_open: HashMap<CallId, usize>,
    queue_closed: Vec<QueueClosed>,
    offers: Vec<OfferRow>,
    offers_open: HashMap<(CallId, AgentId), usize>,
    offers_moved: BTreeMap<(CallId, AgentId), OfferMoved>,
    agents: Vec<AgentRow>,
    agents_open: HashMap<AgentId, usize>,
    agents_closed: Vec<AgentClosed>,
    shift_orders: Vec<OrderedRow>,
    on_shift: Vec<OnShiftRow>,
    orders: Vec<SteeredRow>,
}

impl Rows {
    fn add(&mut self, id: FactId, at: Time, fact: &Fact) {
        match fact {
            Fact::CallStarted { call, number, trunk, caller } => self.call(*call).start(at, number, trunk, *caller),
            Fact::CallAnswered { call } => self.call(*call).answered = Some(at),
            Fact::LanguageChosen { call, caller, language, how } => self.language(*call, *caller, *language, *how, at),
            Fact::StepEntered { call, step } => self.steps.push(StepRow::entered(id, at, *call, step)),
            Fact::KeyPressed { call, step, key } => self.steps.push(StepRow::pressed(id, at, *call, step, *key)),
            Fact::TopicChosen { call, topic } => self.call(*call).topic = Some(topic.clone()),
            Fact::Enqueued { call, queue, language, skills } => self.enqueued(QueueRow::new(id, at, *call, queue, *language, skills)),
            Fact::Offered { call, queue, agent, why } => self.offered(OfferRow::new(id, at, *call, queue, agent, why)),
            Fact::OfferShown { call, agent } => self.offer_moved(*call, agent, OfferMoved { shown: Some(at), ended: None }),
            Fact::OfferEnded { call, agent, how } => self.offer_moved(*call, agent, OfferMoved { shown: None, ended: Some((at, *how)) }),
            Fact::Connected { call, queue, agent, waited_ms } => self.call(*call).connect(at, queue, agent, *waited_ms),
            Fact::Dequeued { call, queue, how, waited_ms } => self.dequeued(QueueClosed::new(at, *call, queue, *how, *waited_ms)),
            Fact::LegStarted { leg, party } => self.leg(*leg).start(at, party),
            Fact::LegAnswered { leg } => self.leg(*leg).answered = Some(at),
            Fact::LegSound { leg, lost } => self.leg(*leg).sound_lost += i64::from(*lost),
            Fact::LegUnheard { leg, unheard } => self.leg(*leg).unheard += i64::from(*unheard),
            Fact::LegQuality { leg, quality } => self.leg_quality.push(LegQualityRow { leg: *leg, quality: *quality }),
            Fact::LegEnded { leg, reason } => self.leg(*leg).ended = Some((at, *reason)),
            Fact::RecordingStarted { recording, agent } => self.recording(*recording).start(at, agent.as_ref()),
            Fact::RecordingEnded { recording, length_ms, lost_ms } => self.recording(*recording).ended = Some((*length_ms, *lost_ms)),
            Fact::AgentChanged { agent, state } => self.agent_changed(AgentRow::new(id, at, agent, state)),
            Fact::CallbackOwed { call, caller, queue, language, waiting_since_ms } => {
                self.callbacks.push(CallbackRow::new(at, *call, *caller, queue, *language, *waiting_since_ms));
            }
            Fact::CallEnded { call, reason } => self.call(*call).ended = Some((at, *reason)),
            Fact::CalledOut { call, number, caller, agent, .. } => self.call(*call).call_out(at, number, *caller, agent),
            Fact::Held { .. }
            | Fact::ConsultStarted { .. }
            | Fact::ConsultEnded { .. }
            | Fact::Joined { .. }
            | Fact::CallDiverted { .. }
            | Fact::Transferred { .. }
            | Fact::TransferFailed { .. }
            | Fact::LegReplaced { .. }
            | Fact::PageLost { .. }
            | Fact::TakenOver { .. }
            | Fact::HelpAsked { .. }
            | Fact::HelpOver { .. }
            | Fact::Warned { .. }
            | Fact::RecordingPaused { .. } => self.live(id, at, fact),
            Fact::CallerMarked { call, caller, agent, days } => {
                self.events.push(CallEventRow::new(id, at, *call, "marked").by(agent));
                self.marks.extend(MarkRow::new(at, *caller, agent, *days));
            }
            // Of calls between operators their legs and the operators' states are kept, and no call of a resident.
            Fact::ColleagueCalled { .. } | Fact::ColleagueCallEnded { .. } => {}
            Fact::NoticeTold { call, notice } => self.events.push(CallEventRow::new(id, at, *call, "notice_told").of(notice)),
            Fact::Subscribed { call, caller, notice, language } => {
                self.events.push(CallEventRow::new(id, at, *call, "subscribed").of(notice));
                self.subscriptions.extend(SubscriptionRow::new(at, *call, *caller, notice, *language));
            }
            Fact::RingReached { call, queue, ring, .. } => {
                self.events.push(CallEventRow::new(id, at, *call, &format!("ring_{ring}")).back_to(queue));
            }
            Fact::Credited { call, queue, credit_ms, .. } => {
                let what = if *credit_ms > 0 { "raised" } else { "lowered" };
                self.events.push(CallEventRow::new(id, at, *call, what).back_to(queue));
            }
            Fact::PutBehind { call, queue, .. } => self.events.push(CallEventRow::new(id, at, *call, "put_behind").back_to(queue)),
            Fact::ShiftOrdered { agent, wanted, until_ms, by, reason } => self.shift_orders.push(OrderedRow {
                id,
                at,
                agent: agent.clone(),
                wanted: wanted.clone(),
                until_ms: *until_ms,
                by: by.clone(),
                reason: reason.clone(),
            }),
            Fact::ShiftChanged { agent, is_on, shifts } => {
                self.on_shift.push(OnShiftRow { id, at, agent: agent.clone(), is_on: *is_on, shifts: shifts.clone() });
            }
            Fact::WaitsOn { .. }
            | Fact::CallbackStands { .. }
            | Fact::CallbackRefused { .. }
            | Fact::CallbackDialled { .. }
            | Fact::CallbackTried { .. }
            | Fact::CallbackEnded { .. } => self.callback(id, at, fact),
            Fact::Steered { order, until_ms, by, reason, refused } => self.orders.push(SteeredRow {
                id,
                at,
                order: order.clone(),
                until_ms: *until_ms,
                by: by.clone(),
                reason: reason.clone(),
                refused: refused.as_ref().map(Refusal::word),
            }),
            Fact::PlaceTold { .. }
            | Fact::QueueModeChanged { .. }
            | Fact::AbleToday { .. }
            | Fact::EvacuationChanged { .. }
            | Fact::SettingsApplied { .. }
            | Fact::Restarted { .. }
            | Fact::StateEnds { .. }
            | Fact::WarningOver { .. } => {}
        }
    }

    /// What becomes of a wish to be called back.
    fn callback(&mut self, id: FactId, at: Time, fact: &Fact) {
        let event = |call: CallId, what: &str| CallEventRow::new(id, at, call, what);
        let row = match fact {
            Fact::WaitsOn { call, queue } => event(*call, "waits_on").back_to(queue),
            Fact::CallbackStands { call, to, queue, language, waiting_since_ms } => {
                self.wish(*call).stands =
                    Some(Stands { to: *to, queue: queue.clone(), language: *language, waiting_since_ms: *waiting_since_ms, at });
                event(*call, "callback_stands").back_to(queue)
            }
            Fact::CallbackRefused { call, queue, .. } => event(*call, "callback_refused").back_to(queue),
            Fact::CallbackDialled { call, agent, attempt } => {
                self.wish(*call).dialled(at, *attempt);
                event(*call, "callback_dialled").by(agent)
            }
            Fact::CallbackTried { call, again_ms, .. } => {
                self.wish(*call).again_ms = *again_ms;
                event(*call, "callback_tried")
            }
            Fact::CallbackEnded { call, how } => {
                self.wish(*call).ended = Some((at, *how));
                event(*call, &format!("callback_{}", how.word()))
            }
            _ => return,
        };
        self.events.push(row);
    }

    fn wish(&mut self, call: CallId) -> &mut WishRow {
        self.wishes.entry(call).or_insert_with(|| WishRow::new(call))
    }

    /// What was done with a live call.
    fn live(&mut self, id: FactId, at: Time, fact: &Fact) {
        let event = |call: CallId, what: &str| CallEventRow::new(id, at, call, what);
        let row = match fact {
            Fact::Held { leg, held } => event(leg.call, if *held { "held" } else { "resumed" }).on(*leg),
            Fact::ConsultStarted { call, agent, with } => event(*call, "consult").by(agent).about(with),
            Fact::ConsultEnded { call, agent, how } => event(*call, &format!("consult_{}", how.word())).by(agent),
            Fact::Joined { leg, party, role } => {
                self.leg(*leg).join(at, *role);
                event(leg.call, &format!("joined_{}", role.word())).on(*leg).about(party)
            }
            Fact::Transferred { call, agent, to } => event(*call, "transfer").by(agent).to(to),
            Fact::TransferFailed { call, queue, .. } => event(*call, "transfer_failed").back_to(queue),
            Fact::LegReplaced { leg, .. } => event(leg.call, "replaced").on(*leg),
            Fact::HelpAsked { call, agent } => event(*call, "help_asked").by(agent),
            Fact::HelpOver { call, agent, .. } => event(*call, "help_over").by(agent),
            Fact::Warned { call, agent } => event(*call, "warned").by(agent),
            Fact::RecordingPaused { recording, agent, paused } => {
                let row = event(recording.call, if *paused { "recording_paused" } else { "recording_resumed" });
                agent.iter().fold(row, |row, agent| row.by(agent))
            }
            Fact::PageLost { call, agent, queue } => event(*call, "page_lost").by(agent).back_to(queue),
            Fact::TakenOver { call, agent, from } => event(*call, "taken_over").by(agent).about(&Party::Agent(from.clone())),
            _ => return,
        };
        self.events.push(row);
    }

    fn call(&mut self, call: CallId) -> &mut CallRow {
        self.calls.entry(call).or_insert_with(|| CallRow::new(call))
    }

    fn leg(&mut self, leg: LegId) -> &mut LegRow {
        self.legs.entry(leg).or_insert_with(|| LegRow::new(leg))
    }

    fn recording(&mut self, recording: RecordingId) -> &mut RecordingRow {
        self.recordings.entry(recording).or_insert_with(|| RecordingRow::new(recording))
    }

    /// Only a key is the caller's own choice and worth remembering.
    fn language(&mut self, call: CallId, caller: CallerRef, language: Language, how: Chosen, at: Time) {
        self.call(call).language = Some(language);
        if how == Chosen::Key && caller != CallerRef::WITHHELD {
            self.languages.insert(caller, LanguageRow { caller, language, at });
        }
    }

    fn enqueued(&mut self, row: QueueRow) {
        self.queue_open.insert(row.call, self.queue.len());
        self.queue.push(row);
    }

    /// The wait that ends was opened in this batch, or stands in the database.
    fn dequeued(&mut self, closed: QueueClosed) {
        let open = self.queue_open.remove(&closed.call).and_then(|at| self.queue.get_mut(at));
        match open {
            Some(row) => row.closed = Some(closed),
            None => self.queue_closed.push(closed),
        }
    }

    fn offered(&mut self, row: OfferRow) {
        self.offers_open.insert((row.call, row.agent.clone()), self.offers.len());
        self.offers.push(row);
    }

    fn offer_moved(&mut self, call: CallId, agent: &AgentId, moved: OfferMoved) {
        let key = (call, agent.clone());
        match self.offers_open.get(&key).and_then(|at| self.offers.get_mut(*at)) {
            Some(row) => row.moved.merge(moved),
            None => self.offers_moved.entry(key).or_default().merge(moved),
        }
    }

    /// The first change of an operator in a batch ends the interval in the database, later ones end each other.
    fn agent_changed(&mut self, row: AgentRow) {
        match self.agents_open.insert(row.agent.clone(), self.agents.len()).and_then(|at| self.agents.get_mut(at)) {
            Some(former) => former.until = Some(row.from),
            None => self.agents_closed.push(AgentClosed { agent: row.agent.clone(), at: row.from }),
        }
        self.agents.push(row);
    }

    /// What ends stored rows goes before what opens new ones.
    async fn write(self, transaction: &mut Transaction) -> Result<(), sqlx::Error> {
        bulk::write(transaction, &self.queue_closed).await?;
        bulk::write(transaction, &self.queue).await?;
        bulk::write(transaction, &self.offers_moved.into_iter().collect::<Vec<_>>()).await?;
        bulk::write(transaction, &self.offers).await?;
        bulk::write(transaction, &self.agents_closed).await?;
        bulk::write(transaction, &self.agents).await?;
        bulk::write(transaction, &self.calls.into_values().collect::<Vec<_>>()).await?;
        bulk::write(transaction, &self.legs.into_values().collect::<Vec<_>>()).await?;
        bulk::write(transaction, &self.leg_quality).await?;
        bulk::write(transaction, &self.recordings.into_values().collect::<Vec<_>>()).await?;
        bulk::write(transaction, &self.languages.into_values().collect::<Vec<_>>()).await?;
        for mark in &self.marks {
            mark.write(transaction).await?;
        }
        bulk::write(transaction, &self.steps).await?;
        bulk::write(transaction, &self.events).await?;
        bulk::write(transaction, &self.subscriptions).await?;
        bulk::write(transaction, &self.shift_orders).await?;
        bulk::write(transaction, &self.on_shift).await?;
        bulk::write(transaction, &self.wishes.into_values().collect::<Vec<_>>()).await?;
        bulk::write(transaction, &self.orders).await?;
        bulk::write(transaction, &self.callbacks).await
    }
}
