//! What do browsers get? Sign-in, the operators' desks, the live board, cases, calls, recordings, health and metrics.

mod accesses;
mod accounts;
mod alerts;
mod auth;
mod cabinet;
mod cabinet_code;
mod callbacks;
mod calls;
mod case_view;
mod cases;
mod desk;
mod desks;
mod dialplans;
mod document;
mod door;
mod error;
mod evidence;
mod extract;
#[cfg(test)]
mod fuzz;
mod guard;
mod guesses;
mod health;
mod imports;
mod incidents;
mod kiosks;
mod live;
mod me;
mod messages;
mod metrics;
pub mod orders;
mod organisations;
mod own_day;
mod pace;
mod page;
mod proposing;
mod recordings;
mod reference;
mod register;
mod resident;
mod residents;
mod router;
mod second_factor;
mod settings;
pub mod shifts;
mod status;
mod story;
mod tls;
mod welcome;
mod wire;
mod wishes;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use axum::serve::ListenerExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::caller::CallerKey;
use crate::centre::explanation::Moment;
use crate::centre::fact::Fact;
use crate::centre::ids::{AgentId, CallId, Generation};
use crate::centre::output::{Offer, ToDesk};
use crate::centre::time::Time;
use crate::clock::Clock;
use crate::config;
use crate::lanes::Inputs;
use crate::number_book::NumberBook;
use crate::private::Private;
use crate::report::board::{Board, BoardView, Scene};
use crate::store::Store;
use crate::vitals::{Part, Vitals};

use cabinet_code::Paces;
use desks::{Change, Desks, Seen};
use door::{Door, Limits, Visitor};
use guesses::Guesses;
use pace::Pace;
use tls::Certificate;

pub use document::openapi;
pub use error::WebError;
pub use health::{Health, HealthView};
pub use messages::{Frame, FromPage, SpeaksBy, ToPage};
pub use router::{Declared, Verb, declared};
pub use settings::{DECISIONS, Decision, InForce, SettingsParts, Undecided};
pub use tls::{TlsError, check_tls};
pub use welcome::{DemoAccount, Welcome};

/// Questions for the status of a case that one address may ask in a minute.
const STATUS_A_MINUTE: u32 = 60;

/// Boards that the screens behind one address may ask for in a minute: twenty screens, each every two seconds.
const KIOSKS_A_MINUTE: u32 = 600;

/// Expired sessions are deleted this often.
const SESSIONS_SWEPT_EVERY: std::time::Duration = std::time::Duration::from_secs(600);

/// A form that nobody has touched for so many milliseconds is forgotten: a week.
const DRAFTS_KEPT_MS: u64 = 7 * 86_400_000;

/// One fact with its moment, for whoever follows what happens live.
#[derive(Clone, Debug)]
pub struct FactEvent {
    /// When.
    pub at: Time,
    /// What.
    pub fact: Fact,
}

impl FactEvent {
    /// The event of a fact; `None` for one that no screen heeds.
    pub fn of(at: Time, fact: &Fact) -> Option<FactEvent> {
        Change::of(fact).map(|_| FactEvent { at, fact: fact.clone() })
    }
}

/// The sound that a page wants to exchange, on its way to those who can.
pub struct SoundOffer {
    /// Whose page.
    pub agent: AgentId,
    /// Which page of theirs.
    pub generation: Generation,
    /// Its session description.
    pub sdp: Private<String>,
    /// Takes the answer, or what is wrong.
    pub answer: oneshot::Sender<Result<String, String>>,
}

/// What the web layer is given.
pub struct WebParts {
    /// Where to listen, and how long sessions live.
    pub config: config::Web,
    /// The database.
    pub store: Store,
    /// The way to the engine.
    pub inputs: Inputs,
    /// Numbers that operators type, for signalling to dial.
    pub numbers: NumberBook,
    /// The secret of the data folder: from it follow second factors, and what proves a resident's code.
    pub key: CallerKey,
    /// What everybody may know.
    pub welcome: Welcome,
    /// The next call's id, counted together with signalling.
    pub next_call: Arc<AtomicU64>,
    /// Where pages' sound is connected; a full channel has the page try again.
    pub sound: mpsc::Sender<SoundOffer>,
    /// The live board; `app` applies each fact to it before it sends the fact on.
    pub board: Arc<Mutex<Board>>,
    /// Where facts are sent as they happen.
    pub facts: broadcast::Sender<FactEvent>,
    /// The operators of the settings with what they speak by: accounts of other names have no desk.
    pub operators: BTreeMap<AgentId, SpeaksBy>,
    /// Why operators may pause.
    pub pause_reasons: Vec<String>,
    /// The settings that are in force, and the way to change them.
    pub settings: SettingsParts,
    /// The city's time zone, for the year in a case's number.
    pub zone: chrono_tz::Tz,
    /// The time.
    pub clock: Clock,
    /// How the parts of the process are.
    pub health: Arc<Health>,
    /// Where a task is missed when it ends.
    pub vitals: Vitals,
    /// What was counted.
    pub metrics: PrometheusHandle,
    /// What was found of the operators while a call waited; it reads files, and takes its time.
    pub waits: Waits,
}

/// Reads why a call waited as it did; an error is told as text.
pub type Waits = Arc<dyn Fn(CallId) -> Result<Vec<Moment>, String> + Send + Sync>;

/// What every handler shares.
pub(crate) struct Web {
    config: config::Web,
    store: Store,
    inputs: Inputs,
    numbers: NumberBook,
    key: CallerKey,
    welcome: Welcome,
    next_call: Arc<AtomicU64>,
    sound: mpsc::Sender<SoundOffer>,
    board: Arc<Mutex<Board>>,
    pause_reasons: watch::Sender<Vec<String>>,
    settings: SettingsParts,
    zone: chrono_tz::Tz,
    clock: Clock,
    health: Arc<Health>,
    metrics: PrometheusHandle,
    waits: Waits,
    desks: Desks,
    imports: imports::Imports,
    guesses: Mutex<Guesses>,
    status_pace: Pace,
    kiosk_pace: Pace,
    cabinet_paces: Paces,
    certificate: Certificate,
    live: watch::Receiver<live::Boards>,
    stop: CancellationToken,
}

/// The running server.
pub struct WebShell {
    web: Arc<Web>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

/// Listens and serves until `stop`. Fails when the address cannot be had.
pub async fn serve(parts: WebParts, stop: CancellationToken) -> Result<WebShell, WebError> {
    let wanted = parts.config.listen;
    let listen = |why| WebError::Listen { address: wanted, why };
    let listener = TcpListener::bind(wanted).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let certificate = Certificate::read(&parts.config)?;
    let facts = parts.facts.subscribe();
    let (board_sender, live) = watch::channel(live::Boards::default());
    let web = Arc::new(Web {
        config: parts.config,
        store: parts.store,
        inputs: parts.inputs,
        numbers: parts.numbers,
        key: parts.key,
        welcome: parts.welcome,
        next_call: parts.next_call,
        sound: parts.sound,
        board: parts.board,
        pause_reasons: watch::Sender::new(parts.pause_reasons),
        settings: parts.settings,
        zone: parts.zone,
        clock: parts.clock,
        health: parts.health,
        metrics: parts.metrics,
        waits: parts.waits,
        desks: Desks::new(parts.operators),
        imports: imports::Imports::default(),
        guesses: Mutex::default(),
        cabinet_paces: Paces::default(),
        certificate,
        status_pace: Pace::new(STATUS_A_MINUTE, 60_000),
        kiosk_pace: Pace::new(KIOSKS_A_MINUTE, 60_000),
        live,
        stop: stop.clone(),
    });
    let mut tasks = JoinSet::new();
    let pulse = |name| parts.vitals.pulse(Part::Task(name));
    tasks.spawn(pulse("desks").keep(follow_facts(web.clone(), facts)));
    tasks.spawn(pulse("board").keep(live::publish(web.clone(), board_sender)));
    tasks.spawn(pulse("sessions").keep(sweep_sessions(web.clone())));
    tasks.spawn(pulse("certificate").keep(tls::follow(web.clone())));
    tasks.spawn(pulse("web server").keep(answer(listener, web.clone(), stop)));
    Ok(WebShell { web, address, tasks })
}

impl WebShell {
    /// Tells an operator's page what the core orders. Never waits: a page that cannot take it is cut off and comes back.
    pub fn carry_out(&self, order: ToDesk) {
        let seen = match &order {
            ToDesk::Offer { offer, .. } | ToDesk::Work { offer, .. } => self.web.seen(offer),
            ToDesk::OfferGone { .. } | ToDesk::Refused { .. } | ToDesk::Ordered { .. } => Seen::default(),
        };
        self.web.desks.carry_out(order, seen);
    }

    /// Puts the certificate of other settings in force; connections that are up keep theirs.
    ///
    /// # Errors
    /// When it cannot be used; then the former one stays.
    pub fn reload_tls(&self, config: &config::Web) -> Result<(), TlsError> {
        self.web.certificate.reload(config)
    }

    /// Whether pages come over TLS.
    pub fn is_secure(&self) -> bool {
        self.web.certificate.watch().borrow().is_some()
    }

    /// Puts other settings in force. Open pages are told the reasons and by what their operators speak; a page of somebody who is no
    /// operator any more stays until it closes, as the core lets a talk end. The queues stand on the board.
    pub fn reload(&self, operators: &BTreeMap<AgentId, SpeaksBy>, scene: Scene, pause_reasons: Vec<String>) {
        self.web.board.lock().unwrap_or_else(PoisonError::into_inner).set_scene(scene);
        self.web.desks.seat(operators);
        self.web.pause_reasons.send_replace(pause_reasons);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until everything has ended after `stop`.
    pub async fn ended(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Web {
    /// Reads the board; `app` writes it with every fact, so this must be short.
    fn with_board<T>(&self, read: impl FnOnce(&Board) -> T) -> T {
        read(&self.board.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known of a call without asking the database.
    fn seen(&self, offer: &Offer) -> Seen {
        let number = self.with_board(|board| board.number(offer.call).cloned());
        let masked = |reference| self.numbers.number(reference).map(|number| number.masked());
        Seen { number, caller: masked(offer.caller), called: offer.callback.as_ref().and_then(|back| masked(back.to)) }
    }

    fn board_view(&self) -> BoardView {
        self.with_board(|board| board.view(self.clock.now()))
    }
}

async fn answer(listener: TcpListener, web: Arc<Web>, stop: CancellationToken) {
    // `axum` tells handlers the address of a listener of our own only through `tap_io`.
    let door = Door::new(listener, Limits::USUAL, web.certificate.watch()).tap_io(|_| {});
    let service = router::router(web).into_make_service_with_connect_info::<Visitor>();
    let served = axum::serve(door, service).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the web server ended");
    }
}

/// Tells the desks what happened. When too much happened at once the board says how everybody stands.
async fn follow_facts(web: Arc<Web>, mut facts: broadcast::Receiver<FactEvent>) {
    let mut settings = web.settings.now.clone();
    settings.mark_changed();
    while let Some(next) = web.stop.run_until_cancelled(facts.recv()).await {
        if settings.has_changed().unwrap_or(false) {
            web.desks.show_supervision(settings.borrow_and_update().config.board.show_supervision);
        }
        match next {
            Ok(event) => web.desks.follow(event.at, &event.fact),
            Err(broadcast::error::RecvError::Lagged(_)) => catch_up(&web),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

fn catch_up(web: &Web) {
    let states = web.with_board(|board| board.states());
    for (operator, state, since) in states {
        web.desks.tell_state(&operator, &state, since);
    }
}

async fn sweep_sessions(web: Arc<Web>) {
    let mut ticks = tokio::time::interval(SESSIONS_SWEPT_EVERY);
    while web.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = web.store.forget_expired_sessions(web.clock.now()).await {
            tracing::warn!(%error, "expired sessions could not be deleted");
        }
        if let Err(error) = web.store.forget_expired_codes(web.clock.now()).await {
            tracing::warn!(%error, "expired codes of residents could not be deleted");
        }
        let week_ago = Time(web.clock.now().0.saturating_sub(DRAFTS_KEPT_MS));
        if let Err(error) = web.store.forget_old_drafts(week_ago).await {
            tracing::warn!(%error, "old drafts could not be deleted");
        }
    }
}
