//! Are messages due in their order, and does nobody who is away keep others waiting?

use cityline_bases::{Kind, on_both};

use super::Folder;
use crate::centre::time::Time;
use crate::store::{Message, Store};

on_both!(a_receiver_is_told_one_thing_after_the_other, many_messages_to_one_receiver_leave_room_for_others,);

async fn due(store: &Store, at: u64) -> Vec<Message> {
    store.messages_due(Time(at), 50).await.unwrap()
}

/// That an alert has ended is not told before that it was raised, however long that takes.
async fn a_receiver_is_told_one_thing_after_the_other(kind: Kind) {
    let folder = Folder::new(kind, "outbox-order");
    let store = folder.open().await.unwrap();
    for (id, what) in [(1, "raised"), (1, "ended"), (2, "raised")] {
        store.post_alert("alerts-webhook", id, what, "{}".into(), Time(1_000)).await.unwrap();
    }
    let kinds = |due: &[Message]| due.iter().map(|message| format!("{} {}", message.subject, message.kind)).collect::<Vec<_>>();
    let first = due(&store, 1_000).await;
    assert_eq!(kinds(&first), ["alert:1 raised", "alert:2 raised"]);
    store.message_failed(first[0].id, "away", Some(Time(31_000))).await.unwrap();
    store.message_sent(first[1].id, "webhook", Time(1_100)).await.unwrap();
    assert_eq!(kinds(&due(&store, 30_000).await), [""; 0], "the end waits for the beginning");
    store.post_alert("alerts-webhook", 1, "still on", "{}".into(), Time(30_000)).await.unwrap();
    assert_eq!(kinds(&due(&store, 30_000).await), ["alert:1 raised"], "a new message has the first tried again");
    store.message_failed(first[0].id, "away", Some(Time(31_000))).await.unwrap();
    assert_eq!(kinds(&due(&store, 30_999).await), [""; 0]);
    assert_eq!(kinds(&due(&store, 31_000).await), ["alert:1 raised"]);
    store.message_sent(first[0].id, "webhook", Time(31_000)).await.unwrap();
    let end = due(&store, 31_000).await;
    assert_eq!(kinds(&end), ["alert:1 ended"]);
    store.message_failed(end[0].id, "away for ever", None).await.unwrap();
    assert_eq!(kinds(&due(&store, 32_000).await), ["alert:1 still on"], "what was given up keeps nothing waiting");
}

async fn many_messages_to_one_receiver_leave_room_for_others(kind: Kind) {
    let folder = Folder::new(kind, "outbox-room");
    let store = folder.open().await.unwrap();
    for id in 0..80 {
        store.post_alert("alerts-webhook", id, "raised", "{}".into(), Time(1_000)).await.unwrap();
    }
    store.post_alert("supervisors", 99, "raised", "{}".into(), Time(2_000)).await.unwrap();
    let due = due(&store, 2_000).await;
    assert_eq!((due.len(), due.last().unwrap().receiver.as_str()), (6, "supervisors"));
}
