//! How is a real browser steered? Debian's Chromium without a screen, by its own protocol (Chrome DevTools Protocol, JSON over a WebSocket):
//! keys by their place, pictures of what it shows, and expressions of the page.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cityline_phone::judge::chirp::{self, Voice};
use cityline_phone::media::sound::write_wav;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::calls::SOON;
use crate::calls::server::a_moment;

/// Chirps in the file of a microphone, which begins anew at its end: more than any test talks for.
const CHIRPS: usize = 2_000;

/// A browser with one page. Dropping it ends it, as a power cut would.
pub struct Chromium {
    name: String,
    process: Child,
    socket: RefCell<WebSocket<TcpStream>>,
    last: Cell<u64>,
}

/// A key with others held down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum With {
    Nothing,
    Ctrl,
}

impl Chromium {
    /// A browser with its files in this folder, whose microphone speaks in this voice; `name` stands in the words of a failed test.
    pub fn start(name: &str, folder: &Path, voice: Voice) -> Chromium {
        std::fs::create_dir_all(folder).unwrap();
        let microphone = folder.join("microphone.wav");
        write_wav(&microphone, &chirp::pcm(voice, CHIRPS)).unwrap();
        let mut process = spawn(folder, &microphone);
        let port = devtools_port(&mut process);
        Chromium { name: name.to_owned(), process, socket: RefCell::new(attach(port)), last: Cell::new(0) }
    }

    /// How it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Has a program run in every page from here on, before the page's own.
    pub fn lay_under(&self, program: &str) {
        self.ask("Page.enable", json!({}));
        self.ask("Page.addScriptToEvaluateOnNewDocument", json!({ "source": program }));
    }

    /// Opens an address and waits until it is loaded.
    pub fn go_to(&self, address: &str) {
        self.run("globalThis.leaving = true");
        let told = self.ask("Page.navigate", json!({ "url": address }));
        assert!(told.get("errorText").is_none(), "{}: {address}: {told}", self.name);
        self.until(address, "document.readyState === 'complete' && !globalThis.leaving");
    }

    /// Loads the page again, as somebody does who presses F5.
    pub fn reload(&self) {
        self.run("globalThis.leaving = true");
        self.ask("Page.reload", json!({}));
        self.until("page again", "document.readyState === 'complete' && !globalThis.leaving");
    }

    /// Presses a key by its place, as `KeyA`, `Enter`, `Tab`.
    pub fn key(&self, code: &str, with: With) {
        let (key, number, text) = meaning(code);
        let modifiers = match with {
            With::Nothing => 0,
            With::Ctrl => 2,
        };
        let mut down = json!({ "type": "rawKeyDown", "code": code, "key": key, "windowsVirtualKeyCode": number, "modifiers": modifiers });
        self.ask("Input.dispatchKeyEvent", down.clone());
        if let Some(text) = text.filter(|_| with == With::Nothing) {
            let char = json!({ "type": "char", "code": code, "key": key, "text": text, "modifiers": modifiers });
            self.ask("Input.dispatchKeyEvent", char);
        }
        down["type"] = json!("keyUp");
        self.ask("Input.dispatchKeyEvent", down);
    }

    /// Types a text into the field that has the focus.
    pub fn types(&self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// How wide and high the page is shown, in CSS pixels, and how much it is enlarged: 2.0 is a zoom of 200 %.
    pub fn view(&self, width: u32, height: u32, zoom: f64) {
        let (width, height) = (f64::from(width) / zoom, f64::from(height) / zoom);
        let size = json!({ "width": width as u32, "height": height as u32, "deviceScaleFactor": zoom, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// Waits until an expression of the page is true.
    pub fn until(&self, what: &str, expression: &str) {
        let limit = Instant::now() + SOON;
        while self.try_run(expression) != Some(json!(true)) {
            assert!(Instant::now() < limit, "{}: no {what}; the page says: {}", self.name, self.run("document.body.innerText"));
            a_moment();
        }
    }

    /// The value of an expression of the page, once it is settled.
    pub fn run(&self, expression: &str) -> Value {
        let told = self.evaluate(expression);
        assert!(told.get("exceptionDetails").is_none(), "{}: {expression}: {told}", self.name);
        told["result"]["value"].clone()
    }

    /// The same; `None` where it cannot be had, as between two pages.
    fn try_run(&self, expression: &str) -> Option<Value> {
        let told = self.evaluate(expression);
        told.get("exceptionDetails").is_none().then(|| told["result"]["value"].clone())
    }

    fn evaluate(&self, expression: &str) -> Value {
        self.ask("Runtime.evaluate", json!({ "expression": expression, "awaitPromise": true, "returnByValue": true }))
    }

    /// One command of the protocol and its answer.
    pub fn ask(&self, method: &str, params: Value) -> Value {
        let id = self.last.get() + 1;
        self.last.set(id);
        let mut socket = self.socket.borrow_mut();
        socket.send(Message::text(json!({ "id": id, "method": method, "params": params }).to_string())).unwrap();
        loop {
            let text = match socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(_) => continue,
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("{}: {method}: {error}", self.name),
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            // "Leave the page?": yes.
            if message["method"] == "Page.javascriptDialogOpening" {
                let yes = json!({ "id": 0, "method": "Page.handleJavaScriptDialog", "params": { "accept": true } });
                socket.send(Message::text(yes.to_string())).unwrap();
            }
            if message["id"] == json!(id) {
                // A page that is just being left has nothing to evaluate in.
                if method == "Runtime.evaluate" && message.get("error").is_some() {
                    return json!({ "exceptionDetails": message["error"] });
                }
                assert!(message.get("error").is_none(), "{}: {method}: {message}", self.name);
                return message["result"].clone();
            }
        }
    }

    /// What the page has kept of its sound: the value of `heardSoFar()`, 16-bit samples in base64.
    pub fn heard_so_far(&self) -> Vec<i16> {
        let text = self.run("heardSoFar()").as_str().unwrap_or_default().to_owned();
        let bytes = STANDARD.decode(text).unwrap();
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Key, Windows number and text of a place, on a keyboard of Latin letters.
fn meaning(code: &str) -> (String, u32, Option<String>) {
    let letter = code.strip_prefix("Key").or_else(|| code.strip_prefix("Digit"));
    if let Some(letter) = letter.and_then(|letter| letter.chars().next()) {
        let text = letter.to_lowercase().to_string();
        return (text.clone(), u32::from(letter.to_ascii_uppercase()), Some(text));
    }
    let (number, text) = match code {
        "Enter" => (13, Some("\r")),
        "Tab" => (9, None),
        "Escape" => (27, None),
        "Space" => (32, Some(" ")),
        "ArrowDown" => (40, None),
        "ArrowUp" => (38, None),
        "Slash" => (191, Some("?")),
        other => panic!("{other} is no key that is known here"),
    };
    let key = match code {
        "Space" => " ",
        "Slash" => "?",
        named => named,
    };
    (key.to_owned(), number, text.map(str::to_owned))
}

fn spawn(folder: &Path, microphone: &Path) -> Child {
    let mut command = Command::new("chromium");
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--allow-loopback-in-peer-connection", "--lang=en", "--hide-scrollbars"]);
    command.args(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"]);
    command.arg(format!("--use-file-for-fake-audio-capture={}", microphone.display()));
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg("about:blank").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("chromium must be installed")
}

/// Where it listens, from its own words; what it says later is read and dropped, so that it never waits for us.
fn devtools_port(process: &mut Child) -> u16 {
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let listening = lines.by_ref().map_while(Result::ok).find(|line| line.contains("DevTools listening on"));
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let line = listening.expect("chromium listens");
    let address = line.split("ws://").nth(1).unwrap();
    address.split(['/', ':']).nth(1).unwrap().parse().unwrap()
}

/// A socket to its first page.
fn attach(port: u16) -> WebSocket<TcpStream> {
    let limit = Instant::now() + SOON;
    let address = loop {
        let pages: Value = serde_json::from_str(&get(port, "/json/list")).unwrap_or_default();
        let of_pages = pages.as_array().into_iter().flatten().find(|target| target["type"] == "page");
        if let Some(address) = of_pages.and_then(|target| target["webSocketDebuggerUrl"].as_str()) {
            break address.to_owned();
        }
        assert!(Instant::now() < limit, "chromium shows no page");
        a_moment();
    };
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    tokio_tungstenite::tungstenite::client(address.into_client_request().unwrap(), stream).unwrap().0
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4_096];
    // It keeps the connection open whatever it is asked for: the body is there when it can be read.
    loop {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(&part[..read]),
        }
        let text = String::from_utf8_lossy(&answer);
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && serde_json::from_str::<Value>(body).is_ok()
        {
            break;
        }
    }
    String::from_utf8_lossy(&answer).split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}
