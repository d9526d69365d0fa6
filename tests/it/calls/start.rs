//! What does the program say when it cannot start? Each message names the thing and the mend.

use std::fs;
use std::net::{TcpListener, UdpSocket};

use super::cast::{ONE_OPERATOR, short_city};
use super::server::Place;

/// All of these words are in the text.
fn names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
}

#[test]
fn a_broken_dialplan() {
    let place = Place::new("start-plan");
    let plan = include_str!("../../fixtures/plans/straight.toml");
    fs::write(place.folder.join("plan.toml"), plan.replace("say = [\"queue-full\"]", "say = [\"queue-ful\"]")).unwrap();
    let rules = short_city("");
    let settings = format!("dialplans = [\"plan.toml\"]\n{}", &rules[rules.find("[queues").unwrap()..]);
    for command in ["serve", "check"] {
        let said = place.refuses(&settings, &[command], |_| {});
        names(&said, &["plan.toml:17", "unknown prompt \"queue-ful\"", "mend: did you mean \"queue-full\"?"]);
    }
    fs::remove_file(place.folder.join("plan.toml")).unwrap();
    names(&place.refuses(&settings, &["serve"], |_| {}), &["plan.toml"]);
}

#[test]
fn prompts_that_are_not_there() {
    let place = Place::new("start-prompts");
    let folder = place.folder.join("no-prompts");
    let said = place.refuses(ONE_OPERATOR, &["serve"], |command| {
        command.env("CITYLINE_DATA__PROMPTS", format!("{folder:?}"));
    });
    names(&said, &["no-prompts", "cityline prompts build"]);
    fs::create_dir_all(folder.join("kk")).unwrap();
    let said = place.refuses(ONE_OPERATOR, &["serve"], |command| {
        command.env("CITYLINE_DATA__PROMPTS", format!("{folder:?}"));
    });
    names(&said, &["welcome-109", "kk", "cityline prompts build"]);
}

#[test]
fn a_key_or_a_value_that_is_wrong() {
    let place = Place::new("start-settings");
    names(&place.refuses("[media]\nsilence_after = 5\n", &["serve"], |_| {}), &["silence_after", "silence_after_ms"]);
    names(&place.refuses("zone = \"Asia/Kostanai\"\n", &["serve"], |_| {}), &["zone", "Kostanai"]);
    names(&place.refuses("[trunks.city]\nfrom = [\"everywhere\"]\n", &["serve"], |_| {}), &["trunks.city", "everywhere"]);
    names(&place.refuses("this is no TOML", &["serve"], |_| {}), &["city.toml"]);
}

#[test]
fn a_database_that_is_not_there() {
    let place = Place::new("start-database");
    let settings = "[data]\ndatabase = \"postgres://city:secret@127.0.0.1:9/register\"\n";
    for command in ["serve", "check"] {
        let said = place.refuses(settings, &[command], |_| {});
        names(&said, &["postgres://127.0.0.1:9/register", "start the server, or see host and port in data.database"]);
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn an_emergency_number_that_leads_nowhere_is_told() {
    let place = Place::new("start-nowhere");
    let said = |settings: &str| {
        let out = place.command(settings, &["check"]).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{said}");
        said
    };
    names(&said(ONE_OPERATOR), &["! number 109", "112", "give a trunk its `to`"]);
    let with_a_way = said(&format!("[trunks.city]\nto = \"127.0.0.2\"\n{ONE_OPERATOR}"));
    assert!(!with_a_way.contains('!'), "{with_a_way}");
}

#[test]
fn a_port_that_is_busy() {
    let place = Place::new("start-port");
    let udp = UdpSocket::bind(place.sip()).unwrap();
    names(&place.refuses(ONE_OPERATOR, &["serve"], |_| {}), &["sip.udp", &place.sip().to_string(), "give another port"]);
    drop(udp);
    let tcp = TcpListener::bind(place.sip()).unwrap();
    names(&place.refuses(ONE_OPERATOR, &["serve"], |_| {}), &["sip.tcp", "give another port"]);
    drop(tcp);
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = web.local_addr().unwrap().to_string();
    let said = place.refuses(ONE_OPERATOR, &["serve"], |command| {
        command.env("CITYLINE_WEB__LISTEN", format!("{address:?}"));
    });
    names(&said, &["web.listen", &address]);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let place = Place::new("start-folder");
    // A file where a folder should be: this refuses even a superuser.
    fs::write(place.folder.join("file"), "").unwrap();
    let folder = place.folder.join("file/data");
    let said = place.refuses(ONE_OPERATOR, &["serve"], |command| {
        command.env("CITYLINE_DATA__FOLDER", format!("{folder:?}"));
    });
    names(&said, &["file/data", "data.folder"]);
}
