//! What of a call's signalling outlives the process? Each answered dialog and each INVITE of ours without an answer, kept before the
//! message that makes it leaves; and how the next process takes them up.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::centre::fact::EndReason;
use crate::centre::ids::{ContactId, LegId};
use crate::centre::input::{FromLine, Input};
use crate::centre::time::Time;
use crate::kept::{Kept, KeptError};
use crate::private::Private;

use super::calling::Calling;
use super::clients::{NewRequest, Purpose};
use super::dialog::{Dialog, More};
use super::ending::reason_header;
use super::exchange::Exchange;
use super::legs::{Asks, Leg, Up};
use super::message::Method;
use super::negotiate::{Negotiation, Offer};
use super::peer::Carrier;
use super::registrar::{KeptBinding, Registrar};
use super::session::Session;

/// The CSeq of our requests goes on this far above the kept one: what was sent since is below.
const CSEQ_STEP: u32 = 100;
/// What is over goes at once: the far end of a dialog that is in the file hears of it from the next process, and a phone is rung.
const LINGERING: usize = 0;
/// Re-INVITEs that ask for lost dialogs in one turn; the next turn follows after [`TURN_MS`].
const ASKED_A_TURN: usize = 50;
/// Milliseconds between two such turns: 10,000 legs are asked for in four seconds.
const TURN_MS: u64 = 20;

/// One leg, as the next process needs it.
#[derive(Serialize, Deserialize)]
struct Record {
    dialog: Dialog,
    /// Our last session description.
    sdp: String,
    /// The resident's number, to be shown where the call is dialled on.
    #[serde(default)]
    number: Option<Private<String>>,
    /// Session timers, and what the far end can do; `None` while our INVITE has no answer.
    #[serde(default)]
    session: Option<Session>,
    #[serde(default)]
    asks: Option<Asks>,
    /// Whether its far end may ask us by REFER to take the other side elsewhere.
    #[serde(default)]
    refers: bool,
    /// Branch and CSeq of our INVITE, while it has no answer.
    #[serde(default)]
    invite: Option<(String, u32)>,
}

/// What a former process left of its dialogs and its registrations.
pub struct Survivors {
    dialogs: Kept<LegId>,
    records: Vec<(LegId, Record)>,
    contacts: Kept<ContactId>,
    bindings: Vec<(ContactId, KeptBinding)>,
}

impl Survivors {
    /// Opens the two files in this folder.
    pub fn open(folder: &Path) -> Result<Survivors, KeptError> {
        let (dialogs, records) = Kept::open(&folder.join("dialogs"), LINGERING)?;
        let (contacts, bindings) = Kept::open(&folder.join("contacts"), LINGERING)?;
        Ok(Survivors { dialogs, records, contacts, bindings })
    }

    /// The legs whose dialogs may live on.
    pub fn legs(&self) -> BTreeSet<LegId> {
        self.records.iter().filter(|(_, record)| record.may_live()).map(|(leg, _)| *leg).collect()
    }

    /// Hands the registrations to the registrar; what is left are the dialogs.
    pub(super) fn register(self, now: Time, registrar: &mut Registrar) -> Dialogs {
        registrar.resume(now, self.contacts, self.bindings);
        Dialogs { kept: self.dialogs, records: self.records }
    }
}

/// The dialogs that a former process left.
pub(super) struct Dialogs {
    kept: Kept<LegId>,
    records: Vec<(LegId, Record)>,
}

impl Record {
    /// A connection has died with the process: only a far end that can be called at its own address is found again.
    fn may_live(&self) -> bool {
        self.asks.is_some() && (self.dialog.peer.carrier == Carrier::Udp || !self.dialog.pinned)
    }

    /// The dialog as the next process has it.
    fn dialog(&self) -> Dialog {
        let mut dialog = self.dialog.clone();
        dialog.local_cseq = dialog.local_cseq.saturating_add(CSEQ_STEP);
        dialog.peer.carrier = dialog.peer.carrier.anew();
        dialog
    }
}

/// The file, the legs whose records may have changed in this turn, and those that are still to be asked for.
#[derive(Default)]
pub(super) struct Keeper {
    kept: Option<Kept<LegId>>,
    touched: Vec<LegId>,
    to_ask: VecDeque<LegId>,
    next_turn: Time,
    /// Those of them whose far ends have not answered yet.
    lost: BTreeSet<LegId>,
}

impl Exchange {
    /// This leg may have changed: its record is written before anything is sent.
    pub(super) fn touch(&mut self, leg: LegId) {
        if self.keeper.kept.is_some() && self.keeper.touched.last() != Some(&leg) {
            self.keeper.touched.push(leg);
        }
    }

    /// Writes what has changed. To be called before messages go out: a 2xx that the far end has seen is in the file.
    pub fn keep(&mut self) {
        if self.keeper.touched.is_empty() {
            return;
        }
        let mut touched = std::mem::take(&mut self.keeper.touched);
        touched.sort_unstable();
        touched.dedup();
        for leg in touched.drain(..) {
            self.keep_leg(leg);
        }
        self.keeper.touched = touched;
    }

    fn keep_leg(&mut self, leg: LegId) {
        let record = match self.legs.get(&leg) {
            Some(Leg::Up(up)) => Some(Borrowed {
                dialog: &up.dialog,
                sdp: &up.sdp,
                number: self.numbers.get(&leg.call).filter(|_| leg.n == 0),
                session: up.session,
                asks: Some(up.asks),
                refers: up.refers,
                invite: None,
            }),
            Some(Leg::Dialled { client }) => self.clients.unanswered(*client).map(|(branch, calling)| Borrowed {
                dialog: &calling.dialog,
                sdp: &calling.sdp,
                number: None,
                session: None,
                asks: None,
                refers: false,
                invite: Some((branch, calling.cseq)),
            }),
            Some(Leg::Arrived { .. } | Leg::Closing(_)) | None => None,
        };
        let Some(kept) = &self.keeper.kept else { return };
        match record {
            // An older record that the disk has not let go of is better than none.
            Some(record) => {
                kept.put(leg, &record);
            }
            None => kept.remove(&leg),
        }
    }

    /// Takes up what a former process left: the legs of `found` live on and are asked for by a re-INVITE each; every other far end is told
    /// that its call is over, so that nobody listens to silence.
    pub(super) fn resume(&mut self, now: Time, dialogs: Dialogs, found: &BTreeSet<LegId>) {
        let Dialogs { kept, records } = dialogs;
        self.keeper.kept = Some(kept);
        for (leg, record) in records {
            self.touch(leg);
            if record.invite.is_some() {
                self.withdraw(now, leg, record);
            } else if found.contains(&leg) {
                self.take_up(leg, record);
            } else if record.may_live() {
                self.bye_of(now, &mut record.dialog(), Purpose::Nothing, &reason_header(EndReason::Interrupted));
            }
        }
    }

    fn take_up(&mut self, leg: LegId, record: Record) {
        let Some(asks) = record.asks else { return };
        let up =
            Up { session: record.session, refers: record.refers, ..Up::new(record.dialog(), Negotiation::default(), record.sdp, asks) };
        self.legs.insert(leg, Leg::Up(Box::new(up)));
        if let Some(number) = record.number {
            self.numbers.insert(leg.call, number);
        }
        self.keeper.to_ask.push_back(leg);
        self.keeper.lost.insert(leg);
    }

    /// Our INVITE rings on without us: CANCEL, and ACK and BYE for a 2xx that comes all the same.
    fn withdraw(&mut self, now: Time, leg: LegId, record: Record) {
        let Record { dialog, sdp, invite: Some((branch, cseq)), .. } = record else { return };
        let peer = dialog.peer;
        if peer.is_reliable() {
            return;
        }
        let mut calling = Calling::new(leg, dialog, sdp, String::new());
        (calling.leg, calling.cseq, calling.rang) = (None, cseq, true);
        let cancel = calling.dialog.request(Method::Cancel, &branch, &self.own, More { peer, cseq: Some(cseq), headers: "", sdp: None });
        let asked = NewRequest { branch, peer, request: cancel, method: Method::Invite, purpose: Purpose::Dial(Box::new(calling)) };
        self.clients.withdraw(now, asked, &mut self.timers, &mut self.out);
    }

    /// Asks for some of the legs that a former process left.
    pub(super) fn ask_for_the_lost(&mut self, now: Time) {
        if self.keeper.to_ask.is_empty() || now < self.keeper.next_turn {
            return;
        }
        self.keeper.next_turn = now.plus_ms(TURN_MS);
        for _ in 0..ASKED_A_TURN {
            let Some(leg) = self.keeper.to_ask.pop_front() else { return };
            if let Some(Leg::Up(up)) = self.legs.get_mut(&leg) {
                up.negotiation.want(Offer::Refresh);
                self.proceed(now, leg);
            }
        }
    }

    /// The far end has answered a re-INVITE of ours: it is there, whatever it says, unless it knows no such dialog.
    pub(super) fn answers_to_reinvite(&mut self, leg: LegId, status: u16) {
        self.touch(leg);
        if status >= 200 && matches!(self.legs.get(&leg), Some(Leg::Up(_))) && self.keeper.lost.remove(&leg) {
            metrics::counter!("cityline_sip_legs_recovered_total").increment(1);
            self.tell_of_the_lost(Input::LegRecovered { leg });
        }
    }

    /// Whether the leg is of a former process and was never found again; then the core hears so.
    pub(super) fn is_lost_for_good(&mut self, leg: LegId) -> bool {
        let lost = self.keeper.lost.remove(&leg);
        if lost {
            self.touch(leg);
            self.tell_of_the_lost(Input::LegGone { leg });
        }
        lost
    }

    /// Whether the leg is of a former process and its far end has not answered yet.
    pub(super) fn is_lost(&self, leg: LegId) -> bool {
        self.keeper.lost.contains(&leg)
    }

    /// When the next legs are asked for.
    pub(super) fn next_asking(&self) -> Option<Time> {
        (!self.keeper.to_ask.is_empty()).then_some(self.keeper.next_turn)
    }
}

/// A [`Record`] for writing.
#[derive(Serialize)]
struct Borrowed<'a> {
    dialog: &'a Dialog,
    sdp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a Private<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<Asks>,
    refers: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<(&'a str, u32)>,
}

/// The leg whose dialog a report may have changed; none for a key.
pub(super) fn changed_by(event: &FromLine) -> Option<LegId> {
    match event {
        FromLine::Answered { leg, .. }
        | FromLine::Refused { leg, .. }
        | FromLine::Reoffered { leg, .. }
        | FromLine::Renegotiated { leg, .. }
        | FromLine::HungUp { leg, .. } => Some(*leg),
        FromLine::CallArrived { .. }
        | FromLine::PhoneCalled { .. }
        | FromLine::Replacing { .. }
        | FromLine::Diverted { .. }
        | FromLine::Ringing { .. }
        | FromLine::EarlyMedia { .. }
        | FromLine::NotRenegotiated { .. }
        | FromLine::Digit { .. }
        | FromLine::Referred { .. } => None,
    }
}
