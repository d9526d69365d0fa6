//! What happens on an operator's socket? Wishes go in as inputs, orders come out as messages, and the page proves that it lives.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::centre::fact::AgentStatus;
use crate::centre::ids::{AgentId, CallId};
use crate::centre::input::{FromDesk, Input};
use crate::private::Private;
use crate::store::{Access, User};

use super::SoundOffer;
use super::Web;
use super::auth::SignedIn;
use super::cases;
use super::desks::{Held, state_message};
use super::error::WebError;
use super::live::{self, Boards};
use super::messages::{Doing, Frame, FromPage, ToPage};
use super::orders::{self, Given};
use super::own_day;
use super::shifts::{self, OrderWanted};
use super::story;
use super::wishes::{self, Unfit};

/// The server asks for an echo this often.
const ECHO_EVERY: Duration = Duration::from_secs(5);

/// Without an echo for this long the page is gone, whatever its browser says. A network that was lost for 15 s, just after an echo or
/// just before the next, has three seconds to bring it back.
const ECHO_LOST: Duration = Duration::from_secs(24);

/// A socket that closed may come back as another page within this: a reload is no absence.
const RELOAD: Duration = Duration::from_secs(5);

/// A message that the network does not take within this cuts the page off.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// The answer to a page's sound may take so long.
const SOUND_LIMIT: Duration = Duration::from_secs(5);

/// An offer may wait this long for the look at the account.
const ACCOUNT_LIMIT: Duration = Duration::from_millis(200);

/// The look whether something was written of a call takes at most this; where the database is away, wrap-up ends all the same.
const WRITTEN_LIMIT: Duration = Duration::from_secs(2);

/// The engine has no room for a wish.
const OVERLOADED: &str = "the server is overloaded";

/// Messages of a page between two echoes; more is a broken page, which is cut off.
const MOST_MESSAGES: u32 = 200;

/// The longest message of a page, in bytes: a case of 10,000 letters in four-byte characters fits.
const LONGEST_BYTES: usize = 64 * 1024;

/// What the store answers, if the page is to hear of it.
type Later = Pin<Box<dyn Future<Output = Option<ToPage>> + Send>>;

/// Why a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The page closed it, or the network did.
    Closed,
    /// No echo.
    Silent,
    /// The seat went to another page, or the operator signed out, or the page was too slow.
    LetGo,
    /// It sent too much, or what is no text.
    Broken,
    /// The account was changed or removed.
    NoAccount,
    /// The server stops.
    Stopping,
}

/// GET /desk, upgraded.
#[utoipa::path(get, path = "/desk", responses((status = 101, description = "A WebSocket. The page sends `FromPage`; it gets `Frame`s, each a `ToPage` with its number, and boards without one."), (status = 400, description = "No WebSocket is asked for.", body = String, content_type = "text/plain; charset=utf-8"), (status = 426, description = "The connection cannot be upgraded.", body = String, content_type = "text/plain; charset=utf-8")))]
pub(super) async fn desk(
    State(web): State<Arc<Web>>,
    Extension(SignedIn(user)): Extension<SignedIn>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, WebError> {
    let operator = AgentId::from(user.name.as_str());
    if !web.desks.is_open(&operator) {
        return Err(WebError::NotAnOperator { name: user.name });
    }
    let upgrade = upgrade.max_message_size(LONGEST_BYTES).max_frame_size(LONGEST_BYTES);
    Ok(upgrade.on_upgrade(move |socket| attend(web, user, operator, socket)))
}

/// From the first message to the word that the desk is gone. The seat is taken here, by a socket that is open: a request that is
/// never upgraded sends nobody away.
async fn attend(web: Arc<Web>, user: User, operator: AgentId, socket: WebSocket) {
    let Some(held) = web.desks.take(&operator, web.clock.now()) else { return };
    let generation = held.generation;
    let came = FromDesk::DeskUp { agent: operator.clone(), generation };
    if web.inputs.send(Input::Desk(came)).is_err() {
        // Nothing was promised: the page tries again.
        web.desks.leave(&operator, generation);
        return;
    }
    let mut page = Page {
        web: web.clone(),
        user,
        operator: operator.clone(),
        held,
        socket,
        events: 0,
        echo: 0,
        echoed: Instant::now(),
        messages: 0,
        doing: None,
        later: FuturesUnordered::new(),
    };
    let end = page.run().await;
    tracing::info!(%operator, generation = generation.0, ?end, "desk closed");
    drop(page);
    web.desks.leave(&operator, generation);
    match end {
        End::Stopping => return,
        // A password of one's own that is changed ends the session too: the page is back at once.
        End::Closed | End::LetGo | End::Broken | End::NoAccount => tokio::time::sleep(RELOAD).await,
        End::Silent => {}
    }
    while web.desks.is_held(&operator, generation) && !web.stop.is_cancelled() {
        let gone = FromDesk::DeskGone { agent: operator.clone(), generation };
        if web.inputs.send(Input::Desk(gone)).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One open socket.
struct Page {
    web: Arc<Web>,
    user: User,
    operator: AgentId,
    held: Held,
    socket: WebSocket,
    events: u64,
    echo: u32,
    echoed: Instant,
    messages: u32,
    /// What the page was last told that its operator is doing.
    doing: Option<Doing>,
    /// What the store is asked for; its answers go to this page alone.
    later: FuturesUnordered<Later>,
}

impl Page {
    async fn run(&mut self) -> End {
        match self.serve().await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn serve(&mut self) -> Result<End, End> {
        let mut board = live::follow(&self.web);
        let mut pause_reasons = self.web.pause_reasons.subscribe();
        self.welcome().await?;
        let mut echoes = tokio::time::interval(ECHO_EVERY);
        echoes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.web.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(End::Stopping),
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.received(message).await?,
                    Some(Err(_)) | None => return Ok(End::Closed),
                },
                message = self.held.inbox.recv() => match message {
                    Some(message) => self.deliver(message).await?,
                    None => return Ok(End::LetGo),
                },
                Some(answer) = self.later.next() => if let Some(message) = answer {
                    self.send(&message).await?;
                },
                Ok(()) = pause_reasons.changed() => self.welcome().await?,
                Ok(()) = board.changed() => self.send_board(&mut board).await?,
                _ = echoes.tick() => self.ask_echo().await?,
            }
        }
    }

    /// Everything that a page must know, in the order in which it draws it.
    async fn welcome(&mut self) -> Result<(), End> {
        let welcome = ToPage::Welcome {
            operator: self.operator.clone(),
            generation: self.held.generation,
            pause_reasons: self.web.pause_reasons.borrow().clone(),
            speaks_by: self.web.desks.speaks_by(&self.operator),
            now_ms: self.web.clock.now().0,
        };
        self.send(&welcome).await?;
        let state = self.web.with_board(|board| board.operator(&self.operator).map(|(state, since)| (state.clone(), since)));
        let (state, since) = state.unwrap_or_else(|| (AgentStatus::Offline, self.web.clock.now()));
        self.send(&state_message(&state, since, self.web.desks.ends(&self.operator))).await?;
        if let Some(work) = self.web.desks.work(&self.operator) {
            self.deliver(work.message()).await?;
        }
        self.ask_drafts();
        self.ask_day();
        self.send_text(live::message(&self.web, self.user.role)).await
    }

    /// An offer rings at once; who calls follows when the store has told it.
    async fn deliver(&mut self, message: ToPage) -> Result<(), End> {
        self.send(&message).await?;
        match message {
            ToPage::Offer { call, .. } => self.ask_story(call),
            ToPage::TakenOver => return Err(End::LetGo),
            ToPage::State { state, .. } => self.follow_state(state),
            _ => {}
        }
        Ok(())
    }

    /// Whoever has written a call up sees what the day has become.
    fn follow_state(&mut self, state: Doing) {
        let before = self.doing.replace(state);
        if before == Some(Doing::WrapUp) && state != Doing::WrapUp {
            self.ask_day();
        }
    }

    fn ask_day(&mut self) {
        let (web, user) = (self.web.clone(), self.user.clone());
        let working_on = self.web.desks.work(&self.operator).map(|work| work.offer.call);
        self.later.push(Box::pin(async move {
            let day = own_day::own_day(&web, &user, working_on).await?;
            Some(ToPage::Day { day: Box::new(day) })
        }));
    }

    fn ask_drafts(&mut self) {
        let (web, who) = (self.web.clone(), self.user.name.clone());
        self.later.push(Box::pin(async move {
            match web.store.drafts(&who).await {
                Ok(drafts) => Some(ToPage::Drafts { drafts }),
                Err(error) => {
                    tracing::warn!(%error, "an operator's drafts could not be read");
                    None
                }
            }
        }));
    }

    async fn save_draft(&mut self, draft: String, call: Option<CallId>, content: serde_json::Value) -> Result<(), End> {
        if let Err(Unfit { what, mend }) = wishes::draft(&draft, &content.to_string()) {
            return self.refuse(what, mend).await;
        }
        let (web, who) = (self.web.clone(), self.user.name.clone());
        self.later.push(Box::pin(async move {
            let at = web.clock.now();
            Some(match web.store.save_draft(&who, &draft, call, &content, at).await {
                Ok(()) => ToPage::DraftSaved { draft, at_ms: at.0 },
                Err(error) => {
                    tracing::warn!(%error, "a draft could not be kept");
                    ToPage::Refused {
                        what: "the form could not be kept".into(),
                        mend: "It is on the page still; go on, it is tried again.",
                    }
                }
            })
        }));
        Ok(())
    }

    fn drop_draft(&mut self, draft: String) {
        let (web, who) = (self.web.clone(), self.user.name.clone());
        self.later.push(Box::pin(async move {
            if let Err(error) = web.store.drop_draft(&who, &draft).await {
                tracing::warn!(%error, "a draft could not be forgotten");
            }
            None
        }));
    }

    /// What ends a wrap-up waits until it is known what came of the call; other messages do not wait for that.
    async fn end_wrap_up(&mut self, wish: FromDesk) -> Result<(), End> {
        let Some(call) = self.web.desks.writes_up(&self.operator) else { return self.tell(wish).await };
        let (web, operator) = (self.web.clone(), self.operator.clone());
        self.later.push(Box::pin(async move {
            if !own_day::is_disposed(&web, call, WRITTEN_LIMIT).await {
                let mend = "Write a case, or say what came of the call.";
                return Some(ToPage::Refused { what: "nothing was written of the call".into(), mend });
            }
            // It has ended by itself meanwhile: what the operator has wished since then stands.
            if web.desks.writes_up(&operator) != Some(call) {
                return None;
            }
            let full = web.inputs.send(Input::Desk(wish)).is_err();
            full.then(|| ToPage::Refused { what: OVERLOADED.into(), mend: "Try again." })
        }));
        Ok(())
    }

    /// Only for the call that this operator works on, and on record before it is shown.
    fn ask_story(&mut self, call: CallId) {
        let Some(work) = self.web.desks.work_on(&self.operator, call) else { return };
        let (web, who) = (self.web.clone(), self.user.name.clone());
        self.later.push(Box::pin(async move {
            Some(match story::story(&web, &who, call, work.offer.caller).await {
                Ok(story) => ToPage::Context { call, story: Box::new(story) },
                Err(error) => {
                    tracing::error!(%error, %call, "no story for an offer");
                    ToPage::Refused { what: "the caller's story cannot be read".into(), mend: "Ask the caller; the database is away." }
                }
            })
        }));
    }

    async fn received(&mut self, message: Message) -> Result<(), End> {
        self.messages += 1;
        if self.messages > MOST_MESSAGES {
            return Err(End::Broken);
        }
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(wish) => self.wished(wish).await,
                Err(_) => self.refuse("the message was not understood", "Load the page again.").await,
            },
            Message::Binary(_) => Err(End::Broken),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(End::Closed),
        }
    }

    async fn wished(&mut self, wish: FromPage) -> Result<(), End> {
        let agent = self.operator.clone();
        match wish {
            FromPage::Hello { .. } => self.welcome().await,
            FromPage::Echo { n } => {
                if n == self.echo {
                    self.echoed = Instant::now();
                }
                Ok(())
            }
            FromPage::WriteCase { call, topic, text, draft } => {
                self.write_case(call, topic, text, draft);
                Ok(())
            }
            FromPage::Sound { sdp } => {
                self.connect_sound(sdp);
                Ok(())
            }
            FromPage::Ready => self.end_wrap_up(FromDesk::Ready { agent }).await,
            FromPage::Pause { reason } => self.end_wrap_up(FromDesk::Pause { agent, reason: reason.into() }).await,
            FromPage::SignOut => self.end_wrap_up(FromDesk::SignOut { agent }).await,
            FromPage::OfferShown { call } => self.tell(FromDesk::OfferShown { agent, call }).await,
            FromPage::Accept { call } => self.tell(FromDesk::Accept { agent, call }).await,
            FromPage::Decline { call } => self.tell(FromDesk::Decline { agent, call }).await,
            FromPage::HangUp { call } => self.tell(FromDesk::HangUp { agent, call }).await,
            FromPage::WrapUpDone => self.end_wrap_up(FromDesk::WrapUpDone { agent }).await,
            FromPage::SaveDraft { draft, call, content } => self.save_draft(draft, call, content).await,
            FromPage::DropDraft { draft } => {
                self.drop_draft(draft);
                Ok(())
            }
            FromPage::Hold { call } => self.tell(FromDesk::Hold { agent, call }).await,
            FromPage::Resume { call } => self.tell(FromDesk::Resume { agent, call }).await,
            FromPage::CompleteConsult { call } => self.tell(FromDesk::CompleteConsult { agent, call }).await,
            FromPage::EndConsult { call } => self.tell(FromDesk::EndConsult { agent, call }).await,
            FromPage::Conference { call } => self.tell(FromDesk::Conference { agent, call }).await,
            FromPage::TakeOver { call, reason } => self.supervise(call, "take over", &reason, FromDesk::TakeOver { agent, call }).await,
            FromPage::StopMonitor { call } => self.tell(FromDesk::StopMonitor { agent, call }).await,
            FromPage::Digits { call, digits } => {
                let digits = wishes::digits(&digits);
                self.tell_if(digits.map(|digits| FromDesk::SendDigits { agent, call, digits })).await
            }
            FromPage::ExtendWrapUp => self.tell(FromDesk::ExtendWrapUp { agent }).await,
            FromPage::AskHelp { call } => self.tell(FromDesk::AskHelp { agent, call }).await,
            FromPage::HelpDone => self.tell(FromDesk::HelpDone { agent }).await,
            FromPage::Warn { call } => self.tell(FromDesk::Warn { agent, call }).await,
            FromPage::EndAbuse { call, days } => {
                let days = wishes::days_marked(days);
                self.tell_if(days.map(|days| FromDesk::EndAbuse { agent, call, days })).await
            }
            FromPage::PauseRecording { call } => self.tell(FromDesk::PauseRecording { agent, call }).await,
            FromPage::ResumeRecording { call } => self.tell(FromDesk::ResumeRecording { agent, call }).await,
            FromPage::Consult { call, with } => {
                let with = wishes::whom(&self.web, with);
                self.tell_if(with.map(|with| FromDesk::Consult { agent, call, with })).await
            }
            FromPage::Transfer { call, to } => {
                let to = wishes::whom(&self.web, to);
                self.tell_if(to.map(|to| FromDesk::Transfer { agent, call, to })).await
            }
            FromPage::CallOut { number, queue, shown } => {
                let wish = wishes::call_out(&self.web, agent, &number, queue, shown);
                if wish.is_ok() {
                    self.remember_number(number);
                }
                match wish {
                    Ok(wish) => self.end_wrap_up(wish).await,
                    Err(refused) => self.tell_if(Err(refused)).await,
                }
            }
            FromPage::OrderShift { order } => self.order_shift(order).await,
            FromPage::Order { order } => self.order(order),
            FromPage::Monitor { call, mode, reason } => {
                self.supervise(call, crate::centre::fact::Role::Supervisor(mode).word(), &reason, FromDesk::Monitor { agent, call, mode })
                    .await
            }
        }
    }

    /// A supervisor comes to a talk, or takes it: on record, with the reason, before the core hears of it.
    async fn supervise(&mut self, call: CallId, how: &str, reason: &str, wish: FromDesk) -> Result<(), End> {
        if let Err(Unfit { what, mend }) = wishes::may_supervise(self.user.role).and_then(|()| wishes::reason(reason)) {
            return self.refuse(what, mend).await;
        }
        let (web, who, subject) = (self.web.clone(), self.user.name.clone(), format!("{call}, {how}: {}", reason.trim()));
        self.later.push(Box::pin(async move {
            if let Err(error) = web.store.log_access(web.clock.now(), &who, Access::Supervision, &subject).await {
                tracing::error!(%error, "a supervision cannot be put on record, so it does not happen");
                return Some(ToPage::Refused { what: "it cannot be put on record".into(), mend: "Try again; the database is away." });
            }
            let full = web.inputs.send(Input::Desk(wish)).is_err();
            full.then(|| ToPage::Refused { what: OVERLOADED.into(), mend: "Try again." })
        }));
        Ok(())
    }

    /// Only supervisors steer; an order is on record before the core hears of it.
    fn order(&mut self, order: Given) -> Result<(), End> {
        let (web, user) = (self.web.clone(), self.user.clone());
        self.later.push(Box::pin(async move {
            if let Err(Unfit { mend, .. }) = wishes::may_supervise(user.role) {
                return Some(ToPage::Refused { what: "only a supervisor may order this".into(), mend });
            }
            let input = match orders::ordered(&web, &user, order).await {
                Ok(input) => input,
                Err(error) => {
                    let mend = "Name what stands in the settings, an end within a week, and a reason.";
                    return Some(ToPage::Refused { what: error.to_string(), mend });
                }
            };
            web.inputs.send(input).is_err().then(|| ToPage::Refused { what: OVERLOADED.into(), mend: "Try again." })
        }));
        Ok(())
    }

    /// Only supervisors decide who is on shift.
    async fn order_shift(&mut self, order: OrderWanted) -> Result<(), End> {
        if let Err(Unfit { mend, .. }) = wishes::may_supervise(self.user.role) {
            return self.refuse("only a supervisor may decide about shifts", mend).await;
        }
        match shifts::ordered(&self.web, &self.user, order) {
            Ok(input) => match self.web.inputs.send(input) {
                Ok(()) => Ok(()),
                Err(_) => self.refuse(OVERLOADED, "Try again.").await,
            },
            Err(_) => {
                self.refuse("the order cannot be", "Name an operator and a shift of the table, an end within a week, and a reason.").await
            }
        }
    }

    /// A wish that the engine has no room for is refused, not kept: the operator sees it and tries again.
    async fn tell(&mut self, wish: FromDesk) -> Result<(), End> {
        match self.web.inputs.send(Input::Desk(wish)) {
            Ok(()) => Ok(()),
            Err(_) => self.refuse(OVERLOADED, "Try again.").await,
        }
    }

    /// A wish that can be told, or what is wrong with it.
    async fn tell_if(&mut self, wish: Result<FromDesk, Unfit>) -> Result<(), End> {
        match wish {
            Ok(wish) => self.tell(wish).await,
            Err(Unfit { what, mend }) => self.refuse(what, mend).await,
        }
    }

    /// The number of a resident who is called belongs to their story, as that of one who calls.
    fn remember_number(&mut self, number: Private<String>) {
        let web = self.web.clone();
        self.later.push(Box::pin(async move {
            wishes::remember(&web, &number).await;
            None
        }));
    }

    /// The page's description goes to the sound of the server, and the answer comes back by this page alone.
    fn connect_sound(&mut self, sdp: Private<String>) {
        let (answer, answered) = oneshot::channel();
        let offer = SoundOffer { agent: self.operator.clone(), generation: self.held.generation, sdp, answer };
        let taken = self.web.sound.try_send(offer).is_ok();
        self.later.push(Box::pin(async move {
            let answer = if taken { tokio::time::timeout(SOUND_LIMIT, answered).await.ok().and_then(Result::ok) } else { None };
            let mend = "Load the page again; if that does not help, tell an administrator.";
            Some(match answer {
                Some(Ok(sdp)) => ToPage::Sound { sdp },
                Some(Err(what)) => ToPage::Refused { what, mend },
                None => ToPage::Refused { what: "the server has no time for the page's sound".into(), mend: "Try again." },
            })
        }));
    }

    fn write_case(&mut self, call: CallId, topic: String, text: Private<String>, draft: String) {
        let (web, user) = (self.web.clone(), self.user.clone());
        self.later.push(Box::pin(async move {
            let wanted = cases::Wanted::in_call(call, topic, text, draft.clone());
            Some(match cases::write(&web, &user, wanted).await {
                Ok(case) => ToPage::CaseSaved { draft, number: case.number },
                Err(error) => refusal(error),
            })
        }));
    }

    /// Asks the page for a sign of life, and looks whether the account still stands.
    async fn ask_echo(&mut self) -> Result<(), End> {
        self.messages = 0;
        if self.echoed.elapsed() >= ECHO_LOST {
            return Err(End::Silent);
        }
        // A database that is away or slow ends no shift and holds no message up.
        match tokio::time::timeout(ACCOUNT_LIMIT, self.web.store.user(&self.user.name)).await {
            Ok(Ok(Some(user))) if user == self.user => {}
            Ok(Ok(_)) => return Err(End::NoAccount),
            Ok(Err(error)) => tracing::warn!(%error, "an open desk's account could not be checked"),
            Err(_) => tracing::warn!("an open desk's account could not be checked: the database is slow"),
        }
        self.echo = self.echo.wrapping_add(1);
        self.send(&ToPage::Echo { n: self.echo }).await
    }

    async fn refuse(&mut self, what: &str, mend: &'static str) -> Result<(), End> {
        self.send(&ToPage::Refused { what: what.to_owned(), mend }).await
    }

    async fn send(&mut self, message: &ToPage) -> Result<(), End> {
        self.events += 1;
        let text = serde_json::to_string(&Frame { event: self.events, message }).map_err(|_| End::Broken)?;
        self.send_text(text.into()).await
    }

    async fn send_board(&mut self, board: &mut watch::Receiver<Boards>) -> Result<(), End> {
        let text = board.borrow_and_update().text(self.user.role);
        self.send_text(text).await
    }

    async fn send_text(&mut self, text: Utf8Bytes) -> Result<(), End> {
        match tokio::time::timeout(SEND_LIMIT, self.socket.send(Message::Text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Closed),
        }
    }
}

fn refusal(error: WebError) -> ToPage {
    match error {
        WebError::Invalid { what, mend } => ToPage::Refused { what, mend },
        WebError::Missing { what } => ToPage::Refused { what: format!("{what} is not there"), mend: "Write the case from the list." },
        other => {
            tracing::error!(error = %other, "a case could not be written");
            ToPage::Refused { what: "the case could not be written".into(), mend: "It is still in the form; send it again." }
        }
    }
}
