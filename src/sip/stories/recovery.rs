//! Dialogs of a former process: taken up with their tags and counts, asked for, withdrawn, or ended.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::calls_in::{request, up};
use super::calls_out::{FAR, dial, reply};
use super::renegotiation::{WITH_LOGIN, challenge};
use super::*;
use crate::sip::legs::Leg;
use crate::sip::persist::Survivors;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("cityline-dialogs-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that takes up the legs of `found`.
fn process(folder: &Folder, found: &[LegId]) -> Stage {
    let mut stage = Stage::new();
    let survivors = Survivors::open(&folder.0).unwrap();
    let dialogs = survivors.register(stage.now, &mut stage.exchange.registrar);
    let found: BTreeSet<LegId> = found.iter().copied().collect();
    stage.exchange.resume(stage.now, dialogs, &found);
    stage.exchange.keep();
    stage
}

#[test]
fn a_line_that_wants_proof_is_given_it_before_the_leg_counts_as_found() {
    let folder = Folder::new("proof");
    let mut before = process(&folder, &[]);
    up(&mut before);
    before.exchange.keep();
    drop(before);
    let mut stage = process(&folder, &[leg(1, 0)]);
    let trunks = toml::from_str(WITH_LOGIN).unwrap();
    stage.exchange.reload_trunks(stage.now, &trunks);
    stage.wait(20);
    let asked = stage.one();
    stage.hear(&challenge(&asked));
    let proven = stage.sent().pop().unwrap().1;
    assert!(header(&proven, "CSeq") == "102 INVITE" && stage.input().is_none(), "{proven}");
    let with_key = format!("{OFFER}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n");
    stage.hear(&reply(&proven, 200, "", &with_key));
    let told: Vec<Input> = std::iter::from_fn(|| stage.input()).collect();
    let [Input::Line(FromLine::Renegotiated { sdp, .. }), Input::LegRecovered { .. }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(stage.sdps.take(*sdp), Some(with_key), "its key may be another");
}

#[test]
fn a_dialog_goes_on_with_its_tags_its_number_and_a_higher_count() {
    let folder = Folder::new("goes-on");
    let mut before = process(&folder, &[]);
    let to = up(&mut before);
    before.exchange.keep();
    drop(before);
    assert_eq!(Survivors::open(&folder.0).unwrap().legs(), BTreeSet::from([leg(1, 0)]));
    let mut stage = process(&folder, &[leg(1, 0)]);
    stage.wait(20);
    let asked = stage.one();
    assert!(asked.starts_with("INVITE sip:a@203.0.113.7:5060 SIP/2.0\r\n") && asked.ends_with(ANSWER), "{asked}");
    assert_eq!((header(&asked, "From"), header(&asked, "Call-ID"), header(&asked, "CSeq")), (to.as_str(), "c1", "101 INVITE"));
    assert!(header(&asked, "To").ends_with(";tag=them"));
    stage.hear(&reply(&asked, 200, "", OFFER));
    let ack = stage.one();
    assert_eq!((header(&ack, "CSeq"), header(&ack, "From")), ("101 ACK", to.as_str()));
    assert_eq!(stage.input(), Some(Input::LegRecovered { leg: leg(1, 0) }));
    assert_eq!(stage.exchange.numbers.len(), 1, "the number is shown to the operator");
    stage.hear(&request("BYE", 2, "b", &to, "", ""));
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK"]);
    assert!(matches!(stage.told(), Some(FromLine::HungUp { .. })));
    stage.exchange.keep();
    assert!(Survivors::open(&folder.0).unwrap().legs().is_empty());
}

#[test]
fn a_far_end_that_knows_nothing_or_says_nothing_is_gone_and_any_other_refusal_is_life() {
    for (status, expected) in [(481, false), (408, false), (0, false), (491, true), (488, true)] {
        let folder = Folder::new(&format!("gone-{status}"));
        let mut before = process(&folder, &[]);
        up(&mut before);
        before.exchange.keep();
        let mut stage = process(&folder, &[leg(1, 0)]);
        stage.wait(20);
        let asked = stage.one();
        if status > 0 {
            stage.hear(&reply(&asked, status, "", ""));
            let ack = stage.sent().remove(0).1;
            assert_eq!((header(&ack, "CSeq"), header(&ack, "Via")), ("101 ACK", header(&asked, "Via")));
        } else {
            stage.wait(32_000);
        }
        let told = if expected { Input::LegRecovered { leg: leg(1, 0) } } else { Input::LegGone { leg: leg(1, 0) } };
        assert_eq!(stage.input(), Some(told), "{status}");
        assert_eq!(matches!(stage.exchange.legs.get(&leg(1, 0)), Some(Leg::Up(_))), expected);
    }
}

#[test]
fn a_dialog_that_is_not_taken_up_is_ended_and_an_invite_without_an_answer_withdrawn() {
    let folder = Folder::new("ended");
    let mut before = process(&folder, &[]);
    up(&mut before);
    let invite = dial(&mut before);
    before.hear_from(FAR, &reply(&invite, 180, "f", ""));
    before.exchange.keep();
    let mut stage = process(&folder, &[]);
    let mut sent = stage.sent();
    sent.sort();
    let first: Vec<&str> = sent.iter().map(|(_, text)| text.split(' ').next().unwrap()).collect();
    assert_eq!(first, ["CANCEL", "BYE"]);
    assert_eq!(header(&sent[0].1, "Via"), header(&invite, "Via"), "of the same transaction");
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    let ends: Vec<String> = stage.lines().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(ends, ["ACK", "BYE"], "who answers all the same is not left alone");
    stage.exchange.keep();
    assert!(stage.input().is_none() && Survivors::open(&folder.0).unwrap().legs().is_empty());
}
