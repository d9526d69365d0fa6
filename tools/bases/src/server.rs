//! How does a test get a PostgreSQL of its own? One that listens on loopback, keeps its files in a temporary folder and ends with the process.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The server starts within this, on a busy machine too.
const STARTS: Duration = Duration::from_secs(60);

const KEEPER: &str = include_str!("keeper.sh");

/// A private PostgreSQL. Dropping it, or the end of the process, ends it and removes its files.
pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    keeper: Mutex<Keeper>,
}

/// The shell that minds the server; it notices the end of our process by the end of its input.
struct Keeper {
    process: Child,
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// The one that all tests of this process share.
    ///
    /// # Panics
    /// Where PostgreSQL is missing or does not start: a test that was left out proves nothing.
    pub fn shared() -> &'static Server {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Server::start)
    }

    /// One that the test may stop.
    ///
    /// # Panics
    /// Where PostgreSQL is missing or does not start.
    pub fn start() -> Server {
        let (mut tries, limit) = (0, Instant::now() + STARTS);
        loop {
            let server = Server::spawn();
            match server.until_ready(limit) {
                Ok(()) => {
                    server.make_roles();
                    return server;
                }
                // Between our look at the port and the server's, somebody took it.
                Err(log) if tries < 3 && log.contains("could not bind") => tries += 1,
                Err(log) => panic!("PostgreSQL in {} does not start:\n{log}", server.folder.display()),
            }
        }
    }

    fn spawn() -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let programs = programs();
        let unique = format!("cityline-postgres-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = temporary_folder().join(unique);
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER]).env("FOLDER", &folder).env("PORT", port.to_string()).env("BIN", &programs);
        // A group of its own: what interrupts the tests must leave time to tidy up.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut process = command.spawn().expect("sh must be there");
        let words = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut keeper = Keeper { process, words, answers };
        keeper.answer();
        Server { folder, programs, port, keeper: Mutex::new(keeper) }
    }

    fn until_ready(&self, limit: Instant) -> Result<(), String> {
        while self.psql("postgres", "SELECT 1").is_err() {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            if Instant::now() > limit || log.contains("FATAL:  could not") || log.contains("error:") {
                return Err(log);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Cityline is no superuser where it is used, and so it is none here.
    fn make_roles(&self) {
        self.sql("postgres", "CREATE ROLE city LOGIN; CREATE ROLE keyed LOGIN PASSWORD 'open sesame'");
    }

    /// The address of a database for Cityline.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://city@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database for Cityline and returns its address.
    pub fn make(&self, database: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {database} TEMPLATE template0 OWNER city"));
        self.address(database)
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements as the superuser and returns what they give: one line a row, columns parted by `|`.
    ///
    /// # Panics
    /// Where the server refuses them.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.psql(database, statements).unwrap_or_else(|why| panic!("{statements}: {why}"))
    }

    pub(crate) fn psql(&self, database: &str, statements: &str) -> Result<String, String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-A", "-t", "-q", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1"]);
        command.arg("-p").arg(self.port.to_string()).args(["-d", database]);
        // One by one: a database cannot be made within the transaction that several statements of one -c would be.
        command.args(statements.split("; ").flat_map(|statement| ["-c", statement]));
        let out = command.stdin(Stdio::null()).output().map_err(|why| why.to_string())?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if out.status.success() { Ok(said(&out.stdout)) } else { Err(said(&out.stderr)) }
    }

    /// Ends the server as an administrator does; its databases stay.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Starts it again, and waits until it answers.
    ///
    /// # Panics
    /// Where it does not.
    pub fn start_again(&self) {
        self.tell("start");
        self.until_ready(Instant::now() + STARTS).expect("the server starts again");
    }

    /// Holds it and its connections still: it takes connections, and answers nobody.
    pub fn freeze(&self) {
        self.tell("freeze");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.tell("thaw");
    }

    fn tell(&self, word: &str) {
        let mut keeper = self.keeper.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writeln!(keeper.words.as_mut().expect("it lives"), "{word}").expect("the keeper listens");
        assert_eq!(keeper.answer(), word);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(keeper.words.take());
        let _ = keeper.process.wait();
    }
}

impl Keeper {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        let _ = self.answers.read_line(&mut line);
        line.trim().to_owned()
    }
}

/// Where the server's own user may go too: root's temporary folder may be closed to it.
fn temporary_folder() -> PathBuf {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if is_root { PathBuf::from("/tmp") } else { std::env::temp_dir() }
}

/// The folder of the newest server that is installed; Debian keeps it off the path.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let complete = |folder: &PathBuf| ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file());
    versions.chain(std::env::split_paths(&path)).filter(complete).max().expect("PostgreSQL is missing: tools/setup.sh installs it")
}
