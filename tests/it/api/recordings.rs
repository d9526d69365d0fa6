//! Who listens to recordings, and is every listen on record?

use cityline::caller::CallerSeen;
use cityline::centre::fact::Fact;
use cityline::centre::ids::{CallId, CallerRef, RecordingId, TrunkId};
use cityline::centre::time::Time;
use cityline::private::Private;
use cityline::store::Role;

use super::city::City;
use cityline_bases::{Kind, on_both};

on_both!(a_recording_is_heard_whole_and_in_part_and_on_record, a_number_is_whole_for_a_supervisor_and_masked_for_others,);

async fn city_with_a_recording(kind: Kind) -> City {
    let mut city = City::start(kind).await;
    let (call, caller) = (CallId(7), CallerRef(5));
    let recording = RecordingId { call, n: 1 };
    let number = Private::new("+77010000045".to_owned());
    city.store.remember_callers(&[CallerSeen { caller, number, name: None, at: Time(1) }]).await.unwrap();
    let facts = vec![
        Fact::CallStarted { call, number: "109".into(), trunk: TrunkId::from("city"), caller },
        Fact::RecordingStarted { recording, agent: Some("olena".into()) },
        Fact::RecordingEnded { recording, length_ms: 1_000, lost_ms: 0 },
    ];
    city.happens(1_000, facts).await;
    let file = city.folder.join("recordings").join(recording.path());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, b"RIFF-0123456789").unwrap();
    city
}

async fn a_recording_is_heard_whole_and_in_part_and_on_record(kind: Kind) {
    let city = city_with_a_recording(kind).await;
    let cookie = city.signed_in("quality", Role::Quality).await;
    let answer = city.ask("GET", "/api/recordings/7/1", std::slice::from_ref(&cookie), None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("audio/wav")));
    assert_eq!(answer.body, b"RIFF-0123456789");
    let part = [cookie.clone(), "Range: bytes=5-7".to_owned()];
    let answer = city.ask("GET", "/api/recordings/7/1", &part, None).await;
    assert_eq!((answer.status, answer.header("content-range")), (206, Some("bytes 5-7/15")));
    assert_eq!(answer.body, b"012");
    assert_eq!(city.ask("GET", "/api/recordings/7/2", std::slice::from_ref(&cookie), None).await.status, 404);

    let listens = city.store.accesses(10).await.unwrap();
    assert_eq!(listens.len(), 2);
    assert!(listens.iter().all(|entry| (entry.who.as_str(), entry.subject.as_str()) == ("quality", "call 7 recording 1")));

    let operator = city.signed_in("olena", Role::Operator).await;
    assert_eq!(city.ask("GET", "/api/recordings/7/1", &[operator], None).await.status, 403);
    assert_eq!(city.store.accesses(10).await.unwrap().len(), 2, "nothing was heard");
    city.stop().await;
}

async fn a_number_is_whole_for_a_supervisor_and_masked_for_others(kind: Kind) {
    let city = city_with_a_recording(kind).await;
    for (role, shown, on_record) in [(Role::Quality, "•••45", 0), (Role::Supervisor, "+77010000045", 1)] {
        let cookie = [city.signed_in(role.word(), role).await];
        let detail = city.ask("GET", "/api/calls/7", &cookie, None).await.json();
        assert_eq!((detail["caller"].as_str(), detail["recordings"][0]["agent"].as_str()), (Some(shown), Some("olena")));
        assert!(detail["recordings"][0].get("path").is_none());
        assert_eq!(city.store.accesses(10).await.unwrap().len(), on_record);
        let list = city.ask("GET", "/api/calls?number=109&limit=5", &cookie, None).await.json();
        assert_eq!(list[0]["id"], 7);
    }
    city.stop().await;
}
