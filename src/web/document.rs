//! What can a program ask, and what is it answered? The OpenAPI document, made of the handlers and of the router's table.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::store::Role;

use super::error::Refusal;
use super::messages::{Frame, FromPage, ToPage};
use super::router::{Declared, declared};
use super::{
    accesses, accounts, alerts, auth, cabinet, cabinet_code, callbacks, calls, cases, desk, dialplans, evidence, health, imports,
    incidents, kiosks, live, me, metrics, orders, organisations, page, proposing, recordings, reference, register, residents, settings,
    shifts, status, welcome,
};

/// What the handlers say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(title = "Cityline", description = "Calls, cases and the register behind a city's short number."),
    paths(
        auth::login,
        auth::logout,
        welcome::welcome,
        status::status,
        me::me,
        me::put,
        me::password,
        me::enrol,
        me::confirm,
        accounts::list,
        accounts::put,
        accounts::remove,
        accounts::remove_second_factor,
        accounts::unlock,
        accesses::list,
        settings::read,
        settings::put,
        settings::revisions,
        dialplans::list,
        dialplans::check,
        dialplans::put,
        live::board,
        live::live,
        live::behind,
        alerts::list,
        kiosks::list,
        kiosks::make,
        kiosks::remove,
        kiosks::board,
        desk::desk,
        calls::list,
        calls::detail,
        calls::why,
        recordings::listen,
        callbacks::list,
        callbacks::standing,
        callbacks::done,
        shifts::list,
        shifts::order,
        orders::list,
        orders::order,
        incidents::list,
        incidents::detail,
        incidents::act,
        incidents::join,
        incidents::publish,
        incidents::calls_to_make,
        incidents::call_made,
        cases::list,
        cases::create,
        cases::detail,
        cases::act,
        cases::erase,
        cases::topics,
        proposing::propose,
        proposing::duplicates,
        proposing::write_note,
        proposing::remove_note,
        evidence::add,
        evidence::list,
        evidence::open,
        evidence::add_to_incident,
        evidence::list_of_incident,
        evidence::open_of_incident,
        residents::add,
        residents::change,
        residents::detail,
        residents::by_number,
        residents::forget,
        residents::name,
        register::history,
        register::overdue,
        register::control_calls,
        register::league,
        register::seals,
        register::names,
        register::rules,
        register::put_rules,
        organisations::list,
        organisations::put,
        organisations::make_key,
        organisations::take_key,
        organisations::routes,
        organisations::put_routes,
        imports::streets,
        imports::buildings,
        imports::list,
        imports::import,
        imports::detail,
        reference::articles,
        reference::write_article,
        reference::article,
        reference::change_article,
        reference::contacts,
        reference::contact,
        reference::first_calls,
        reference::districts,
        reference::views,
        reference::put_view,
        reference::remove_view,
        cabinet_code::code,
        cabinet_code::login,
        cabinet::me,
        cabinet::logout,
        cabinet::list,
        cabinet::detail,
        cabinet::confirm,
        cabinet::reopen,
        cabinet::add,
        cabinet::open,
        answer,
        page::index,
        page::asset,
        page::icon,
        health::livez,
        health::readyz,
        metrics::metrics,
    ),
    components(schemas(Refusal, FromPage, ToPage, Frame))
)]
struct Handlers;

/// The document as it is served; made once.
static TEXT: LazyLock<String> = LazyLock::new(openapi);

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", responses((status = 200, body = Object, content_type = "application/json")))]
pub(super) async fn answer() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// The OpenAPI 3.1 document of all routes as JSON, with the roles of each in `x-roles`.
pub fn openapi() -> String {
    let mut document = serde_json::to_value(Handlers::openapi()).unwrap_or_default();
    for line in declared() {
        let verb = line.verb.word().to_lowercase();
        if let Some(Value::Object(operation)) = document.pointer_mut(&format!("/paths/{}/{verb}", line.path.replace('/', "~1"))) {
            complete(operation, &line);
        }
    }
    unsigned(&mut document);
    if let Some(Value::Object(components)) = document.get_mut("components") {
        let schemes = json!({
            "session": { "type": "apiKey", "in": "cookie", "name": "cityline", "description": "What POST /api/login sets, and POST /api/cabinet/login for residents." },
            "key": { "type": "http", "scheme": "bearer", "description": "An organisation's key: it sees and acts on that organisation's cases." },
        });
        components.insert("securitySchemes".to_owned(), schemes);
    }
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// Adds what follows from the route's line: its name, its roles, and how it refuses.
fn complete(operation: &mut Map<String, Value>, line: &Declared) {
    operation.insert("operationId".to_owned(), Value::String(name(line)));
    operation.insert("tags".to_owned(), json!([tag(line.path)]));
    if let Some(roles) = line.roles {
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        operation.insert("x-roles".to_owned(), json!(words));
        let mut security = vec![json!({ "session": [] })];
        if roles.contains(&Role::Organisation) {
            security.push(json!({ "key": [] }));
        }
        operation.insert("security".to_owned(), Value::Array(security));
    }
    let refusals = refusals(operation, line);
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        for (status, why) in refusals {
            let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Refusal" } } });
            responses.entry(status).or_insert_with(|| json!({ "description": why, "content": content }));
        }
    }
}

/// An integer that is not negative is no int32 and no int64 of the formats: those end at half of what is taken.
fn unsigned(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("minimum").and_then(Value::as_u64) == Some(0) {
                fields.remove("format");
            }
            fields.values_mut().for_each(unsigned);
        }
        Value::Array(values) => values.iter_mut().for_each(unsigned),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The statuses by which a route refuses, with their reasons.
fn refusals(operation: &Map<String, Value>, line: &Declared) -> Vec<(&'static str, &'static str)> {
    let mut refusals = Vec::new();
    if line.roles.is_some() {
        refusals.push(("401", "Nobody is signed in, or the key is no organisation's."));
        refusals.push(("403", "The role may not, or the request comes from another site's page."));
        refusals.push(("503", "The database does not answer."));
    }
    let changes = line.verb != super::Verb::Get;
    if line.path.contains('{') {
        refusals.push(("404", "It is not there, or the account does not see it."));
    }
    if operation.contains_key("requestBody") || operation.contains_key("parameters") {
        refusals.push(("422", "The request cannot be understood, or a value is none."));
    }
    if changes && line.roles.is_some() {
        refusals.push(("409", "The register's rules refuse it, or somebody was faster."));
    }
    refusals
}

/// "getCasesNumberHistory".
fn name(line: &Declared) -> String {
    let words = line.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty() && *word != "api");
    let capital = |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    line.verb.word().to_lowercase() + &words.map(capital).collect::<String>()
}

/// The first word of the path.
fn tag(path: &str) -> &str {
    let first = path.trim_start_matches("/api").trim_start_matches('/').split('/').next().unwrap_or_default();
    if first.is_empty() || !path.starts_with("/api/") { "page" } else { first }
}
