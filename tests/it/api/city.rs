//! A small city for the tests of the web layer: the server with accounts, and the engine's end of the lanes in the test's hand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cityline::caller::CallerKey;
use cityline::centre::fact::Fact;
use cityline::centre::ids::AgentId;
use cityline::centre::input::Input;
use cityline::centre::time::Time;
use cityline::clock::Clock;
use cityline::lanes::{InputLanes, lanes};
use cityline::number_book::NumberBook;
use cityline::private::Private;
use cityline::report::board::Board;
use cityline::store::{Position, Projected, Role, Standing, Store};
use cityline::vitals::Vitals;
use cityline::web::{FactEvent, Health, InForce, SettingsParts, SpeaksBy, WebParts, WebShell, serve};
use cityline_bases::{Base, Kind};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::http::{Answer, request};

/// Nothing here takes longer.
pub const LIMIT: Duration = Duration::from_secs(10);

pub struct City {
    pub address: SocketAddr,
    pub store: Store,
    pub health: Arc<Health>,
    pub vitals: Vitals,
    pub shell: WebShell,
    pub folder: PathBuf,
    lanes: InputLanes,
    board: Arc<Mutex<Board>>,
    facts: broadcast::Sender<FactEvent>,
    position: u64,
    stop: CancellationToken,
    base: Base,
}

impl City {
    /// A server on this kind of database, with one account a role; names are the roles' words, passwords "secret-" and the name. Operators: operator, olena.
    pub async fn start(kind: Kind) -> City {
        Self::start_on(|folder| Base::migrated(kind, folder, migrate)).await
    }

    /// The same on a database of the test's own.
    pub async fn start_on(base: impl FnOnce(&Path) -> Base) -> City {
        Self::start_as(base, |_| {}).await
    }

    /// The same with other settings of the web.
    pub async fn start_as(base: impl FnOnce(&Path) -> Base, decide: impl FnOnce(&mut cityline::config::Web)) -> City {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("cityline-api-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(unique);
        let _ = std::fs::remove_dir_all(&folder);
        let base = base(&folder);
        let store = Store::open_at(&base.address, folder.join("recordings")).await.unwrap();
        let stop = CancellationToken::new();
        let (mut parts, lanes) = parts(&store, "127.0.0.1:0".parse().unwrap());
        decide(&mut parts.config);
        let (health, vitals, board, facts) = (parts.health.clone(), parts.vitals.clone(), parts.board.clone(), parts.facts.clone());
        let shell = serve(parts, stop.clone()).await.unwrap();
        City { address: shell.address(), store, health, vitals, shell, folder, lanes, board, facts, position: 0, stop, base }
    }

    /// Makes an account.
    pub async fn account(&self, name: &str, role: Role) {
        let organisation = (role == Role::Organisation).then(|| "heat".to_owned());
        let standing = Standing { organisation, ..role.into() };
        self.store.put_user(name, &Private::new(format!("secret-{name}")), standing, Time(1)).await.unwrap();
    }

    /// Makes an account and signs in; returns the cookie's header line.
    pub async fn signed_in(&self, name: &str, role: Role) -> String {
        self.account(name, role).await;
        let answer = self.login(name, &format!("secret-{name}")).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        format!("Cookie: {}", answer.cookie().unwrap())
    }

    /// Writes a case of this number and opens its owner's cabinet by the code that the outbox was given; returns the cookie's header line.
    pub async fn resident(&self, number: &str) -> String {
        self.account("clerk", Role::Supervisor).await;
        let clerk = [format!("Cookie: {}", self.login("clerk", "secret-clerk").await.cookie().unwrap())];
        self.case_of(number, &clerk, "resident").await;
        let code = self.code(number).await.expect("a code");
        let body = serde_json::json!({ "number": number, "code": code }).to_string();
        let answer = self.ask("POST", "/api/cabinet/login", &[], Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        format!("Cookie: {}", answer.cookie().unwrap())
    }

    /// Writes a case that is a resident's of this number.
    pub async fn case_of(&self, number: &str, clerk: &[String], draft: &str) -> String {
        let case = serde_json::json!({ "service": "109", "topic": "heating", "text": "cold", "draft": draft }).to_string();
        let case = self.ask("POST", "/api/cases", clerk, Some(&case)).await.json()["number"].as_str().unwrap().to_owned();
        let resident = serde_json::json!({ "numbers": [number] }).to_string();
        let id = self.ask("POST", "/api/residents", clerk, Some(&resident)).await.json()["id"].clone();
        let whose = serde_json::json!({ "resident": id }).to_string();
        assert_eq!(self.ask("PUT", &format!("/api/cases/{case}/resident"), clerk, Some(&whose)).await.status, 200);
        case
    }

    /// Asks for a code; `None` where nothing was sent.
    pub async fn code(&self, number: &str) -> Option<String> {
        let before = self.store.messages_due(Time(u64::MAX / 2), 100).await.unwrap().len();
        let body = serde_json::json!({ "number": number }).to_string();
        let answer = self.ask("POST", "/api/cabinet/code", &[], Some(&body)).await;
        assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
        let due = self.store.messages_due(Time(u64::MAX / 2), 100).await.unwrap();
        let last =
            due.into_iter().max_by_key(|message| message.id).filter(|message| message.receiver.starts_with("sms:") && before < 100)?;
        let told: serde_json::Value = serde_json::from_str(&last.body).unwrap();
        told["code"].as_str().map(str::to_owned)
    }

    pub async fn login(&self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "name": name, "password": password }).to_string();
        self.ask("POST", "/api/login", &[], Some(&body)).await
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[String], body: Option<&str>) -> Answer {
        request(self.address, method, path, headers, body).await
    }

    /// What `app` does with a fact: board first, then whoever follows; and the store.
    pub async fn happens(&mut self, at: u64, facts: Vec<Fact>) {
        for fact in &facts {
            self.board.lock().unwrap().apply(Time(at), fact);
            self.facts.send(FactEvent { at: Time(at), fact: fact.clone() }).unwrap();
        }
        self.position += 1;
        self.store.project(&[Projected { position: Position(self.position), at: Time(at), facts }]).await.unwrap();
    }

    /// The next input that the web layer sent to the engine.
    pub async fn input(&mut self) -> Input {
        tokio::time::timeout(LIMIT, self.input_at_any_time()).await.expect("an input")
    }

    /// The same, without a limit.
    pub async fn input_at_any_time(&mut self) -> Input {
        tokio::select! {
            Some(input) = self.lanes.reserved.recv() => input,
            Some(input) = self.lanes.common.recv() => input,
        }
    }

    /// Stops the server and sees that every task of it ends.
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.shell.ended()).await.expect("the server ends");
        self.store.close().await;
        drop(self.base);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Makes the schema that every other test's database is a copy of.
pub fn migrate(address: String) {
    let folder = std::env::temp_dir().join(format!("cityline-schema-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Store::open_at(&address, folder.clone()).await.unwrap().close().await });
    let _ = std::fs::remove_dir_all(&folder);
}

/// The embedded settings; nobody takes decisions.
fn settings() -> SettingsParts {
    let prompts = cityline::prompts::Source::embedded().unwrap().manifest.vocabulary();
    let in_force = InForce { config: cityline::config::Config::load(None).unwrap(), prompts, edited: Vec::new() };
    SettingsParts { now: tokio::sync::watch::channel(Arc::new(in_force)).1, decide: tokio::sync::mpsc::channel(1).0 }
}

/// What a server is given.
pub fn parts(store: &Store, listen: SocketAddr) -> (WebParts, InputLanes) {
    let (inputs, ends) = lanes(100);
    let vitals = Vitals::new(Clock::of_process());
    let parts = WebParts {
        config: cityline::config::Web { listen, session_s: 600, breaks: Vec::new(), certificate: None, key: None, own_certificate: false },
        store: store.clone(),
        inputs,
        numbers: NumberBook::new(CallerKey::new([7; 32])),
        key: CallerKey::new([7; 32]),
        welcome: cityline::web::Welcome::default(),
        next_call: Arc::new(AtomicU64::new(500)),
        sound: tokio::sync::mpsc::channel(1).0,
        board: Arc::new(Mutex::new(Board::new(Time(0)))),
        facts: broadcast::channel(100).0,
        operators: ["operator", "olena"].into_iter().map(|name| (AgentId::from(name), SpeaksBy::Telephone)).collect(),
        pause_reasons: vec!["lunch".into()],
        settings: settings(),
        zone: chrono_tz::Asia::Qostanay,
        clock: Clock::of_process(),
        health: Arc::new(Health::new(vitals.clone())),
        vitals,
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        waits: Arc::new(|_| Ok(Vec::new())),
    };
    (parts, ends)
}
