//! Calls that an operator gives away by the phone itself: REFER, how it goes, and whom it names.

use super::calls_in::{request, up};
use super::calls_out::{FAR, dial, reply};
use super::*;
use crate::centre::fact::EndReason;
use crate::centre::input::ReferTo;

const LEG: (u64, u16) = (7, 1);

fn us() -> LegId {
    leg(LEG.0, LEG.1)
}

/// A phone that we have dialled and that talks; returns our INVITE.
fn talking(stage: &mut Stage) -> String {
    let invite = dial(stage);
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    stage.told();
    stage.sent();
    invite
}

fn refer(invite: &str, cseq: u32, headers: &str) -> String {
    format!(
        "REFER sip:cityline@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {FAR};branch=z9hG4bKr{cseq}\r\nFrom: {};tag=f\r\nTo: {}\r\nCall-ID: {}\r\n\
         CSeq: {cseq} REFER\r\nContact: <sip:far@{FAR}>\r\n{headers}Content-Length: 0\r\n\r\n",
        header(invite, "To"),
        header(invite, "From"),
        header(invite, "Call-ID")
    )
}

#[test]
fn a_transfer_is_told_from_its_beginning_to_its_end() {
    let mut stage = Stage::new();
    let invite = talking(&mut stage);
    let wish = refer(&invite, 1, "Refer-To: <sip:202@cityline>\r\n");
    stage.hear_from(FAR, &wish);
    let sent = stage.sent();
    assert!(sent.len() == 2 && sent[0].1.starts_with("SIP/2.0 202 Accepted"), "{sent:#?}");
    let notify = &sent[1].1;
    assert!(notify.starts_with(&format!("NOTIFY sip:far@{FAR} SIP/2.0")) && notify.ends_with("\r\n\r\nSIP/2.0 100 Trying\r\n"), "{notify}");
    assert!(header(notify, "Event") == "refer" && header(notify, "Subscription-State") == "active;expires=180", "{notify}");
    assert_eq!(header(notify, "Content-Type"), "message/sipfrag;version=2.0");
    assert_eq!(stage.told(), Some(FromLine::Referred { leg: us(), to: ReferTo::Agent("olena".into()) }));
    stage.hear_from(FAR, &wish);
    assert_eq!((stage.lines(), stage.told()), (vec!["SIP/2.0 202 Accepted".to_owned()], None), "repeated");
    stage.wait(600);
    assert_eq!(stage.one(), *notify, "lost, and repeated");
    stage.hear_from(FAR, &reply(notify, 200, "", ""));
    stage.hear_from(FAR, &refer(&invite, 2, "Refer-To: <sip:202@cityline>\r\n"));
    assert_eq!(stage.lines(), ["SIP/2.0 491 Request Pending"], "one at a time");
    stage.order(ToLine::ReferProgress { leg: us(), status: 200 });
    stage.order(ToLine::HangUp { leg: us(), reason: EndReason::OperatorHungUp });
    let sent = stage.sent();
    assert!(
        sent[0].1.ends_with("\r\n\r\nSIP/2.0 200 OK\r\n") && header(&sent[0].1, "Subscription-State") == "terminated;reason=noresource"
    );
    assert!(sent[1].1.starts_with("BYE ") && sent.len() == 2, "{sent:#?}");
}

#[test]
fn a_transfer_that_comes_to_nothing_may_be_tried_again() {
    let mut stage = Stage::new();
    let invite = talking(&mut stage);
    stage.hear_from(FAR, &refer(&invite, 1, "Refer-To: <sip:heating@cityline>\r\n"));
    assert_eq!(stage.told(), Some(FromLine::Referred { leg: us(), to: ReferTo::Name("heating".into()) }));
    stage.sent();
    stage.order(ToLine::ReferProgress { leg: us(), status: 486 });
    assert!(stage.one().ends_with("SIP/2.0 486 Busy Here\r\n"));
    stage.hear_from(FAR, &refer(&invite, 2, "r: <sip:+77010000001@cityline;user=phone>\r\nRefer-Sub: false\r\n"));
    let answer = stage.one();
    assert!(answer.starts_with("SIP/2.0 200 OK") && header(&answer, "Refer-Sub") == "false", "{answer}");
    let Some(FromLine::Referred { to: ReferTo::Outside(number), .. }) = stage.told() else { panic!() };
    assert_eq!(stage.exchange.links.numbers.number(number).unwrap().reveal(), "+77010000001");
    stage.order(ToLine::ReferProgress { leg: us(), status: 603 });
    assert!(stage.lines().is_empty(), "whoever wants no NOTIFY gets none");
    stage.hear_from(FAR, &refer(&invite, 3, "Refer-To: <sip:202@cityline>\r\n"));
    assert_eq!(header(&stage.sent()[1].1, "Event"), "refer;id=3");
}

#[test]
fn a_phone_names_the_dialog_that_is_to_be_replaced() {
    let mut stage = Stage::new();
    let invite = talking(&mut stage);
    let to = up(&mut stage);
    while stage.told().is_some() {}
    stage.sent();
    let ours = to.split(";tag=").nth(1).unwrap();
    for tags in [format!("to-tag%3D{ours}%3Bfrom-tag%3Dthem"), format!("from-tag%3D{ours}%3Bto-tag%3Dthem")] {
        let cseq = 1 + u32::from(tags.starts_with('f'));
        stage.hear_from(FAR, &refer(&invite, cseq, &format!("Refer-To: <sip:109@cityline?Replaces=c1%3B{tags}>\r\n")));
        assert_eq!(stage.told(), Some(FromLine::Referred { leg: us(), to: ReferTo::Replaces(leg(1, 0)) }));
        stage.order(ToLine::ReferProgress { leg: us(), status: 603 });
    }
    stage.sent();
    stage.hear_from(FAR, &refer(&invite, 9, "Refer-To: <sip:109@cityline?Replaces=c1%3Bto-tag%3D1.0.0%3Bfrom-tag%3Dthem>\r\n"));
    assert_eq!((stage.lines(), stage.told()), (vec!["SIP/2.0 400 Bad Request".to_owned()], None), "a guessed tag");
}

#[test]
fn a_colleague_who_was_asked_past_us_is_told_which_call_is_replaced() {
    let mut stage = Stage::new();
    let invite = talking(&mut stage);
    stage.sent();
    let asked = "Refer-To: <sip:202@198.51.100.9?Replaces=c%40phones%3Bto-tag%3Dx1%3Bfrom-tag%3Dy2>\r\n";
    stage.hear_from(FAR, &refer(&invite, 1, asked));
    assert_eq!(stage.told(), Some(FromLine::Referred { leg: us(), to: ReferTo::Agent("olena".into()) }));
    stage.order(ToLine::ReferProgress { leg: us(), status: 200 });
    let replaced = |stage: &Stage| stage.exchange.consulted_by(stage.now, us().call);
    assert_eq!(replaced(&stage).as_deref(), Some("c@phones;to-tag=x1;from-tag=y2"));
    stage.wait(10_000);
    assert_eq!(replaced(&stage), None, "what was not dialled at once is not replaced later");
    let odd = "Refer-To: <sip:202@198.51.100.9?Replaces=c%0d%0aEvil: 1%3Bto-tag%3Dx1%3Bfrom-tag%3Dy2>\r\n";
    stage.hear_from(FAR, &refer(&invite, 2, odd));
    assert_eq!((stage.told(), replaced(&stage)), (None, None), "a line of its own");
}

#[test]
fn residents_strangers_and_nonsense_take_nobody_anywhere() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    stage.hear(&request("REFER", 2, "r", &to, "Refer-To: <sip:202@x>\r\n", ""));
    stage.hear(&request("REFER", 3, "s", "<sip:109@x>", "Refer-To: <sip:202@x>\r\n", ""));
    stage.hear(&request("REFER", 4, "t", "<sip:109@x>;tag=none", "Refer-To: <sip:202@x>\r\n", ""));
    let answers: Vec<String> = stage.lines().iter().map(|line| line[8..11].to_owned()).collect();
    assert_eq!((&answers[answers.len() - 3..], stage.told()), (&["403".to_owned(), "403".into(), "481".into()][..], None));
    let invite = talking(&mut stage);
    for (n, headers) in ["", "Refer-To: nonsense\r\n", "Refer-To: <sip:%3cb%3e@x>\r\n", "Refer-To: <sip:a@x>\r\nRefer-To: <sip:b@x>\r\n"]
        .into_iter()
        .enumerate()
    {
        stage.hear_from(FAR, &refer(&invite, 10 + n as u32, headers));
        assert_eq!((stage.lines(), stage.told()), (vec!["SIP/2.0 400 Bad Request".to_owned()], None), "{headers}");
    }
}
