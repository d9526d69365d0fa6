//! Are residents, and the photos and documents of their cases, shown to whom they are for, with a note of every look?

use cityline::app::{message_id, take_answer};
use cityline::caller::CallerKey;
use cityline::centre::time::Time;
use cityline::store::{Organisation, Role};
use cityline_bases::{Kind, on_both};
use serde_json::json;

use super::city::City;
use super::contract::heat;

on_both!(
    photos_of_works_come_in_from_their_owner_and_from_nobody_else,
    files_come_in_by_their_content_and_every_opening_is_on_record,
    residents_are_written_down_found_and_forgotten,
    an_organisation_answers_by_mail,
);

const CASE: &str = r#"{"service":"109","topic":"heating","text":"cold","draft":"one"}"#;
const DOCUMENT: &str = "%PDF-1.4 a letter";

async fn log(city: &City) -> Vec<(String, String)> {
    city.store.accesses(50).await.unwrap().into_iter().map(|entry| (entry.action, entry.subject)).collect()
}

async fn files_come_in_by_their_content_and_every_opening_is_on_record(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    let operator = [city.signed_in("operator", Role::Operator).await];
    let hall = [city.signed_in("city", Role::City).await];
    let stranger = [format!("Authorization: Bearer {}", city.store.make_key("heat").await.unwrap().unwrap().reveal())];
    let number = city.ask("POST", "/api/cases", &operator, Some(CASE)).await.json()["number"].as_str().unwrap().to_owned();
    let files = format!("/api/cases/{number}/files");
    let script = city.ask("POST", &files, &operator, Some("<svg onload=alert(1)>")).await;
    assert_eq!((script.status, script.json()["error"].as_str()), (422, Some("invalid")));
    assert_eq!(city.ask("POST", &files, &stranger, Some(DOCUMENT)).await.status, 404, "the case is not theirs");
    let added = city.ask("POST", &files, &operator, Some(DOCUMENT)).await;
    assert_eq!((added.status, added.json()["media"].as_str()), (201, Some("application/pdf")));
    let hash = added.json()["hash"].as_str().unwrap().to_owned();
    assert_eq!(city.ask("GET", &files, &operator, None).await.json()[0]["hash"], hash);
    let file = format!("{files}/{hash}");
    assert_eq!(city.ask("GET", &file, &hall, None).await.status, 403, "city hall has figures");
    let opened = city.ask("GET", &file, &operator, None).await;
    assert_eq!((opened.status, opened.header("content-type"), opened.body.as_slice()), (200, Some("application/pdf"), DOCUMENT.as_bytes()));
    assert_eq!((opened.header("content-disposition"), opened.header("x-content-type-options")), (Some("attachment"), Some("nosniff")));
    assert!(log(&city).await.contains(&("evidence".into(), format!("{number} {hash}"))));
    assert_eq!(city.ask("GET", &format!("{files}/..%2F..%2Fcityline.db"), &operator, None).await.status, 404);
    let finish = |photo: &str| json!({ "do": "finish", "photos": [photo] }).to_string();
    let act = format!("/api/cases/{number}/act");
    assert_eq!(city.ask("POST", &act, &operator, Some(&finish(&"0".repeat(64)))).await.status, 409, "no such file");
    assert_eq!(city.ask("POST", &act, &operator, Some(&finish(&hash))).await.json()["state"], "done");
    city.stop().await;
}

async fn photos_of_works_come_in_from_their_owner_and_from_nobody_else(kind: Kind) {
    let city = City::start(kind).await;
    for id in ["heat", "roads"] {
        city.store.put_organisation(&Organisation { id: id.into(), ..heat() }, Time(1)).await.unwrap();
    }
    let key = async |id: &str| [format!("Authorization: Bearer {}", city.store.make_key(id).await.unwrap().unwrap().reveal())];
    let (owner, stranger) = (key("heat").await, key("roads").await);
    let operator = [city.signed_in("operator", Role::Operator).await];
    let notice = json!({ "kk": "Жұмыс", "ru": "Работы", "uk": "Роботи", "en": "Works" });
    let soon = 4_102_444_800_000_u64;
    let works = json!({ "topic": "heating", "begins": 0, "ends": soon, "notice": notice });
    let published = city.ask("POST", "/api/works", &owner, Some(&works.to_string())).await;
    let n = published.json()["n"].as_i64().unwrap_or_else(|| panic!("{:?}", published.json()));
    let files = format!("/api/incidents/{n}/files");
    assert_eq!(city.ask("POST", &files, &stranger, Some(DOCUMENT)).await.status, 404, "the works are not theirs");
    assert_eq!(city.ask("POST", &files, &operator, Some(DOCUMENT)).await.status, 403);
    let added = city.ask("POST", &files, &owner, Some(DOCUMENT)).await;
    let hash = added.json()["hash"].as_str().unwrap().to_owned();
    assert_eq!(city.ask("GET", &files, &operator, None).await.json()[0]["hash"], hash);
    let opened = city.ask("GET", &format!("{files}/{hash}"), &operator, None).await;
    assert_eq!((opened.status, opened.body.as_slice()), (200, DOCUMENT.as_bytes()));
    assert!(log(&city).await.contains(&("evidence".into(), format!("incident:{n} {hash}"))));
    let fix = |photo: &str| json!({ "do": "fix", "photos": [photo], "words": "tested" }).to_string();
    let act = format!("/api/incidents/{n}/act");
    assert_eq!(city.ask("POST", &act, &owner, Some(&fix(&"0".repeat(64)))).await.status, 409, "no such file");
    assert_eq!(city.ask("POST", &act, &owner, Some(&fix(&hash))).await.json()["state"], "fixed");
    city.stop().await;
}

async fn residents_are_written_down_found_and_forgotten(kind: Kind) {
    let city = City::start(kind).await;
    let operator = [city.signed_in("operator", Role::Operator).await];
    let root = [city.signed_in("administrator", Role::Administrator).await];
    let dana = json!({ "name": "Dana", "protected": "veteran", "consent": true, "numbers": ["+7 (714) 200-00-03", "87142000004"] });
    let added = city.ask("POST", "/api/residents", &operator, Some(&dana.to_string())).await;
    assert_eq!((added.status, added.json()["numbers"].as_array().unwrap().len()), (201, 2), "{}", added.json());
    let id = added.json()["id"].to_string();
    let wrong = json!({ "numbers": ["none"] }).to_string();
    assert_eq!(city.ask("POST", "/api/residents", &operator, Some(&wrong)).await.status, 422);
    let by_number = city.ask("POST", "/api/residents/by-number", &operator, Some(r#"{"number":"+77142000003"}"#)).await.json();
    assert_eq!((by_number[0]["id"].to_string(), by_number[0]["protected"].as_str()), (id.clone(), Some("veteran")));
    let number = city.ask("POST", "/api/cases", &operator, Some(CASE)).await.json()["number"].as_str().unwrap().to_owned();
    let whose = format!("/api/cases/{number}/resident");
    assert_eq!(city.ask("PUT", &whose, &operator, Some(r#"{"resident":999}"#)).await.status, 404);
    assert_eq!(city.ask("PUT", &whose, &operator, Some(&format!("{{\"resident\":{id}}}"))).await.status, 200);
    let one = format!("/api/residents/{id}");
    let read = city.ask("GET", &one, &operator, None).await.json();
    assert_eq!(read["cases"], json!([number]));
    let mut changed = dana.clone();
    changed["revision"] = read["revision"].clone();
    changed["consent"] = json!(false);
    assert_eq!(city.ask("PUT", &one, &operator, Some(&changed.to_string())).await.json()["consent_ms"], json!(null));
    assert_eq!(city.ask("PUT", &one, &operator, Some(&changed.to_string())).await.status, 409, "somebody was faster");
    assert_eq!(city.ask("DELETE", &one, &operator, None).await.status, 403);
    assert_eq!(city.ask("DELETE", &one, &root, None).await.status, 204);
    assert_eq!(city.ask("GET", &one, &operator, None).await.status, 404);
    let looks = log(&city).await.into_iter().filter(|(action, _)| action == "residents").count();
    assert!(looks >= 5, "{looks} looks are on record");
    city.stop().await;
}

async fn an_organisation_answers_by_mail(kind: Kind) {
    let city = City::start(kind).await;
    city.store.put_organisation(&heat(), Time(1)).await.unwrap();
    let supervisor = [city.signed_in("supervisor", Role::Supervisor).await];
    let number = city.ask("POST", "/api/cases", &supervisor, Some(CASE)).await.json()["number"].as_str().unwrap().to_owned();
    let key = CallerKey::new([7; 32]);
    let id = message_id(&key, &number, "heat", 1);
    let letter = |text: &str| format!("From: dispatcher@heat\r\nIn-Reply-To: <{id}>\r\n\r\n{text}\r\n> cold\r\n").into_bytes();
    let elsewhere = take_answer(&city.store, &key, &letter("принято"), Time(2)).await.unwrap_err();
    assert!(elsewhere.to_string().contains("does not lie with heat"), "{elsewhere}");
    let act = format!("/api/cases/{number}/act");
    let forward = r#"{"do":"forward","organisation":"heat","words":"theirs"}"#;
    assert_eq!(city.ask("POST", &act, &supervisor, Some(forward)).await.status, 200);
    assert_eq!(take_answer(&city.store, &key, &letter("Принято"), Time(3)).await.unwrap().state, "accepted");
    let photo = "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.4 act\r\n--b--\r\n";
    let text = "--b\r\nContent-Type: text/plain\r\n\r\nDone\r\nThe valve was replaced.\r\n";
    let done = format!("In-Reply-To: <{id}>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{text}{photo}");
    assert_eq!(take_answer(&city.store, &key, done.as_bytes(), Time(4)).await.unwrap().state, "done");
    let files = city.ask("GET", &format!("/api/cases/{number}/files"), &supervisor, None).await.json();
    assert_eq!((files[0]["media"].as_str(), files[0]["by_name"].as_str()), (Some("application/pdf"), Some("mail")));
    let again = take_answer(&city.store, &key, &letter("Done\r\nonce more"), Time(5)).await.unwrap_err();
    assert!(again.to_string().contains("cannot be done"), "{again}");
    assert!(take_answer(&city.store, &CallerKey::new([8; 32]), &letter("note"), Time(6)).await.is_err(), "forged");
    let history = city.ask("GET", &format!("/api/cases/{number}/history"), &supervisor, None).await.json();
    let last = history["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["words"].as_str(), last["by"]["name"].as_str()), (Some("The valve was replaced."), Some("mail")));
    city.stop().await;
}
