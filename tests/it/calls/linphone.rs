//! How does another phone that is not ours take part? linphonec as a process: it speaks from a file, keeps what it hears, and is typed at.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use cityline_phone::judge::chirp::{self, Voice};
use cityline_phone::media::sound::write_wav;

use super::SOON;
use super::baresip::pcm_of;
use super::ears::Ear;
use super::server::{Server, a_moment, free_port};

/// Chirps that a phone says: two minutes.
const CHIRPS: usize = 600;

/// A running linphonec. Dropping it ends the process.
pub struct Linphone {
    name: String,
    process: Child,
    keys: ChildStdin,
    folder: PathBuf,
    /// Where it takes calls by UDP.
    pub port: u16,
}

impl Linphone {
    /// The phone of an operator, registered, that picks up by itself and speaks with this voice.
    pub fn operator(server: &Server, user: &str, voice: Voice) -> Linphone {
        // Without a route: calls of its own go straight to where they are for.
        let account = format!(
            "[proxy_0]\nreg_proxy=<sip:{at}>\nreg_identity=sip:{user}@{at}\nreg_expires=300\nreg_sendregister=1\n\
             [auth_info_0]\nusername={user}\npasswd=secret-{user}\nrealm=cityline\n",
            at = server.sip
        );
        let mut phone = Self::start(&format!("linphone-{user}-{}", server.sip.port()), &account, voice);
        phone.types("autoanswer enable");
        phone.until("registration", || phone.trace().contains("to [LinphoneRegistrationOk]"));
        phone
    }

    /// The same over TLS at this port with protected sound (SDES-SRTP) and nothing else, believing whom this authority has signed. Its TLS
    /// knows names in certificates, and no addresses.
    pub fn secure_operator(tls: u16, authority: &Path, user: &str, voice: Voice) -> Linphone {
        let account = format!(
            "[proxy_0]\nreg_proxy=<sip:localhost:{tls};transport=tls>\nreg_route=<sip:localhost:{tls};transport=tls>\nreg_identity=sip:{user}@localhost\nreg_expires=300\nreg_sendregister=1\n\
             [auth_info_0]\nusername={user}\npasswd=secret-{user}\nrealm=cityline\n\
             [sip]\nsip_tls_port={}\nroot_ca={}\nverify_server_certs=1\nmedia_encryption=srtp\nmedia_encryption_mandatory=1\n",
            free_port(),
            authority.display()
        );
        let mut phone = Self::start(&format!("linphone-tls-{user}-{tls}"), &account, voice);
        phone.types("autoanswer enable");
        phone.until("registration", || phone.trace().contains("to [LinphoneRegistrationOk]"));
        phone
    }

    /// A phone with this account, as it stands in its settings, that speaks with this voice.
    fn start(name: &str, account: &str, voice: Voice) -> Linphone {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("phone-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("home/.local/share/linphone")).unwrap();
        let speech = folder.join("speech.wav");
        write_wav(&speech, &chirp::pcm(voice, CHIRPS)).unwrap();
        let (port, rtp) = (free_port(), free_port());
        let codecs = [("PCMA", 1), ("PCMU", 0), ("opus", 0), ("speex", 0)].iter().enumerate();
        let codecs: String = codecs
            .map(|(n, (mime, on))| {
                format!("[audio_codec_{n}]\nmime={mime}\nrate={}\nenabled={on}\n", if *mime == "opus" { 48000 } else { 8000 })
            })
            .collect();
        let tls = if account.contains("sip_tls_port") { "" } else { "sip_tls_port=0\n" };
        let settings = format!(
            "{account}[sip]\ndefault_proxy=0\nsip_port={port}\nsip_tcp_port=0\n{tls}use_ipv6=0\nguess_hostname=0\nregister_only_when_network_is_up=0\n\
             [rtp]\naudio_rtp_port={rtp}\n[sound]\nechocancellation=0\n[video]\nenabled=0\ncapture=0\ndisplay=0\n{codecs}"
        );
        fs::write(folder.join("rc"), settings).unwrap();
        let out = fs::File::create(folder.join("log")).unwrap();
        let mut process = Command::new("linphonec")
            .arg("-c")
            .arg(folder.join("rc"))
            .args(["-d", "6", "-l"])
            .arg(folder.join("trace"))
            .env("HOME", folder.join("home"))
            .env("XDG_DATA_HOME", folder.join("home/.local/share"))
            .env("XDG_CONFIG_HOME", folder.join("home/.config"))
            .stdin(Stdio::piped())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("linphonec must be installed: {error}"));
        let keys = process.stdin.take().unwrap();
        let mut phone = Linphone { name: name.to_owned(), process, keys, folder, port };
        phone.until("prompt", || phone.log().contains("linphonec>"));
        phone.types("soundcard use files");
        phone.types(&format!("play {}", speech.display()));
        phone.types(&format!("record {}", phone.file().display()));
        phone
    }

    /// Types a line at it.
    pub fn types(&mut self, line: &str) {
        writeln!(self.keys, "{line}").unwrap();
        self.keys.flush().unwrap();
    }

    /// What it printed.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// The SIP messages and all else that it traced.
    pub fn trace(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("trace")).unwrap_or_default()).into_owned()
    }

    /// Waits for something of its own doing.
    pub fn until(&self, what: &str, is_there: impl Fn() -> bool) {
        let limit = Instant::now() + SOON;
        while !is_there() {
            assert!(Instant::now() < limit, "linphonec: no {what}\n{}", self.log());
            a_moment();
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("heard.wav")
    }
}

impl Ear for Linphone {
    fn name(&self) -> &str {
        &self.name
    }

    fn heard_so_far(&self) -> Vec<i16> {
        pcm_of(&self.file())
    }

    fn length(&self) -> usize {
        self.heard_so_far().len()
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
