//! How do the parts become a server? Builds them, wires the channels, owns every task, and shuts down in order.

mod alerts;
mod answers;
mod descriptors;
mod first;
mod force;
mod gone;
mod incidents;
mod keying;
mod lookups;
mod notify;
mod outbox;
mod pages;
mod past;
mod projection;
mod sealing;
mod secrets;
mod settings;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::caller::CallerSeen;
use crate::centre::input::Input;
use crate::centre::time::Time;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{self, Engine, Resumed};
use crate::journal::Journal;
use crate::lanes::{self, InputLanes, Inputs};
use crate::media::{self, MediaEngine, MediaParts};
use crate::number_book::NumberBook;
use crate::prompts::{NoticeSounds, PromptBook, Source};
use crate::report::board::Board;
use crate::sdp_book::SdpBook;
use crate::sip::{self, SipParts, SipShell};
use crate::store::Store;
use crate::vitals::{Part, Vitals};
use crate::web::{self, WebParts, WebShell};
pub use answers::{LONGEST_LETTER, message_id, take as take_answer};
use first::First;
use force::Force;
pub use force::Shape;
pub use gone::{Gone, one_is_gone};
use notify::Notify;
use past::Past;
pub use secrets::caller_key;
use world::{Shells, Up, Wires};

/// Places of each input lane: some seconds of a busy centre.
const LANE_PLACES: usize = 16_384;
/// Fact events that a slow screen may be behind before it starts again from the board.
const FACTS_KEPT: usize = 4_096;
/// A watchdog that nobody asks for is looked after this often.
const NOBODY_ASKS: Duration = Duration::from_secs(3600);
/// How long hang-ups and the last facts may take after that.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A running server.
pub struct App {
    /// The way to its core.
    pub inputs: Inputs,
    /// What happens now.
    pub board: Arc<Mutex<Board>>,
    /// The database.
    pub store: Store,
    /// What each screen reads from.
    pub facts: broadcast::Sender<web::FactEvent>,
    sip: Arc<SipShell>,
    media: Arc<MediaEngine>,
    web: Arc<WebShell>,
    config: Config,
    force: Arc<Force>,
    written: watch::Receiver<u64>,
    up: watch::Receiver<Up>,
    health: Arc<web::Health>,
    /// Who runs, and who has come round.
    pub vitals: Vitals,
    tasks: Tasks,
}

/// Every task, in the order in which they are told to stop.
struct Tasks {
    engine: JoinHandle<()>,
    engine_stop: CancellationToken,
    shells_stop: CancellationToken,
    feeders: Vec<JoinHandle<()>>,
    feeders_stop: CancellationToken,
}

/// What a server stands in, beside its settings.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The file that its settings were read from.
    pub file: Option<PathBuf>,
    /// Accounts that everybody may try: this is a demo, and its data are made up.
    pub demo: Vec<web::DemoAccount>,
    /// A resident's number that everybody may try, of the demo.
    pub demo_number: Option<&'static str>,
    /// What is made of settings that are read again.
    pub shape: Shape,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { file: None, demo: Vec::new(), demo_number: None, shape: std::convert::identity }
    }
}

/// `cityline serve`: runs until SIGTERM or Ctrl-C; SIGHUP reads settings and dialplans again.
pub async fn serve(config: Config, file: Option<PathBuf>) -> anyhow::Result<()> {
    let notify = Notify::from_environment();
    let app = App::start_in(config, Surroundings { file, ..Surroundings::default() }).await?;
    app.announce();
    notify.tell("READY=1");
    let mut watchdog = tokio::time::interval(notify.watchdog().unwrap_or(NOBODY_ASKS));
    let mut hang_up = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let gone = one_is_gone(app.vitals.clone());
    tokio::pin!(gone);
    let fault = loop {
        tokio::select! {
            _ = hang_up.recv() => app.reload().await,
            _ = watchdog.tick() => app.tell_life(&notify),
            _ = terminate.recv() => break None,
            _ = tokio::signal::ctrl_c() => break None,
            gone = &mut gone => break Some(gone),
        }
    };
    notify.tell("STOPPING=1");
    match fault {
        None => app.stop().await,
        Some(gone) => Err(app.give_up(gone).await),
    }
}

impl App {
    /// Starts every part, with nothing around it.
    pub async fn start(config: Config) -> anyhow::Result<App> {
        App::start_in(config, Surroundings::default()).await
    }

    /// Starts every part. An error names the part and the mend; nothing is left running then.
    pub async fn start_in(config: Config, surroundings: Surroundings) -> anyhow::Result<App> {
        descriptors::raise(descriptors::wanted(config.limits.max_calls));
        // Before all else: what is counted at the start would be lost.
        let metrics = world::metrics_recorder()?;
        let clock = Clock::of_process();
        let folder = &config.data.folder;
        std::fs::create_dir_all(folder).with_context(|| {
            format!("the data folder {} cannot be made: set data.folder to one that this user may write", folder.display())
        })?;
        let caller_key = secrets::caller_key(folder)?;
        let vitals = Vitals::new(clock);
        let store = Store::open_or_wait(&config).await?;
        let book = Arc::new(load_prompts(&config)?);
        let voices = load_source()?.manifest.voices;
        let sounds = Arc::new(NoticeSounds::open(folder.join("notices"), voices, book.clone()));
        let journal_folder = folder.join("journal");
        let Resumed { centre, next_seq, last_time } = engine::resume(&journal_folder)?;
        let clock = clock.not_before(centre.time());
        let journal_has = First { seq: next_seq, call: centre.highest_call().0 + 1 };
        let First { seq: next_seq, call: next_call } = journal_has.unseen_by(&store, last_time.is_some()).await?;
        let journal = Journal::begin(&journal_folder, &centre, next_seq)?;
        let revision = centre.settings_revision() + 1;
        let settings = config.centre_settings(book.vocabulary().clone(), revision)?;

        let (inputs, lanes) = lanes::lanes(LANE_PLACES);
        let sdps = SdpBook::default();
        let numbers = NumberBook::new(caller_key.clone());
        let [proofs, web_key] = [caller_key.clone(), caller_key.clone()];
        let next_call = Arc::new(AtomicU64::new(next_call));
        let stops = [CancellationToken::new(), CancellationToken::new(), CancellationToken::new()];
        let [engine_stop, shells_stop, feeders_stop] = stops;
        let (seen_tx, seen_rx) = mpsc::channel::<CallerSeen>(lookups::NUMBERS);
        let (sound_tx, sound_rx) = mpsc::channel(pages::OFFERS);
        let (questions_tx, questions_rx) = mpsc::channel(lookups::QUESTIONS);
        let (recalls_tx, recalls_rx) = mpsc::channel(lookups::QUESTIONS);
        inputs.keying().judge_by(keying::judge(numbers.clone(), seen_tx.clone(), clock));
        inputs.keying().set_rules(keying::rules(&config.callbacks.numbers));
        let (written_tx, written) = watch::channel(next_seq - 1);
        let (up_tx, up) = watch::channel(Up::of(&centre));
        let (facts, _) = broadcast::channel(FACTS_KEPT);
        let mut board = Board::new(clock.now());
        board.set_scene(settings::scene(&config, &settings));
        centre.retold().iter().for_each(|(at, fact)| board.apply(*at, fact));
        let board = Arc::new(Mutex::new(board));
        let health = Arc::new(web::Health::new(vitals.clone()));

        let recordings = folder.join("recordings");
        let live = folder.join("live");
        let dialogs = sip::Survivors::open(&live)?;
        let past = last_time.map(|ended| Past { ended, downtime_ms: clock.now().ms_since(ended) });
        let wanted = past.as_ref().map(|past| past.may_live(&centre, &dialogs.legs())).unwrap_or_default();
        let (media, found) = media::resume(
            MediaParts {
                config: config.media.clone(),
                recordings: recordings.clone(),
                inputs: inputs.clone(),
                sdps: sdps.clone(),
                sounds: sounds.book(),
                clock,
                vitals: vitals.clone(),
            },
            Some(media::Survivors::open(&live, &wanted)?),
        )?;
        let media = Arc::new(media);
        let sip = Arc::new(
            sip::resume(
                SipParts {
                    config: config.sip.clone(),
                    trunks: config.trunks.clone(),
                    phones: settings::phones(&config),
                    inputs: inputs.clone(),
                    sdps,
                    caller_key,
                    callers: seen_tx,
                    numbers: numbers.clone(),
                    clock,
                    vitals: vitals.clone(),
                    next_call: next_call.clone(),
                },
                Some((dialogs, found.clone())),
                shells_stop.clone(),
            )
            .await?,
        );
        let (settings_parts, settings_desk) = force::desk(&config, &book);
        let web = Arc::new(
            web::serve(
                WebParts {
                    config: config.web.clone(),
                    store: store.clone(),
                    inputs: inputs.clone(),
                    numbers: numbers.clone(),
                    key: web_key,
                    welcome: settings::welcome(&config, surroundings.demo.clone(), surroundings.demo_number),
                    next_call,
                    sound: sound_tx,
                    board: board.clone(),
                    facts: facts.clone(),
                    operators: settings.agents.iter().map(|(agent, known)| (agent.clone(), (&known.device).into())).collect(),
                    pause_reasons: config.pause_reasons.clone(),
                    settings: settings_parts,
                    zone: config.zone,
                    clock,
                    health: health.clone(),
                    vitals: vitals.clone(),
                    metrics,
                    waits: {
                        let folder = journal_folder.clone();
                        Arc::new(move |call| crate::journal::waits_of(&folder, call).map_err(|error| error.to_string()))
                    },
                },
                shells_stop.clone(),
            )
            .await?,
        );

        health.set_journal(true);
        health.set_sip(true);
        health.set_media(true);
        let wires = Wires {
            questions: questions_tx,
            recalls: recalls_tx,
            numbers: numbers.clone(),
            inputs: inputs.clone(),
            board: board.clone(),
            facts: facts.clone(),
            health: health.clone(),
            written: written_tx,
            up: up_tx,
            zone: config.zone,
            clock,
            pulse: vitals.pulse(Part::Engine),
        };
        let shells = Shells::new(sip.clone(), media.clone(), web.clone(), wires);
        if let Err(error) = media::repair(&recordings) {
            tracing::warn!(%error, "marks of recordings that a crash left open cannot be removed");
        }
        let past = past.map(|past| (past.ended, past.told(&centre, &found, sip.contacts(), &recordings)));
        let incidents = incidents::IncidentParts {
            store: store.clone(),
            inputs: inputs.clone(),
            media: Arc::downgrade(&media),
            sounds: sounds.clone(),
            told: centre.notices().to_vec(),
            clock,
        };
        let alerts = alerts::AlertParts { board: board.clone(), store: store.clone(), tells: alerts::tells(&config.outbox), clock };
        let outbox =
            outbox::OutboxParts { store: store.clone(), config: config.outbox.clone(), folder: folder.join("outbox"), key: proofs, clock };
        let force_shells = force::Shells {
            inputs: inputs.clone(),
            sip: Arc::downgrade(&sip),
            media: Arc::downgrade(&media),
            web: Arc::downgrade(&web),
            sounds: sounds.clone(),
        };
        let Surroundings { file, shape, .. } = surroundings;
        let (force, decisions) = Force::new(file, shape, force_shells, store.clone(), revision, settings_desk);
        let engine = Engine::new(centre, journal, shells, clock);
        let task = |name| vitals.pulse(Part::Task(name));
        let tasks = Tasks {
            engine: spawn_engine(engine, past, Input::SettingsChanged(Box::new(settings)), lanes, engine_stop.clone()),
            engine_stop: engine_stop.clone(),
            shells_stop: shells_stop.clone(),
            feeders: vec![
                tokio::spawn(task("tidying").keep(projection::tidy(
                    store.clone(),
                    journal_folder.clone(),
                    config.data.keep_segments,
                    feeders_stop.clone(),
                ))),
                tokio::spawn(projection::run(
                    store.clone(),
                    journal_folder,
                    written.clone(),
                    feeders_stop.clone(),
                    vitals.pulse(Part::Projection),
                )),
                tokio::spawn(task("sealing").keep(sealing::run(
                    store.clone(),
                    config.seals(),
                    sealing::receivers(&config.outbox),
                    clock,
                    feeders_stop.clone(),
                ))),
                tokio::spawn(task("alerts").keep(alerts::run(alerts, feeders_stop.clone()))),
                tokio::spawn(task("outbox").keep(outbox::run(outbox, feeders_stop.clone()))),
                tokio::spawn(task("incidents").keep(incidents::run(incidents, engine_stop.clone()))),
                tokio::spawn(task("decisions").keep(force.clone().take(decisions, engine_stop.clone()))),
                tokio::spawn(task("pages").keep(pages::connect(Arc::downgrade(&media), sound_rx, shells_stop.clone()))),
                tokio::spawn(task("answers").keep(lookups::answer(
                    store.clone(),
                    clock,
                    questions_rx,
                    inputs.clone(),
                    feeders_stop.clone(),
                ))),
                tokio::spawn(task("recalls").keep(lookups::recall(store.clone(), numbers, recalls_rx, feeders_stop.clone()))),
                tokio::spawn(task("numbers").keep(lookups::remember(store.clone(), seen_rx, feeders_stop.clone()))),
            ],
            feeders_stop,
        };
        Ok(App { inputs, board, store, facts, sip, media, web, config, force, written, up, health, vitals, tasks })
    }

    /// Where phones and trunks find it over UDP.
    pub fn sip_address(&self) -> Option<SocketAddr> {
        self.sip.udp_addr()
    }

    /// Where browsers find it.
    pub fn web_address(&self) -> SocketAddr {
        self.web.address()
    }

    /// The same as a browser is told it.
    pub fn web_url(&self) -> String {
        format!("{}://{}", if self.web.is_secure() { "https" } else { "http" }, self.web.address())
    }

    /// Waits until the database holds every fact of the journal, or for `limit`.
    pub async fn caught_up(&self, limit: Duration) {
        let reached = async {
            let wanted = *self.written.borrow();
            while self.store.position().await.ok().flatten().is_none_or(|position| position.0 < wanted) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(limit, reached).await;
    }

    /// Where people and lines find the server.
    fn announce(&self) {
        for (what, address) in
            [("SIP over UDP", self.sip.udp_addr()), ("SIP over TCP", self.sip.tcp_addr()), ("SIP over TLS", self.sip.tls_addr())]
        {
            if let Some(address) = address {
                tracing::info!("{what} on {address}");
            }
        }
        if let Some(port) = self.media.pages_port() {
            tracing::info!("phones in pages on UDP port {port}");
        }
        tracing::info!("desks on {}", self.web_url());
    }

    /// Reads settings and dialplans again. With an error everything goes on as it was, and the log says why.
    async fn reload(&self) {
        match self.force.reload().await {
            Ok(revision) => tracing::info!(revision, "new settings and dialplans are in force"),
            Err(error) => tracing::error!("the running settings and dialplans stay in force:\n{error:#}"),
        }
    }

    /// While engine, signalling and sound come round, the service manager hears that the process lives.
    fn tell_life(&self, notify: &Notify) {
        if self.health.hangs().is_none() {
            notify.tell("WATCHDOG=1");
        }
    }

    /// A part is gone by a fault of ours: the server ends as in a crash, with its journal synced. Nobody is hung up: the next process takes the
    /// calls up. Returns what is to be told.
    pub async fn give_up(self, gone: Gone) -> anyhow::Error {
        self.vitals.let_end();
        self.tasks.engine_stop.cancel();
        let engine = tokio::time::timeout(LAST_WORDS, self.tasks.engine).await;
        let journal = if engine.is_ok_and(|ended| ended.is_ok()) { "the journal is synced" } else { "the engine does not end by itself" };
        anyhow!(
            "{gone}: the server cannot go on without it, {journal}. Start it again, as systemd and tools/supervise.sh do: it takes the calls up. \
             Report this with the log"
        )
    }

    /// No new calls; those that are up get the time of the settings to end, then they are hung up, or left as they are to the next process;
    /// then every task ends in its order. Errors: a part was gone before that.
    pub async fn stop(self) -> anyhow::Result<()> {
        tracing::info!("draining: no new calls");
        self.health.set_draining();
        let _ = self.inputs.send(Input::DrainStarted);
        let drained = self.until_nothing_is_up(Duration::from_millis(self.config.limits.drain_ms));
        tokio::select! {
            () = drained => {}
            gone = one_is_gone(self.vitals.clone()) => return Err(self.give_up(gone).await),
        }
        let leave = self.config.limits.leave_calls;
        if !leave {
            let _ = self.inputs.send(Input::Stopping);
            self.until_nothing_is_up(LAST_WORDS).await;
        }
        self.vitals.let_end();
        self.tasks.engine_stop.cancel();
        let _ = self.tasks.engine.await;
        self.tasks.shells_stop.cancel();
        if let Ok(sip) = Arc::try_unwrap(self.sip) {
            sip.stopped().await;
        }
        if let Ok(media) = Arc::try_unwrap(self.media) {
            let _ = tokio::task::spawn_blocking(move || if leave { media.leave() } else { media.stop() }).await;
        }
        self.tasks.feeders_stop.cancel();
        for feeder in self.tasks.feeders {
            let _ = feeder.await;
        }
        self.store.close().await;
        Ok(())
    }

    async fn until_nothing_is_up(&self, limit: Duration) {
        let mut up = self.up.clone();
        let _ = tokio::time::timeout(limit, up.wait_for(Up::is_nothing)).await;
    }
}

fn load_prompts(config: &Config) -> anyhow::Result<PromptBook> {
    PromptBook::load(&config.prompts(), &load_source()?.manifest).map_err(all)
}

fn load_source() -> anyhow::Result<Source> {
    Source::embedded().map_err(all)
}

fn all(errors: Vec<crate::prompts::PromptsError>) -> anyhow::Error {
    anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// Ends with the token, or with a fault: then the server must not go on without a core.
fn spawn_engine(
    mut engine: Engine<Shells>,
    past: Option<(Time, Vec<Input>)>,
    settings: Input,
    lanes: InputLanes,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Some((at, told)) = past {
            engine.handle_past(at, told);
        }
        engine.handle_group(&mut vec![settings]);
        if let Err(error) = engine.run(lanes, stop.cancelled_owned()).await {
            tracing::error!(%error, "the engine has ended");
        }
    })
}
