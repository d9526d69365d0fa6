//! How does a test run the real server? As a process of its own, on ports that are free, in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::SOON;

pub use cityline_phone::ports::free_port;

/// The server starts within this, on a busy machine too.
const STARTS: Duration = Duration::from_secs(30);

/// A running `cityline serve`. Dropping it ends the process.
pub struct Server {
    process: Child,
    place: Place,
    /// Where it takes SIP over UDP and TCP.
    pub sip: SocketAddrV4,
    keep: bool,
}

/// Where a server lives: its folder and its ports, the same for one process after the other.
#[derive(Clone)]
pub struct Place {
    /// Settings, log and data; kept for a look after a failed test.
    pub folder: PathBuf,
    sip: u16,
    web: u16,
    rtp: u16,
    _rtp_lock: Arc<UdpSocket>,
}

/// Between two looks at something that is waited for with a limit.
pub fn a_moment() {
    std::thread::park_timeout(Duration::from_millis(20));
}

/// The prompts, spoken once for all tests.
pub fn prompts() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prompts");
        cityline::prompts::build(&cityline::prompts::Source::embedded().unwrap(), &folder).unwrap();
        folder
    })
}

/// The PCM of one prompt, as the server speaks it.
pub fn prompt(language: &str, id: &str) -> Vec<i16> {
    let file = prompts().join(language).join(format!("{id}.wav"));
    cityline_phone::media::sound::read_wav(&file).unwrap().swap_remove(0)
}

impl Place {
    /// An empty folder and ports that are free now.
    pub fn new(name: &str) -> Place {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (rtp, rtp_lock) = rtp_ports();
        Place { folder, sip: free_port(), web: free_port(), rtp, _rtp_lock: rtp_lock }
    }

    /// Where SIP is to be taken.
    pub fn sip(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.sip)
    }

    /// The settings file.
    pub fn settings(&self) -> PathBuf {
        self.folder.join("city.toml")
    }

    /// The program with these settings, whose places come by the environment: the file is the test's own.
    pub fn command(&self, settings: &str, arguments: &[&str]) -> Command {
        std::fs::write(self.settings(), settings).unwrap();
        let var = self.folder.join("var");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cityline"));
        command.arg("--config").arg(self.settings()).args(arguments).stdin(Stdio::null());
        command.env("CITYLINE_DATA__FOLDER", format!("{var:?}")).env("CITYLINE_DATA__PROMPTS", format!("{:?}", prompts()));
        command.env("CITYLINE_SIP__UDP", format!("\"{}\"", self.sip())).env("CITYLINE_SIP__TCP", format!("\"{}\"", self.sip()));
        command.env("CITYLINE_MEDIA__PORTS", format!("[{},{}]", self.rtp, self.rtp + 989));
        command.env("CITYLINE_MEDIA__WEBRTC_PORT", self.pages_port().to_string());
        command.env("CITYLINE_WEB__LISTEN", format!("\"127.0.0.1:{}\"", self.web));
        command
    }

    /// The settings of a server that runs in the test's own process.
    pub fn config(&self) -> cityline::config::Config {
        let mut config = cityline::config::Config::load(None).unwrap();
        (config.data.folder, config.data.prompts) = (self.folder.join("var"), prompts().to_owned());
        (config.sip.udp, config.sip.tcp) = (Some(self.sip().into()), Some(self.sip().into()));
        config.media.ports = (self.rtp, self.rtp + 989);
        config.media.webrtc_port = self.pages_port();
        config.web.listen = self.web().into();
        config
    }

    /// The program with the settings that are in force here, for what an administrator does beside the server.
    pub fn own_command(&self, arguments: &[&str]) -> Command {
        let settings = std::fs::read_to_string(self.settings()).unwrap();
        self.command(&settings, arguments)
    }

    /// Where the desks find it.
    pub fn web(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.web)
    }

    /// Its error for these settings: the program must end by itself, with a failure.
    pub fn refuses(&self, settings: &str, arguments: &[&str], change: impl FnOnce(&mut Command)) -> String {
        let mut command = self.command(settings, arguments);
        change(&mut command);
        // A file, because a pipe that nobody reads would stop it in the middle of a long list of faults.
        let said = self.folder.join("said");
        let out = std::fs::File::create(&said).unwrap();
        let mut process = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let limit = Instant::now() + STARTS;
        let status = loop {
            match process.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() < limit => a_moment(),
                None => {
                    let _ = process.kill();
                    panic!("it runs, with\n{settings}");
                }
            }
        };
        assert!(!status.success(), "{settings}\nwas taken");
        std::fs::read_to_string(said).unwrap()
    }

    /// The UDP port of pages' sound.
    pub fn pages_port(&self) -> u16 {
        self.rtp + 995
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until all of these words have been logged.
    pub fn until_logged(&self, words: &[&str]) {
        let limit = Instant::now() + STARTS;
        while !words.iter().all(|word| self.log().contains(word)) {
            assert!(Instant::now() < limit, "{words:?} are not logged:\n{}", self.log());
            a_moment();
        }
    }

    /// What a SELECT gives, by the database's own program: one line a row, columns parted by `|`.
    pub fn rows(&self, select: &str) -> String {
        let command = |select| Command::new("sqlite3").arg("-readonly").arg(self.folder.join("var/cityline.db")).arg(select).output();
        let out = command(select).expect("sqlite3 must be installed");
        assert!(out.status.success(), "{select}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// The same, asked again until it fits or the time is over.
    pub fn rows_until(&self, select: &str, limit: Duration, fits: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + limit;
        loop {
            let rows = self.rows(select);
            if fits(&rows) {
                return rows;
            }
            assert!(Instant::now() < until, "{select} gave\n{rows}\nwith the log\n{}", self.log());
            a_moment();
        }
    }

    /// Waits until a SELECT gives exactly this: facts are written a moment after a desk or a page shows them.
    pub fn rows_become(&self, select: &str, wanted: &str) {
        self.rows_until(select, SOON, |rows| rows == wanted);
    }

    /// The file of a recording.
    pub fn recording(&self, call: u64, n: u16) -> PathBuf {
        let id = cityline::centre::ids::RecordingId { call: cityline::centre::ids::CallId(call), n };
        self.folder.join("var/recordings").join(id.path())
    }
}

impl std::ops::Deref for Server {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Server {
    /// A server with the embedded settings, and these lines of TOML added.
    pub fn start(name: &str, settings: &str) -> Server {
        Self::start_with(name, settings, &[])
    }

    /// The same with further settings of the environment.
    pub fn start_with(name: &str, settings: &str, environment: &[(&str, &str)]) -> Server {
        let place = Place::new(name);
        let mut command = place.command(settings, &["serve"]);
        command.envs(environment.iter().copied());
        Self::spawn(place, command)
    }

    /// A server at a place that may hold the data of an earlier process.
    pub fn start_at(place: Place, settings: &str) -> Server {
        let command = place.command(settings, &["serve"]);
        Self::spawn(place, command)
    }

    /// The same with further settings of the environment.
    pub fn start_again_with(place: Place, settings: &str, environment: &[(&str, &str)]) -> Server {
        let mut command = place.command(settings, &["serve"]);
        command.envs(environment.iter().copied());
        Self::spawn(place, command)
    }

    /// A server to which this signal ("XFSZ") does nothing.
    pub fn start_ignoring(name: &str, settings: &str, signal: &str) -> Server {
        let place = Place::new(name);
        let plain = place.command(settings, &["serve"]);
        let mut command = Command::new("env");
        command.arg(format!("--ignore-signal={signal}")).arg(plain.get_program()).args(plain.get_args());
        plain.get_envs().for_each(|(key, value)| {
            command.env(key, value.unwrap_or_default());
        });
        Self::spawn(place, command)
    }

    fn spawn(place: Place, mut command: Command) -> Server {
        let out = std::fs::OpenOptions::new().create(true).append(true).open(place.folder.join("log")).unwrap();
        let process = command.stdout(Stdio::null()).stderr(out).spawn().unwrap();
        let mut server = Server { process, sip: place.sip(), place, keep: false };
        server.until_ready();
        server
    }

    fn until_ready(&mut self) {
        let limit = Instant::now() + STARTS;
        while self.get("/readyz").is_none_or(|(status, _)| status != 200) {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            assert!(Instant::now() < limit, "the server is not ready:\n{}", self.log());
            a_moment();
        }
    }

    /// The SIP address of a number or an operator's phone.
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.sip)
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal ("HUP", "TERM").
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap().success());
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) -> Place {
        self.keep = true;
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.place.clone()
    }

    /// Asks it to end, and waits for that; it may have been asked before.
    pub fn terminate(mut self) -> Place {
        self.keep = true;
        if self.process.try_wait().unwrap().is_none() {
            self.signal("TERM");
        }
        self.process.wait().unwrap();
        self.place.clone()
    }

    /// Status and body of a GET; `None` while nobody listens.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, self.web)), Duration::from_secs(5)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.web).ok()?;
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).ok()?;
        let status = first.split_whitespace().nth(1)?.parse().ok()?;
        let mut rest = String::new();
        reader.read_to_string(&mut rest).ok()?;
        Some((status, rest.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !self.keep && !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.place.folder);
        }
    }
}

/// Blocks of a thousand RTP ports, the first of which begins here. Who has bound the block's lock has the block.
const BLOCKS: std::ops::Range<u16> = 0..20;
const FIRST_BLOCK: u16 = 12_000;
const FIRST_LOCK: u16 = 9_000;

/// A thousand RTP ports that no other server has, of this run of the tests or of another: a stray packet of theirs would be heard.
fn rtp_ports() -> (u16, Arc<UdpSocket>) {
    let lock = |block| Some((FIRST_BLOCK + block * 1_000, Arc::new(UdpSocket::bind(("127.0.0.1", FIRST_LOCK + block)).ok()?)));
    BLOCKS.into_iter().find_map(lock).expect("20 servers of tests run already: wait for their end")
}
