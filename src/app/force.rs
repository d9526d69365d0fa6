//! Which settings are in force, and how do others come to be? By a reload, or by a decision of an administrator; neither costs a call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use anyhow::Context;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::centre::ids::{Language, PromptId};
use crate::centre::input::Input;
use crate::config::edited::{self, Edited};
use crate::config::{Config, ConfigError, Problems};
use crate::lanes::Inputs;
use crate::media::MediaEngine;
use crate::prompts::{NoticeSounds, PromptBook};
use crate::sip::SipShell;
use crate::store::Store;
use crate::web::{DECISIONS, Decision, InForce, SettingsParts, Undecided, WebShell};

use super::{load_prompts, settings};

/// Makes of what is read what is to hold: the demo's city has its own operators' ways and its own folder.
pub type Shape = fn(Config) -> Config;

/// The prompts that plans may name.
type Vocabulary = BTreeSet<(PromptId, Language)>;

/// What settings are put in force on. The shells are held weakly: they end in their order.
pub struct Force {
    file: Option<PathBuf>,
    shape: Shape,
    shells: Shells,
    store: Store,
    revision: Mutex<u64>,
    told: watch::Sender<Arc<InForce>>,
}

/// Who is told.
pub struct Shells {
    /// The way to the core.
    pub inputs: Inputs,
    /// Signalling.
    pub sip: Weak<SipShell>,
    /// Sound.
    pub media: Weak<MediaEngine>,
    /// Pages.
    pub web: Weak<WebShell>,
    /// The sounds of incidents and works, over those of the prompts.
    pub sounds: Arc<NoticeSounds>,
}

/// What the web is given before there is anything to put settings in force on.
pub struct Desk {
    told: watch::Sender<Arc<InForce>>,
    decisions: mpsc::Receiver<Decision>,
}

/// The web's end, and the other one.
pub fn desk(config: &Config, prompts: &PromptBook) -> (SettingsParts, Desk) {
    let told = watch::Sender::new(Arc::new(in_force(config.clone(), prompts.vocabulary().clone())));
    let (decide, decisions) = mpsc::channel(DECISIONS);
    (SettingsParts { now: told.subscribe(), decide }, Desk { told, decisions })
}

fn in_force(config: Config, prompts: Vocabulary) -> InForce {
    let text = edited::text(&config.data.folder).ok().flatten();
    let edited = Edited::read(text.as_deref()).map(|edited| edited.sections()).unwrap_or_default();
    InForce { config, prompts, edited }
}

impl Force {
    /// Settings of `file`, shaped so, that hold as `revision` of the core's.
    pub fn new(
        file: Option<PathBuf>,
        shape: Shape,
        shells: Shells,
        store: Store,
        revision: u64,
        desk: Desk,
    ) -> (Arc<Force>, mpsc::Receiver<Decision>) {
        let force = Force { file, shape, shells, store, revision: Mutex::new(revision), told: desk.told };
        (Arc::new(force), desk.decisions)
    }

    /// Reads settings, decisions and dialplans again, and puts them in force. With an error everything goes on as it was.
    pub async fn reload(&self) -> anyhow::Result<u64> {
        let mut revision = self.revision.lock().await;
        let folder = self.told.borrow().config.data.folder.clone();
        let config = self.shaped(Config::load_in(self.file.as_deref(), &folder)?, &folder);
        let book = Arc::new(load_prompts(&config)?);
        let prompts = book.vocabulary().clone();
        self.put_in_force(config, prompts, &mut revision)?;
        if let Some(media) = self.shells.media.upgrade() {
            media.set_sounds(self.shells.sounds.set_base(book));
        }
        Ok(*revision)
    }

    /// Takes decisions one after the other until `stop`.
    pub async fn take(self: Arc<Self>, mut decisions: mpsc::Receiver<Decision>, stop: CancellationToken) {
        while let Some(Some(decision)) = stop.run_until_cancelled(decisions.recv()).await {
            let Decision { revision, edit, new, answer } = decision;
            let decided = self.decide(revision, edit, new).await;
            // Whoever asked may have gone; the record says what was decided.
            let _ = answer.send(decided);
        }
    }

    async fn decide(&self, read: u64, edit: edited::Edit, new: crate::store::NewRevision) -> Result<u64, Undecided> {
        let mut revision = self.revision.lock().await;
        let current = self.told.borrow().clone();
        if read != current.config.edition {
            return Err(Undecided::Outdated { now: current.config.edition });
        }
        let folder = &current.config.data.folder;
        let before = edited::text(folder).map_err(Undecided::Disk)?;
        let last = self.store.settings_revision().await?;
        let next = u64::try_from(last).unwrap_or(0).max(current.config.edition) + 1;
        let faults = |Problems(problems): Problems| Undecided::Faults(problems);
        let edited = Edited::read(before.as_deref()).map_err(faults)?.with(edit, &current.config, next).map_err(faults)?;
        let text = edited.written().map_err(faults)?;
        let unsound = |error: ConfigError| Undecided::Faults(error.problems());
        let config = self.shaped(Config::load_with(self.file.as_deref(), Some(&text)).map_err(unsound)?, folder);
        config.centre_settings(current.prompts.clone(), 1).map_err(|error| told(error.into()))?;
        // The record first: nothing holds that nobody has decided.
        let number = i64::try_from(next).unwrap_or(i64::MAX);
        if !self.store.add_settings_revision(number, &new, &edited.told().to_string()).await? {
            return Err(Undecided::Outdated { now: next });
        }
        let held = kept(folder, text).await.map_err(Undecided::Disk);
        let held = held.and_then(|()| self.put_in_force(config, current.prompts.clone(), &mut revision).map_err(told));
        if let Err(error) = held {
            self.take_back(number, folder, before.as_deref()).await;
            return Err(error);
        }
        Ok(next)
    }

    /// The settings as they are to hold. The data stay where they are while the server runs.
    fn shaped(&self, config: Config, folder: &Path) -> Config {
        let mut config = (self.shape)(config);
        config.data.prompts = config.prompts();
        config.data.folder = folder.to_owned();
        config
    }

    /// What could not be put in force was not decided.
    async fn take_back(&self, number: i64, folder: &Path, before: Option<&str>) {
        let restored = before.map_or_else(|| std::fs::remove_file(edited::path(folder)), |text| edited::keep(folder, text));
        if let Err(error) = restored {
            tracing::error!(%error, "a decision that does not hold stays in {}: take it away", edited::path(folder).display());
        }
        if let Err(error) = self.store.remove_settings_revision(number).await {
            tracing::error!(%error, number, "a decision that does not hold stays on record");
        }
    }

    fn put_in_force(&self, config: Config, prompts: Vocabulary, revision: &mut u64) -> anyhow::Result<()> {
        let gone = "the server is ending";
        let (sip, web) = (self.shells.sip.upgrade().context(gone)?, self.shells.web.upgrade().context(gone)?);
        let settings = config.centre_settings(prompts.clone(), *revision + 1)?;
        let operators = settings.agents.iter().map(|(agent, known)| (agent.clone(), (&known.device).into())).collect();
        let scene = settings::scene(&config, &settings);
        web.reload_tls(&config.web)?;
        sip.reload_tls(&config.sip)?;
        sip.reload_trunks(&config.trunks)?;
        sip.reload_phones(settings::phones(&config))?;
        self.shells.inputs.send(Input::SettingsChanged(Box::new(settings)))?;
        self.shells.inputs.keying().set_rules(super::keying::rules(&config.callbacks.numbers));
        let told = Arc::new(in_force(config, prompts));
        web.reload(&operators, scene, told.config.pause_reasons.clone());
        *revision += 1;
        self.told.send_replace(told);
        Ok(())
    }
}

/// Keeps the file on a thread of its own: a slow disk holds up no call.
async fn kept(folder: &Path, text: String) -> std::io::Result<()> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || edited::keep(&folder, &text)).await.map_err(std::io::Error::other)?
}

/// An error of a part, as faults of the decision: each line is one, with its mend.
fn told(error: anyhow::Error) -> Undecided {
    Undecided::Faults(format!("{error:#}").lines().map(str::to_owned).collect())
}
