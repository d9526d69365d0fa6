//! How does a phone that is not ours take part? baresip as a process: it speaks from a file, keeps what it hears, and is told what to do.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use cityline_phone::judge::chirp::{self, Voice};
use cityline_phone::media::sound::write_wav;

use super::SOON;
use super::ears::Ear;
use super::server::{a_moment, free_port};

/// Chirps that a phone says: two minutes.
const CHIRPS: usize = 600;
/// The head of a WAV file of 16-bit PCM, in bytes.
const HEAD_BYTES: usize = 44;

/// A running baresip. Dropping it ends the process.
pub struct Baresip {
    name: String,
    process: Child,
    folder: PathBuf,
    /// The one connection that its control module takes.
    control: Option<TcpStream>,
}

impl Baresip {
    /// A phone with this account line, that speaks with this voice. `account` is what stands in baresip's file of accounts.
    pub fn start(name: &str, account: &str, voice: Voice) -> Baresip {
        Self::listening_at(free_port(), name, account, &chirp::pcm(voice, CHIRPS))
    }

    /// The same at a port of the test's choice, saying this once and nothing after it.
    pub fn listening_at(sip: u16, name: &str, account: &str, says: &[i16]) -> Baresip {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("phone-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("heard")).unwrap();
        let speech = folder.join("speech.wav");
        write_wav(&speech, says).unwrap();
        let control = free_port();
        let settings = format!(
            "sip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule g722.so\nmodule opus.so\nmodule srtp.so\nmodule aufile.so\n\
             module aubridge.so\nmodule sndfile.so\nmodule ctrl_tcp.so\nmodule_app account.so\nmodule_app menu.so\n\
             ctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {heard}\naudio_source aufile,{speech}\naudio_player aubridge,nothing\n\
             ausrc_srate 8000\nausrc_channels 1\n",
            heard = folder.join("heard").display(),
            speech = speech.display()
        );
        fs::write(folder.join("config"), settings).unwrap();
        fs::write(folder.join("accounts"), format!("{account}\n")).unwrap();
        let out = fs::File::create(folder.join("log")).unwrap();
        let process = Command::new("baresip")
            .args(["-v", "-s", "-f"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("baresip must be installed: {error}"));
        let mut phone = Baresip { name: name.to_owned(), process, folder, control: None };
        let limit = Instant::now() + SOON;
        while phone.control.is_none() {
            assert!(Instant::now() < limit, "baresip does not start:\n{}", phone.log());
            a_moment();
            phone.control = TcpStream::connect(("127.0.0.1", control)).ok();
        }
        phone
    }

    /// What it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits for something of its own doing.
    pub fn until(&self, what: &str, is_there: impl Fn() -> bool) {
        let limit = Instant::now() + 2 * SOON;
        while !is_there() {
            assert!(Instant::now() < limit, "baresip: no {what}\n{}", self.log());
            a_moment();
        }
    }

    /// One of its commands ("dial", "hangup", "sndcode"), over its control port; its events come there as well and are passed over.
    pub fn order(&self, command: &str, parameters: &str) {
        let mut control = self.control.as_ref().unwrap();
        control.set_read_timeout(Some(SOON)).unwrap();
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameters}\",\"token\":\"{command}\"}}");
        write!(control, "{}:{text},", text.len()).unwrap();
        let (mut said, mut part) = (String::new(), [0; 4096]);
        let token = format!("\"token\":\"{command}\"");
        while !said.contains(&token) {
            let length = control.read(&mut part).unwrap();
            assert!(length > 0, "baresip closed its control port after {command}: {said}\n{}", self.log());
            said.push_str(&String::from_utf8_lossy(&part[..length]));
        }
        assert!(said.contains("\"ok\":true"), "{command}: {said}");
    }

    /// The file of what it hears; of several calls that of the last.
    fn file(&self) -> Option<PathBuf> {
        let files = fs::read_dir(self.folder.join("heard")).unwrap().flatten().map(|entry| entry.path());
        files.filter(|path| path.to_string_lossy().ends_with("-dec.wav")).max()
    }

    /// What it has heard, once its call is over and the file is whole.
    pub fn heard(&self) -> Vec<i16> {
        let is_whole = |file: PathBuf| hound::WavReader::open(file).is_ok_and(|whole| whole.duration() > 0);
        self.until("recording of its call", || self.file().is_some_and(is_whole));
        self.heard_so_far()
    }
}

impl Ear for Baresip {
    fn name(&self) -> &str {
        &self.name
    }

    /// The file is written packet by packet, and its head says how long it is only at the end.
    fn heard_so_far(&self) -> Vec<i16> {
        self.file().map(|file| pcm_of(&file)).unwrap_or_default()
    }

    fn length(&self) -> usize {
        self.heard_so_far().len()
    }
}

/// The sound of a WAV file of 16-bit PCM that is still being written, at 8 kHz; none where there is no file yet.
pub fn pcm_of(file: &Path) -> Vec<i16> {
    at_8_khz(&fs::read(file).unwrap_or_default())
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The first channel of a WAV file, which a wideband call has written at its own rate, at 8 kHz: means of the samples in between.
fn at_8_khz(file: &[u8]) -> Vec<i16> {
    let Some((head, sound)) = file.split_at_checked(HEAD_BYTES) else { return Vec::new() };
    let number = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
    // RIFF: channels at 22, samples a second at 24.
    let (channels, step) = (number(22).max(1), (number(24) / 8_000).max(1));
    let first = sound.chunks_exact(2 * channels).map(|samples| i32::from(i16::from_le_bytes([samples[0], samples[1]])));
    let first: Vec<i32> = first.collect();
    first.chunks_exact(step).map(|samples| (samples.iter().sum::<i32>() / step as i32) as i16).collect()
}
