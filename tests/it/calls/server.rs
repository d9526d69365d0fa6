//! How does a test run the real server? As a process of its own, on ports that are free, in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The server starts within this, on a busy machine too.
const STARTS: Duration = Duration::from_secs(30);

/// A running `cityline serve`. Dropping it ends the process.
pub struct Server {
    process: Child,
    /// Its data folder, kept for a look after a failed test.
    pub folder: PathBuf,
    /// Where it takes SIP over UDP and TCP.
    pub sip: SocketAddrV4,
    /// Where it serves pages.
    pub web: SocketAddrV4,
    log: PathBuf,
    keep: bool,
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

impl Server {
    /// A server with the embedded settings, and these lines of TOML added.
    pub fn start(name: &str, settings: &str) -> Server {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self::start_in(folder, settings)
    }

    /// The same in a folder that may hold the data of an earlier process.
    pub fn start_in(folder: PathBuf, settings: &str) -> Server {
        let (sip, web) = (free_port(), free_port());
        let first = rtp_ports();
        let file = folder.join("city.toml");
        let text = format!(
            "{settings}\n[data]\nfolder = {:?}\nprompts = {:?}\n[sip]\nudp = \"127.0.0.1:{sip}\"\ntcp = \"127.0.0.1:{sip}\"\n\
             [media]\nports = [{first}, {}]\n[web]\nlisten = \"127.0.0.1:{web}\"\n",
            folder.join("var"),
            prompts(),
            first + 999
        );
        std::fs::write(&file, text).unwrap();
        let log = folder.join("log");
        let out = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_cityline"))
            .args(["--config", file.to_str().unwrap(), "serve"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()
            .unwrap();
        let address = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let mut server = Server { process, folder, sip: address(sip), web: address(web), log, keep: false };
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

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) -> PathBuf {
        self.keep = true;
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.folder.clone()
    }

    /// Asks it to end, and waits for that.
    pub fn terminate(mut self) -> PathBuf {
        self.keep = true;
        let _ = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        self.process.wait().unwrap();
        self.folder.clone()
    }

    /// Status and body of a GET; `None` while nobody listens.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::V4(self.web), Duration::from_secs(5)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.web).ok()?;
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).ok()?;
        let status = first.split_whitespace().nth(1)?.parse().ok()?;
        let mut rest = String::new();
        reader.read_to_string(&mut rest).ok()?;
        Some((status, rest.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
    }

    /// What a SELECT gives, one line a row, columns parted by `|`; asked again until it fits or the time is over.
    pub fn rows_until(&self, select: &str, limit: Duration, fits: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + limit;
        loop {
            let rows = self.rows(select);
            if fits(&rows) {
                return rows;
            }
            assert!(Instant::now() < until, "{select} gave {rows:?}\n{}", self.log());
            a_moment();
        }
    }

    /// What a SELECT gives, by the database's own program.
    pub fn rows(&self, select: &str) -> String {
        rows_of(&self.folder, select)
    }

    /// The file of a recording.
    pub fn recording(&self, call: u64, n: u16) -> PathBuf {
        let id = cityline::centre::ids::RecordingId { call: cityline::centre::ids::CallId(call), n };
        self.folder.join("var/recordings").join(id.path())
    }
}

/// The same for the folder of a server that has ended.
pub fn rows_of(folder: &Path, select: &str) -> String {
    let out = Command::new("sqlite3")
        .arg("-readonly")
        .arg(folder.join("var/cityline.db"))
        .arg(select)
        .output()
        .expect("sqlite3 must be installed");
    assert!(out.status.success(), "{select}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !self.keep && !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A port that is free for UDP and TCP now.
pub fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The RTP ranges of servers lie below 32768, where the system gives none.
        if port >= 32_768 && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The first of a thousand RTP ports that no other test of this run uses.
fn rtp_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    12_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 20 * 1_000
}
