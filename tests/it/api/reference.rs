//! Are files looked at before they are written, and articles, contacts, maps and views answered to whom they are for?

use cityline::store::Role;

use super::city::City;
use cityline_bases::{Kind, on_both};

on_both!(a_file_is_looked_at_then_written_and_its_addresses_are_found, articles_contacts_and_views_are_kept_over_http);

async fn a_file_is_looked_at_then_written_and_its_addresses_are_found(kind: Kind) {
    let city = City::start(kind).await;
    let root = [city.signed_in("administrator", Role::Administrator).await];
    let supervisor = [city.signed_in("supervisor", Role::Supervisor).await];
    let file = "street;house;district;former\nулица Абая;15;north;улица Ленина\nулица Абая;16;nowhere;\n";
    let looked = city.ask("POST", "/api/imports?kind=addresses", &root, Some(file)).await;
    assert_eq!((looked.status, &looked.json()["good"], &looked.json()["reasons"][0]["line"]), (200, &1.into(), &3.into()));
    let begun = city.ask("POST", "/api/imports?kind=addresses&write=true", &root, Some(file)).await;
    assert_eq!(begun.status, 202, "{}", begun.json());
    let id = begun.json()["id"].to_string();
    let limit = tokio::time::Instant::now() + super::city::LIMIT;
    loop {
        let told = city.ask("GET", &format!("/api/imports/{id}"), &root, None).await.json();
        if told["state"] == "done" {
            assert_eq!((&told["written"], &told["refused"]), (&1.into(), &1.into()));
            break;
        }
        assert!(told["state"] == "running" && tokio::time::Instant::now() < limit, "{told}");
        tokio::task::yield_now().await;
    }
    assert_eq!(city.ask("POST", "/api/imports?kind=addresses", &supervisor, Some(file)).await.status, 403);
    assert_eq!(city.ask("POST", "/api/imports?kind=weather", &root, Some(file)).await.status, 422);
    let empty = city.ask("POST", "/api/imports?kind=cases", &root, Some("")).await.json();
    assert!(empty["error"] == "invalid" && empty["what"].as_str().unwrap().contains("empty"), "{empty}");
    let found = city.ask("GET", "/api/streets?text=%D0%BB%D0%B5%D0%BD", &supervisor, None).await.json();
    assert_eq!(found[0]["name"], "улица Абая", "by the beginning of its old name");
    let houses = city.ask("GET", &format!("/api/streets/{}/buildings", found[0]["id"]), &supervisor, None).await.json();
    assert_eq!(houses[0]["house"], "15");
    let body = r#"{"service":"109","topic":"roads","text":"яма","draft":"f","address":{"street":"ул. Ленина","house":"дом 15"}}"#;
    let case = city.ask("POST", "/api/cases", &supervisor, Some(body)).await.json();
    assert_eq!(case["district"], "north", "placed by its address");
    let search = city.ask("GET", "/api/cases?text=%D1%8F%D0%BC%D1%8B", &supervisor, None).await;
    assert_eq!(search.status, 200);
    let search = city.ask("GET", "/api/cases?text=%D0%9B%D0%B5%D0%BD%D0%B8%D0%BD%D0%B0+15", &supervisor, None).await.json();
    assert_eq!(search[0]["number"], case["number"]);
    city.stop().await;
}

async fn articles_contacts_and_views_are_kept_over_http(kind: Kind) {
    let city = City::start(kind).await;
    let supervisor = [city.signed_in("supervisor", Role::Supervisor).await];
    let operator = [city.signed_in("operator", Role::Operator).await];
    let article = r#"{"topic":"heating","owner":"saule","review_ms":1,"active":true,"texts":{"en":{"title":"Heating season","body":"From October"}}}"#;
    assert_eq!(city.ask("POST", "/api/articles", &operator, Some(article)).await.status, 403);
    for (wrong, told) in [("\"heating\"", "topic"), ("\"en\"", "language")] {
        let refused = city.ask("POST", "/api/articles", &supervisor, Some(&article.replace(wrong, "\"xx\""))).await;
        assert_eq!(refused.status, 422);
        assert!(refused.json()["what"].as_str().unwrap().contains(told));
    }
    let id = city.ask("POST", "/api/articles", &supervisor, Some(article)).await.json()["id"].to_string();
    let contact = format!(r#"{{"draft":"1","disposition":"consultation","topic":"heating","article":{id}}}"#);
    assert_eq!(city.ask("POST", "/api/contacts", &operator, Some(&contact)).await.status, 201);
    assert_eq!(city.ask("POST", "/api/contacts", &operator, Some(&contact)).await.json()["counted"], false);
    assert_eq!(city.ask("POST", "/api/contacts", &operator, Some(&contact.replace(&id, "777"))).await.status, 404);
    let found = city.ask("GET", "/api/articles?text=heat", &operator, None).await.json();
    assert_eq!((&found[0]["topic"], &found[0]["answered"]), (&"heating".into(), &1.into()));
    let figures = city.ask("GET", "/api/first-calls", &supervisor, None).await.json();
    assert_eq!(figures["measures"][0]["basis_points"], 10_000, "{figures}");
    assert_eq!(city.ask("GET", "/api/contacts?from=9&to=3", &supervisor, None).await.status, 422);
    assert_eq!(city.ask("GET", "/api/districts", &supervisor, None).await.json(), serde_json::json!([]));
    let view = r#"{"name":"late","filter":{"overdue":true}}"#;
    assert_eq!(city.ask("PUT", "/api/views", &operator, Some(view)).await.status, 204);
    assert_eq!(city.ask("GET", "/api/views", &operator, None).await.json()[0]["filter"]["overdue"], true);
    assert_eq!(city.ask("DELETE", "/api/views/late", &supervisor, None).await.status, 404);
    assert_eq!(city.ask("DELETE", "/api/views/late", &operator, None).await.status, 204);
    city.stop().await;
}
