//! Can an operator work a whole call by keys alone? From the way in to the next "ready", with a resident whose phone is not ours.

use std::time::Duration;

use cityline_phone::media::sound::read_wav;

use super::page::Page;
use crate::calls::baresip::Baresip;
use crate::calls::cast::{OPERATOR, RESIDENT, ended};
use crate::calls::ears::{self, Hears};
use crate::calls::server::Server;
use crate::calls::{SOON, heard};
use crate::chromium::With;

/// The longest greeting and question are over by then.
const SPOKEN: Duration = Duration::from_secs(40);

/// The embedded city with one operator, whose phone is the page.
pub const CITY: &str = "[operators.daniyar]\nskills = [\"kk\", \"ru\", \"heating\"]\nbrowser = true\n";

/// A resident who has called 109, chosen Russian and the heating.
pub fn resident(server: &Server) -> Baresip {
    let account = format!("<sip:+77010500001@{}>;regint=0;audio_codecs=PCMA/8000/1", server.sip);
    let resident = Baresip::start(&format!("desk-resident-{}", server.sip.port()), &account, RESIDENT);
    resident.order("dial", &server.uri("109"));
    let in_step = |step: &str| server.rows_until(&format!("SELECT count(*) FROM steps WHERE step = '{step}'"), SPOKEN, |rows| rows != "0");
    in_step("language");
    resident.order("sndcode", "2");
    in_step("topics");
    resident.order("sndcode", "1");
    resident
}

#[test]
fn a_call_is_answered_talked_written_down_and_ended_by_keys_alone() {
    let server = Server::start("desk-shift", CITY);
    let page = Page::ready(&server, "daniyar", OPERATOR);
    let resident = resident(&server);
    page.until_there("#offer-title");
    page.chromium.until("context", "document.querySelector('#context-title')?.innerText.includes('+77010500001')");
    assert!(page.says("[aria-labelledby=offer-title]").contains("Russian"), "the language stands in the offer");
    page.answers();
    ears::room("the talk", &[(&page, Hears::Voices(&[RESIDENT])), (&resident, Hears::Voices(&[OPERATOR]))]);

    page.key("KeyH");
    page.until_there("[aria-labelledby=talk-title]");
    page.until_says("The resident hears music");
    ears::room("a hold", &[(&page, Hears::Silence), (&resident, Hears::Music)]);
    page.key("KeyH");
    ears::until("the talk again", || !ears::voices(&ears::lately(&page, Duration::from_secs(1))).is_empty());

    page.writes("Нет отопления с утра, мёрзнут дети");
    page.chromium.key("Enter", With::Ctrl);
    page.chromium
        .until("number", "/109-\\d{4}-\\d{6}/.test(document.querySelector('[aria-labelledby=case-title] [role=status]')?.innerText ?? '')");
    let number = page.says("[aria-labelledby=case-title] [role=status] .figures");
    server.rows_become("SELECT number || '|' || topic FROM cases", &format!("{number}|heating"));
    page.key("KeyE");
    page.until_doing("Wrap-up");
    page.key("KeyG");
    page.until_doing("Ready");

    assert_eq!(ended(&server, "language, queue, agent, end_reason"), "ru|heating|daniyar|operator_hung_up");
    server.rows_until("SELECT length_ms FROM recordings WHERE length_ms > 0", SOON, |rows| !rows.is_empty());
    let channels = read_wav(&server.recording(1, 1)).unwrap();
    let [left, right] = channels.as_slice() else { panic!("two channels, not {}", channels.len()) };
    assert!(heard(left, RESIDENT).is_some_and(|voice| voice.chirps.len() > 10) && heard(left, OPERATOR).is_none());
    assert!(heard(right, OPERATOR).is_some_and(|voice| voice.chirps.len() > 10) && heard(right, RESIDENT).is_none());
}
