//! How does an operator work at the desk? Signs in by keys, reads what stands on the screen, and hears what the page plays.

use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicU32, Ordering};

use cityline_phone::judge::chirp::Voice;
use serde_json::json;

use crate::calls::desk::{make_account, password};
use crate::calls::ears::Ear;
use crate::calls::server::Server;
use crate::chromium::{Chromium, With};

/// Keeps what the page hears.
const LISTEN: &str = include_str!("listen.js");
/// Browsers that were opened, so that each has a folder of its own.
static BROWSERS: AtomicU32 = AtomicU32::new(0);
/// The longest way by Tab from anything to anything.
const TABS: usize = 80;

/// An operator's page in a browser of its own.
pub struct Page {
    pub chromium: Chromium,
    address: String,
}

impl Page {
    /// The way in, in a browser that speaks in this voice; nobody is signed in.
    pub fn open(server: &Server, name: &str, voice: Voice) -> Page {
        Self::open_by(server, name, voice, server.web(), None)
    }

    /// A supervisor's page, which has a headset, too.
    pub fn of_supervisor(server: &Server, name: &str, voice: Voice) -> Page {
        Self::open_as(server, name, "supervisor", voice, server.web(), None)
    }

    /// The same by way of a relay for the web, and where one is given for the sound.
    pub fn open_by(server: &Server, name: &str, voice: Voice, web: SocketAddrV4, media: Option<u16>) -> Page {
        Self::open_as(server, name, "operator", voice, web, media)
    }

    fn open_as(server: &Server, name: &str, role: &str, voice: Voice, web: SocketAddrV4, media: Option<u16>) -> Page {
        make_account(server, name, role);
        let chromium =
            Chromium::start(name, &server.folder.join(format!("browser-{}-{name}", BROWSERS.fetch_add(1, Ordering::Relaxed))), voice);
        let page = Page { chromium, address: format!("http://{web}") };
        page.chromium.lay_under(&format!("globalThis.mediaPort = {};\n{LISTEN}", json!(media)));
        page.chromium.view(1440, 900, 1.0);
        page.chromium.go_to(&format!("{}/", page.address));
        page
    }

    /// An operator who takes calls.
    pub fn ready(server: &Server, name: &str, voice: Voice) -> Page {
        let page = Self::open(server, name, voice);
        page.takes_calls();
        page
    }

    /// Signs in and says ready; waits until it is so, by keys alone.
    pub fn takes_calls(&self) {
        self.says_ready();
        self.until_doing("Ready");
    }

    /// Signs in and says ready.
    pub fn says_ready(&self) {
        self.signs_in();
        self.until_doing("Off shift");
        self.key("KeyG");
    }

    /// Types name and password.
    pub fn signs_in(&self) {
        let name = self.chromium.name().to_owned();
        self.chromium.until("way in", "document.activeElement?.autocomplete === 'username'");
        self.chromium.types(&name);
        self.key("Tab");
        self.chromium.types(&password(&name));
        self.key("Enter");
    }

    /// Answers what rings.
    pub fn answers(&self) {
        self.until_there("#offer-title");
        self.key("KeyA");
        self.until_doing("Talking");
    }

    /// Opens another page by its path.
    pub fn goes_to(&self, path: &str) {
        self.chromium.go_to(&format!("{}{path}", self.address));
    }

    /// Presses a key by its place.
    pub fn key(&self, code: &str) {
        self.chromium.key(code, With::Nothing);
    }

    /// Waits until the button of the operator's state says this.
    pub fn until_doing(&self, word: &str) {
        let label = json!(format!("My state: {word}").replace(' ', ""));
        let says = "[...document.querySelectorAll('button')].some((one) => one.textContent.replace(/\\s/g, '').startsWith(";
        self.chromium.until(word, &format!("{says}{label}))"));
    }

    /// Waits until an element is there.
    pub fn until_there(&self, selector: &str) {
        self.chromium.until(selector, &format!("document.querySelector({}) !== null", json!(selector)));
    }

    /// Waits until the screen says this.
    pub fn until_says(&self, words: &str) {
        self.chromium.until(words, &format!("document.body.innerText.includes({})", json!(words)));
    }

    /// Goes by Tab to the button that says this, and presses it.
    pub fn presses(&self, words: &str) {
        self.tabs_to(words, &format!("one.tagName === 'BUTTON' && one.textContent.includes({})", json!(words)));
        self.key("Enter");
    }

    /// Goes by the form's key and Tab to the text of the case, and types this.
    pub fn writes(&self, text: &str) {
        self.key("KeyC");
        self.until_focus("the form", "one.closest('section')?.getAttribute('aria-labelledby') === 'case-title'");
        self.tabs_to("the text of the case", "one.tagName === 'TEXTAREA'");
        self.chromium.types(text);
    }

    /// Names a colleague in the dialog that asks for whom.
    pub fn chooses(&self, whom: &str) {
        self.until_focus("whom", "one.closest('dialog') !== null && one.tagName === 'INPUT'");
        self.chromium.types(whom);
        self.key("Enter");
        self.chromium.until("end of the dialog", "document.querySelector('dialog[open]') === null");
    }

    fn until_focus(&self, what: &str, is: &str) {
        self.chromium.until(what, &format!("[document.activeElement].some((one) => one && {is})"));
    }

    fn tabs_to(&self, what: &str, is: &str) {
        let there = format!("[document.activeElement].some((one) => one && {is})");
        let reached = (0..TABS).any(|_| {
            self.key("Tab");
            self.chromium.run(&there) == json!(true)
        });
        assert!(reached, "{}: Tab does not lead to {what}: {}", self.chromium.name(), self.says("body"));
    }

    /// What an element says; empty where it is not there.
    pub fn says(&self, selector: &str) -> String {
        let text = self.chromium.run(&format!("document.querySelector({})?.innerText ?? ''", json!(selector)));
        text.as_str().unwrap_or_default().to_owned()
    }
}

impl Ear for Page {
    fn name(&self) -> &str {
        self.chromium.name()
    }

    fn heard_so_far(&self) -> Vec<i16> {
        self.chromium.heard_so_far()
    }

    fn length(&self) -> usize {
        self.chromium.run("heard.length").as_u64().unwrap_or(0) as usize
    }

    /// Chromium plays its sound on a thread without a right to the processor.
    fn windows(&self) -> usize {
        3
    }

    /// Beside its jitter buffer Chromium has what its player and the tap hold: a second on a busy machine.
    fn settles(&self) -> usize {
        12_000
    }
}
