//! One INVITE of ours, several far ends: each may ring and be heard, the first answer wins, all others are ended.

use super::calls_out::{FAR, dial, reply};
use super::*;

#[test]
fn the_first_answer_wins_and_later_ones_are_ended() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    for tag in ["one", "two", "three"] {
        stage.hear_from(FAR, &reply(&invite, 180, tag, ""));
        stage.hear_from(FAR, &reply(&invite, 183, tag, &format!("v=0\r\ns={tag}\r\n")));
    }
    assert_eq!(stage.told(), Some(FromLine::Ringing { leg: leg(7, 1) }));
    for _ in 0..3 {
        assert!(matches!(stage.told(), Some(FromLine::EarlyMedia { .. })));
    }
    assert_eq!(stage.told(), None, "it rings once, and each is heard once");
    stage.hear_from(FAR, &reply(&invite, 200, "two", ANSWER));
    let ack = stage.one();
    assert!(header(&ack, "To").ends_with(";tag=two"));
    assert!(matches!(stage.told(), Some(FromLine::Answered { .. })));
    for tag in ["one", "three"] {
        stage.hear_from(FAR, &reply(&invite, 200, tag, ANSWER));
        let sent = stage.sent();
        assert!(sent.len() == 2 && sent[0].1.starts_with("ACK ") && sent[1].1.starts_with("BYE "), "{sent:#?}");
        assert!(sent.iter().all(|(_, text)| header(text, "To").ends_with(&format!(";tag={tag}"))));
        stage.hear_from(FAR, &reply(&sent[1].1, 200, tag, ""));
        stage.hear_from(FAR, &reply(&invite, 200, tag, ANSWER));
        assert!(stage.one().starts_with("ACK "), "a repeated one is acknowledged again, and ended once");
    }
    stage.hear_from(FAR, &reply(&invite, 200, "two", ANSWER));
    assert_eq!((stage.one(), stage.told()), (ack, None));
    stage.wait(70_000);
    assert_eq!((stage.exchange.legs.len(), stage.exchange.clients.len()), (1, 0));
}

#[test]
fn more_far_ends_than_any_honest_fork_has_are_not_kept() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    for n in 0..1_000 {
        stage.hear_from(FAR, &reply(&invite, 183, &format!("t{n}"), &format!("v=0\r\ns={n}\r\n")));
    }
    let told = std::iter::from_fn(|| stage.told()).count();
    assert_eq!(told, 9, "Ringing, and the sound of eight");
}
