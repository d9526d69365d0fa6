//! What did the administrator decide? One `Config`, read from embedded defaults, one file and the environment, checked once.

mod alerts;
mod board;
mod calendar;
mod centre_settings;
mod check;
pub mod edited;
#[cfg(test)]
mod fuzz;
mod shifts;
mod trunks;
mod webhooks;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

use crate::centre::credit::Credits;
use crate::centre::schedule::Calendar;
use crate::centre::settings::Strategy;
use crate::centre::skill::Skills;
use crate::private::Private;

pub use alerts::AlertRule;
pub use board::{Board, Targets};
pub use centre_settings::{PlanText, SettingsError};
pub use check::{Problems, network_has, parse_network};
pub use shifts::{ShiftTemplate, ShiftWanted};
pub use trunks::{Host, Login, NumberRule, NumberRules, Transport, Trunk, is_host_name};

/// The settings that run a complete centre on loopback, without any file.
pub const DEFAULTS: &str = include_str!("config/defaults.toml");

/// Everything that is decided outside the program. A key that does not exist is an error that names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The city's IANA time zone: in which year a case is counted.
    pub zone: chrono_tz::Tz,
    /// Where the journal, the database and the recordings live.
    pub data: Data,
    /// Signalling.
    pub sip: Sip,
    /// Sound.
    pub media: Media,
    /// Desks, pages and health checks.
    pub web: Web,
    /// Messages to organisations, supervisors and city hall.
    #[serde(default)]
    pub outbox: Outbox,
    /// Limits of the whole centre.
    pub limits: Limits,
    /// The wallboard.
    #[serde(default)]
    pub board: Board,
    /// Of what supervisors are alerted.
    #[serde(default)]
    pub alerts: Vec<AlertRule>,
    /// Lines into the city's exchange, by name.
    pub trunks: BTreeMap<String, Trunk>,
    /// Opening hours by name.
    pub calendars: BTreeMap<String, Hours>,
    /// Queues by name.
    pub queues: BTreeMap<String, Queue>,
    /// Operators by name.
    pub operators: BTreeMap<String, Operator>,
    /// Why operators may pause.
    pub pause_reasons: Vec<String>,
    /// Dialplan files, as seen from the settings file; empty for the embedded 109, 1520 and quality line.
    pub dialplans: Vec<PathBuf>,
    /// By how much longer callers count as waiting, for what their story tells.
    pub credits: Credits,
    /// How those are called back who want to be.
    pub callbacks: Callbacks,
    /// When shifts go on, by name.
    #[serde(default)]
    pub shift_templates: BTreeMap<String, ShiftTemplate>,
    /// Who works when, by the shifts' names; without any everybody is on shift.
    #[serde(default)]
    pub shifts: BTreeMap<String, ShiftWanted>,
    /// Dialplans as texts, by their names; one takes the place of the file of its name (`109` of `109.toml`).
    #[serde(default)]
    pub plans: BTreeMap<String, String>,
    /// What callers hear while the centre is evacuated.
    #[serde(default)]
    pub evacuation: Evacuation,
    /// How often administrators have decided something on their screen; see [`edited`].
    #[serde(default)]
    pub edition: u64,
}

/// Where things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The folder of journal, recordings, prompts and the default database; made when it is not there.
    pub folder: PathBuf,
    /// `sqlite:PATH` or `postgres://…`; empty for `cityline.db` in the folder.
    pub database: Private<String>,
    /// Folder of the spoken prompts; empty for `prompts` in the folder.
    pub prompts: PathBuf,
    /// Segments of the journal that are kept although the database holds all of their facts, at least 2.
    pub keep_segments: usize,
    /// The file to which the register's seals are appended; empty for `seals.txt` in the folder. It should lie where whoever can write the
    /// database cannot: a file server that only lets append, another machine.
    pub seals: PathBuf,
}

/// Signalling.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sip {
    /// UDP address to listen on.
    pub udp: Option<SocketAddr>,
    /// TCP address to listen on.
    pub tcp: Option<SocketAddr>,
    /// TLS address to listen on, customarily at port 5061; wants a certificate and its key.
    #[serde(default)]
    pub tls: Option<SocketAddr>,
    /// PEM file of our certificate with its chain, as seen from the settings file.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of the certificate's key, as seen from the settings file.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// PEM file of the certificates that far ends must be signed by when we call them over TLS, as seen from the settings file.
    #[serde(default)]
    pub trusted: Option<PathBuf>,
    /// What Contact and Via show to the outside, where it differs from the listening address (NAT).
    pub shown: Option<IpAddr>,
    /// The digest realm of operators' phones.
    pub realm: String,
    /// The longest registration granted, in seconds.
    pub register_s: u32,
    /// New calls a second that are taken before 503; 0 for no limit.
    pub calls_per_second: u32,
    /// Whether phones are offered SHA-256 beside MD5 (RFC 8760). It is taken from those that use it in any case; offering it
    /// keeps phones from registering that stumble over an algorithm they do not know (baresip 1.0).
    #[serde(default)]
    pub offer_sha256: bool,
}

/// Sound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// The address that session descriptions name and sockets bind.
    pub address: IpAddr,
    /// First and last UDP port; each leg takes an even one, RTCP the odd one above it.
    pub ports: (u16, u16),
    /// Media threads; 0 for one a core.
    pub threads: usize,
    /// "No sound" is told after this, in milliseconds.
    pub silence_after_ms: u64,
    /// Whether digits are also listened for in the sound of callers whose line offers no RFC 4733.
    pub inband_digits: bool,
    /// Whether the keys of an offer of plain RTP (RTP/AVP with a=crypto) are taken; a far end that wants SRTP says RTP/SAVP (RFC 4568).
    #[serde(default)]
    pub srtp_on_avp: bool,
    /// The UDP port through which all pages of desks speak and hear (WebRTC), on `address`; 0 for none.
    #[serde(default)]
    pub webrtc_port: u16,
    /// Where pages are told to reach that port, if not at `address`: what a NAT shows of this machine.
    #[serde(default)]
    pub webrtc_addresses: Vec<IpAddr>,
}

/// Desks and pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Address of the HTTP server.
    pub listen: SocketAddr,
    /// How long a session lives without a request, in seconds.
    pub session_s: u64,
    /// The breaks of a shift, from its beginning on: pages tell operators when one is due.
    #[serde(default)]
    pub breaks: Vec<Break>,
    /// PEM file of the pages' certificate with its chain, as seen from the settings file. With one pages come over HTTPS; plain HTTP is for
    /// this machine alone then. It is read again when it changes.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of the certificate's key, as seen from the settings file.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Whether a certificate is made at each start where no file is named: for a try, because browsers warn of it.
    #[serde(default)]
    pub own_certificate: bool,
}

/// A break of a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// So many milliseconds after the operator has signed in.
    pub after_ms: u64,
    /// It may last so many milliseconds.
    pub length_ms: u64,
}

/// Messages: by an organisation's webhook, else by mail, else into files of the folder `outbox` of the data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// The program that mails, with its arguments; it reads the whole message, as `sendmail -t` does. Without one nothing is mailed.
    #[serde(default)]
    pub sendmail: Vec<String>,
    /// The address that mail comes from.
    #[serde(default)]
    pub from: String,
    /// The address that organisations answer to; the mail server gives what comes there to `cityline answer`. Without one they answer `from`.
    #[serde(default)]
    pub answers: String,
    /// The mail address of the supervisors.
    #[serde(default)]
    pub supervisors: String,
    /// The mail address of city hall.
    #[serde(default)]
    pub city: String,
    /// The mail address to which each seal of the register goes, beside the file.
    #[serde(default)]
    pub seals_mail: String,
    /// The address that each seal of the register is posted to, beside the file.
    #[serde(default)]
    pub seals_webhook: String,
    /// The address that alerts are posted to, when they are raised and when they end.
    #[serde(default)]
    pub alerts_webhook: String,
    /// By which they are signed; without it there is no signature.
    #[serde(default)]
    pub alerts_secret: Private<String>,
    /// The address of the gateway that sends short messages: each is posted to it as JSON, with `number` and `text` in `event`. Without one
    /// residents' codes lie in the folder `outbox` alone, and nobody outside opens a cabinet.
    #[serde(default)]
    pub sms_webhook: String,
    /// PEM file of the certificates that webhooks must be signed by, as seen from the settings file; without it those that the system trusts.
    #[serde(default)]
    pub trusted: Option<PathBuf>,
}

/// Limits of the whole centre; see `centre::settings::Limits`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Calls up at once.
    pub max_calls: u32,
    /// Milliseconds that a dialled outside party may ring.
    pub dial_ms: u64,
    /// Milliseconds until an operator without a desk who did not answer is tried again.
    pub rest_ms: u64,
    /// Milliseconds of silence from the resident that end a talk, 0 for never.
    pub no_sound_ends_ms: u64,
    /// Milliseconds by which an operator may extend a wrap-up, once.
    pub extend_wrap_up_ms: u64,
    /// Milliseconds of rest after a caller who was abusive.
    pub cool_off_ms: u64,
    /// On SIGTERM calls get this long to end by themselves, in milliseconds.
    pub drain_ms: u64,
    /// Whether calls that are up after that are left to the next process, which takes them up; otherwise they are hung up.
    pub leave_calls: bool,
}

/// How those are called back who want to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callbacks {
    /// The operator is not asked: a callback that a desk shows is accepted by itself.
    pub automatic: bool,
    /// How often somebody is called before they count as not reached.
    pub tries: u8,
    /// After how many seconds they are called again.
    pub again_after_s: u64,
    /// How many seconds their phone rings.
    pub ring_s: u64,
    /// Callbacks that may stand at once; a further wish is refused.
    pub most: u32,
    /// The calendar in whose hours they are called; empty for any time.
    pub calendar: String,
    /// Which numbers callers may key.
    pub numbers: KeyedNumbers,
}

/// Which numbers callers may key to be called at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyedNumbers {
    /// The fewest digits.
    pub least_digits: usize,
    /// The most digits.
    pub most_digits: usize,
    /// What begins like one of these is refused.
    pub refused: Vec<String>,
    /// What begins like none of these is refused, where there are any.
    pub allowed: Vec<String>,
}

/// Opening hours: `zone = "Asia/Qostanay"`, `mon = ["09:00-18:00"]`, `special = { "2026-12-16" = [] }`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// IANA time zone.
    pub zone: String,
    /// Open spans by weekday (`mon` … `sun`), "HH:MM-HH:MM"; a day that is not named is closed.
    #[serde(default)]
    pub week: BTreeMap<String, Vec<String>>,
    /// Days with hours of their own, by date.
    #[serde(default)]
    pub special: BTreeMap<String, Vec<String>>,
}

impl Hours {
    /// The calendar of these hours under a name.
    ///
    /// # Errors
    /// What is wrong and the mend, one line a problem.
    pub fn calendar(&self, name: &str) -> Result<Calendar, Vec<String>> {
        calendar::build(name, self)
    }
}

/// A queue; what is not given is as in `QueueSettings::default`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Skills that its operators need.
    #[serde(default)]
    pub skills: Vec<String>,
    /// Whether the caller's language is required.
    pub language_required: Option<bool>,
    /// Music by its prompt id.
    pub music: Option<String>,
    /// Milliseconds between announcements, 0 for none.
    pub announce_every_ms: Option<u64>,
    /// Milliseconds that an offer rings.
    pub offer_ms: Option<u64>,
    /// Milliseconds of wrap-up.
    pub wrap_up_ms: Option<u64>,
    /// Callers that may wait.
    pub max_waiting: Option<u32>,
    /// Milliseconds that a caller may wait, 0 for any time.
    pub max_wait_ms: Option<u64>,
    /// Whether talks are recorded.
    pub record: Option<bool>,
    /// Milliseconds after which an offer that a desk shows is accepted by itself, 0 for never.
    pub auto_answer_ms: Option<u64>,
    /// Who may take a caller after how long a wait: the best first, later the good, at last anyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub rings: Vec<Ring>,
    /// Which of several operators gets the call; without a word the longest idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// By so many milliseconds longer its callers count as waiting, 0 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_ms: Option<u64>,
    /// After so many milliseconds of waiting announcements offer a callback, where the plan has a step for it; 0 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_after_ms: Option<u64>,
    /// Whether announcements are spoken over the music, which is lowered meanwhile; they are where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_music: Option<bool>,
    /// When it is in surge by itself; without it by a supervisor's order alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surge: Option<Surge>,
}

/// A queue is in surge as soon as more than `calls` callers come within `within_s`, until it has been calm for `calm_s`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueueSurge)]
pub struct Surge {
    /// More callers than this, 1 to 1000.
    pub calls: u32,
    /// Within so many seconds, an hour at most.
    pub within_s: u64,
    /// Over after so many seconds at whose arrivals the count was at the half or below, an hour at most.
    pub calm_s: u64,
}

/// What callers hear while the centre is evacuated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evacuation {
    /// The text, by its prompt id; `evacuation` where it is not given.
    #[serde(default)]
    pub prompt: Option<String>,
    /// A step of the dialplans to which calls that come in go instead; plans without it say the text.
    #[serde(default)]
    pub step: Option<String>,
}

/// Who may take a caller who has waited for so long.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueueRing)]
pub struct Ring {
    /// From this wait on, in milliseconds; 0 for the first ring.
    pub after_ms: u64,
    /// The least level of every needed skill, 1 to 10; 1 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Skills of the queue that are not needed any more; a language that is required stays so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub drop: Vec<String>,
}

/// An operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Skills, languages by their code among them: a list, or a table of levels from 0 to 10.
    pub skills: Skills,
    /// The SIP user and password of the operator's phone.
    pub phone: Option<Phone>,
    /// A fixed SIP address instead of a phone that registers.
    pub address: Option<String>,
    /// Registering the phone is being ready: for operators without a desk.
    #[serde(default)]
    pub ready_when_registered: bool,
    /// Offers ring at the desk alone; accepted there, the phone is dialled and answers by itself.
    #[serde(default)]
    pub answer_at_desk: bool,
    /// The desk's page is the phone; a registered one is not rung.
    #[serde(default)]
    pub browser: bool,
}

/// Credentials of an operator's phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// The user part of its address of record ("201").
    pub user: String,
    /// The digest password.
    pub password: Private<String>,
    /// Whether what we offer it is protected sound only; where it is not given, whether the phone has registered over TLS.
    #[serde(default)]
    pub secure: Option<bool>,
}

/// The settings cannot be used. Every problem is listed; each names the key and the mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, or a key or value of it is wrong.
    #[error("settings: {0}")]
    Read(Box<figment::Error>),
    /// What administrators decided cannot be read.
    #[error("settings: {} cannot be read ({why}); give this user the right to", path.display())]
    Edited {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Values that do not fit together.
    #[error("settings:\n{0}")]
    Check(Problems),
}

impl ConfigError {
    /// What is wrong, one line a problem with its mend.
    pub fn problems(&self) -> Vec<String> {
        match self {
            ConfigError::Check(Problems(problems)) => problems.clone(),
            ConfigError::Read(_) | ConfigError::Edited { .. } => vec![self.to_string()],
        }
    }
}

impl Config {
    /// Embedded defaults, then `file`, then what administrators decided on their screen, then `CITYLINE_SECTION__KEY` of the environment;
    /// checked as a whole.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        let read = |error| ConfigError::Read(Box::new(error));
        let folder: PathBuf = layers(file, None).extract_inner("data.folder").map_err(read)?;
        Config::load_in(file, &folder)
    }

    /// The same with the decisions that lie in this data folder.
    pub fn load_in(file: Option<&Path>, folder: &Path) -> Result<Config, ConfigError> {
        let edited = edited::text(folder).map_err(|why| ConfigError::Edited { path: edited::path(folder), why })?;
        Config::load_with(file, edited.as_deref())
    }

    /// The same with these decisions, as their file says them.
    pub fn load_with(file: Option<&Path>, edited: Option<&str>) -> Result<Config, ConfigError> {
        let mut config: Config = layers(file, edited).extract().map_err(|error| ConfigError::Read(Box::new(error)))?;
        config.place_files(file);
        config.check()?;
        Ok(config)
    }

    /// Dialplans and certificates are named as seen from the settings file.
    fn place_files(&mut self, file: Option<&Path>) {
        let Some(folder) = file.and_then(Path::parent) else { return };
        let Sip { certificate, key, trusted, .. } = &mut self.sip;
        let pages = [&mut self.web.certificate, &mut self.web.key];
        let certificates = [certificate, key, trusted, &mut self.outbox.trusted].into_iter().chain(pages).flatten();
        for named in self.dialplans.iter_mut().chain(certificates) {
            *named = folder.join(&named);
        }
    }

    /// The database's address, the default one filled in.
    pub fn database(&self) -> Private<String> {
        if self.data.database.reveal().is_empty() {
            Private::new(format!("sqlite:{}", self.data.folder.join("cityline.db").display()))
        } else {
            self.data.database.clone()
        }
    }

    /// The file of the register's seals, the default one filled in.
    pub fn seals(&self) -> PathBuf {
        if self.data.seals.as_os_str().is_empty() { self.data.folder.join("seals.txt") } else { self.data.seals.clone() }
    }

    /// The folder of the spoken prompts, the default one filled in.
    pub fn prompts(&self) -> PathBuf {
        if self.data.prompts.as_os_str().is_empty() { self.data.folder.join("prompts") } else { self.data.prompts.clone() }
    }
}

/// What the settings are made of, the first beneath.
fn layers(file: Option<&Path>, edited: Option<&str>) -> Figment {
    let edits = edited.map_or_else(Figment::new, |text| Figment::from(Toml::string(text)));
    let own = file.map_or_else(Figment::new, |path| Figment::from(edited::Beneath::new(path, &edits)));
    defaults_for(&[&own, &edits]).merge(own).merge(edits).merge(Env::prefixed("CITYLINE_").ignore(&["log"]).split("__"))
}

/// The embedded defaults, less the sections of names that are there: a site's own operators must not mix with the demo's.
fn defaults_for(there: &[&Figment]) -> Figment {
    let mut defaults: toml::Table = DEFAULTS.parse().unwrap_or_default();
    for section in ["trunks", "queues", "operators", "calendars"] {
        if there.iter().any(|layer| layer.find_value(section).is_ok()) {
            defaults.remove(section);
        }
    }
    Figment::from(Serialized::defaults(defaults))
}
