//! Which rows of a file can be written, and why can the others not? Each row by itself, against the rules of the register.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, TimeZone};

use crate::cases::assignment::Place;
use crate::cases::decide::Report;
use crate::cases::event::{Author, Channel, Kind};
use crate::cases::ids::{OrganisationId, TopicId};
use crate::cases::terms::Priority;
use crate::centre::ids::{CallerRef, NumberId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::addresses::NewBuilding;
use crate::store::register::{Address, IMPORT, NewCase, Organisation, Register, ReportWords, ResidentWords, Route};

use super::sheet::{self, Row};
use super::{Checked, ImportError, ImportKind, ImportReport, MOST_CASES, MOST_TOLD, OldCase, Refused, Rows};

/// What rows are checked against.
pub(super) struct Known {
    pub register: Arc<Register>,
    pub calendars: Vec<String>,
    pub zone: chrono_tz::Tz,
    pub by: String,
}

const ADDRESSES: &[&str] = &["street", "former", "house", "district", "lat", "lon", "chairman", "chairman_number"];
const ORGANISATIONS: &[&str] = &["id", "name", "calendar", "head", "email", "phone", "webhook", "active", "routes"];
const CASES: &[&str] = &[
    "number",
    "service",
    "registered",
    "kind",
    "channel",
    "topic",
    "priority",
    "district",
    "street",
    "house",
    "flat",
    "text",
    "resident",
    "phone",
    "organisation",
    "done",
    "answer",
];

/// Reads and checks a file.
pub(super) fn checked(kind: ImportKind, file: &[u8], known: &Known) -> Result<Checked, ImportError> {
    match kind {
        ImportKind::Addresses => {
            let (report, rows) = each(
                kind,
                sheet::read(file, ADDRESSES)?,
                |row| building(row, known),
                |new| format!("{} {}", new.street, crate::cases::address::house_key(&new.house)),
            );
            Ok(Checked { report, rows: Rows::Addresses(rows) })
        }
        ImportKind::Organisations => {
            let (report, rows) =
                each(kind, sheet::read(file, ORGANISATIONS)?, |row| organisation(row, known), |(organisation, _)| organisation.id.clone());
            Ok(Checked { report, rows: Rows::Organisations(rows) })
        }
        ImportKind::Cases => {
            let rows = sheet::read(file, CASES)?;
            if rows.len() > MOST_CASES {
                return Err(ImportError::Large("rows for old cases, more than 20000"));
            }
            let (report, rows) = each(kind, rows, |row| case(row, known), |old| old.new.draft.clone());
            Ok(Checked { report, rows: Rows::Cases(rows) })
        }
    }
}

/// Keeps the good rows, and tells of the others; a second row of one name is one of them.
fn each<T>(
    kind: ImportKind,
    rows: Vec<Row>,
    read: impl Fn(&Row) -> Result<T, String>,
    name: impl Fn(&T) -> String,
) -> (ImportReport, Vec<T>) {
    let mut report = ImportReport { kind, rows: rows.len(), good: 0, refused: 0, reasons: Vec::new() };
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut good = Vec::new();
    for row in rows {
        let read = read(&row).and_then(|value| match lines.insert(name(&value), row.line) {
            Some(earlier) => Err(format!("it says again what line {earlier} says; leave one of them")),
            None => Ok(value),
        });
        match read {
            Ok(value) => good.push(value),
            Err(why) => {
                report.refused += 1;
                if report.reasons.len() < MOST_TOLD {
                    report.reasons.push(Refused { line: row.line, why });
                }
            }
        }
    }
    report.good = good.len();
    (report, good)
}

fn building(row: &Row, known: &Known) -> Result<NewBuilding, String> {
    let street = row.needed("street")?.to_owned();
    if crate::cases::address::street_key(&street).is_empty() {
        return Err("street has neither letters nor digits".to_owned());
    }
    let degrees = |column: &str, most: f64| match row.cell(column).map(|cell| cell.replace(',', ".").parse::<f64>()) {
        None => Ok(None),
        Some(Ok(degrees)) if degrees.abs() <= most => Ok(Some(degrees)),
        Some(_) => Err(format!("{column} is no number of degrees; write it as 53.2144")),
    };
    let (lat, lon) = (degrees("lat", 90.0)?, degrees("lon", 180.0)?);
    if lat.is_some() != lon.is_some() {
        return Err("lat and lon go together; give both or neither".to_owned());
    }
    let former = row.cell("former").unwrap_or_default().split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    let private = |column: &str| row.cell(column).map(|cell| Private::new(cell.to_owned()));
    Ok(NewBuilding {
        street,
        former: former.collect(),
        house: row.cell("house").unwrap_or_default().to_owned(),
        district: district(row, known)?,
        lat,
        lon,
        chairman: private("chairman"),
        chairman_number: private("chairman_number"),
    })
}

fn organisation(row: &Row, known: &Known) -> Result<(Organisation, Vec<Route>), String> {
    let id = row.needed("id")?.to_owned();
    if id.len() > 60 || !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Err("id has other characters than a-z, 0-9 and -; write it as heat-networks".to_owned());
    }
    let calendar = row.cell("calendar").unwrap_or("office").to_owned();
    if !known.calendars.contains(&calendar) {
        return Err(format!("there is no calendar {calendar:?}; there are {}", known.calendars.join(", ")));
    }
    let active = match row.cell("active") {
        None | Some("1" | "true" | "yes" | "да" | "иә" | "так") => true,
        Some("0" | "false" | "no" | "нет" | "жоқ" | "ні") => false,
        Some(_) => return Err("active is neither yes nor no".to_owned()),
    };
    let cell = |column: &str| row.cell(column).map(str::to_owned);
    if let Some(webhook) = row.cell("webhook").filter(|address| !address.starts_with("http://") && !address.starts_with("https://")) {
        return Err(format!("webhook is no address ({} characters); begin it with https://", webhook.len()));
    }
    let routed = row.cell("routes").unwrap_or_default().split(';').map(str::trim).filter(|text| !text.is_empty());
    let routes = routed.map(|text| route(text, &id, known)).collect::<Result<_, _>>()?;
    let name = row.needed("name")?.to_owned();
    let (head, email, phone, webhook) = (cell("head"), cell("email"), cell("phone"), cell("webhook"));
    Ok((Organisation { id, name, calendar, head, email, phone, webhook, active }, routes))
}

/// "heating", "heating@north" or "@north".
fn route(text: &str, organisation: &str, known: &Known) -> Result<Route, String> {
    let (topic, district) = text.split_once('@').unwrap_or((text, ""));
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (topic, district) = (given(topic), given(district));
    if let Some(topic) = topic.as_ref().filter(|topic| !known.register.rules.topics.contains(&TopicId::from(topic.as_str()))) {
        return Err(format!("routes: there is no topic {topic:?}"));
    }
    if let Some(district) = district.as_ref().filter(|id| !known.register.districts.iter().any(|known| known.as_str() == id.as_str())) {
        return Err(format!("routes: there is no district {district:?}"));
    }
    Ok(Route { topic, district, street: None, building: None, organisation: organisation.to_owned() })
}

fn case(row: &Row, known: &Known) -> Result<OldCase, String> {
    let service = row.cell("service").unwrap_or("109");
    if service.len() > 15 || !service.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("service is no short number; write it as 109".to_owned());
    }
    let (at, year) = moment(row.needed("registered")?, known.zone).ok_or("registered is no moment; write it as 2025-03-31 14:05")?;
    let report = Report {
        kind: word(row, "kind", Kind::Complaint)?,
        channel: word(row, "channel", Channel::Phone)?,
        topic: row.needed("topic")?.into(),
        priority: word(row, "priority", Priority::Normal)?,
        district: district(row, known)?.map(|district| district.as_str().into()),
        call: None,
        proposed: None,
    };
    known.register.rules.register(report.clone(), at).map_err(|refusal| refusal.to_string())?;
    let organisation = row.cell("organisation").map(OrganisationId::from);
    if organisation.as_ref().is_some_and(|organisation| !known.register.rules.organisations.contains_key(organisation)) {
        return Err("organisation is not known; import organisations first".to_owned());
    }
    let done = match row.cell("done") {
        None => None,
        Some(done) => {
            let (done, _) = moment(done, known.zone).ok_or("done is no moment; write it as 2025-03-31 14:05")?;
            if done < at {
                return Err("done is before registered".to_owned());
            }
            Some((done, row.needed("answer")?.to_owned()))
        }
    };
    let number = row.needed("number")?;
    let private = |column: &str| row.cell(column).map(|cell| Private::new(cell.to_owned()));
    let address = private("street").map(|street| Address { street, house: private("house"), flat: private("flat") });
    let resident = ResidentWords { name: private("resident"), number: private("phone") };
    let place = Place { district: report.district.clone(), ..Place::default() };
    let new = NewCase {
        service: NumberId::from(service),
        year,
        report,
        caller: CallerRef::WITHHELD,
        resident: None,
        place,
        at_degrees: None,
        words: ReportWords {
            // The old number is what the resident has on paper.
            text: Private::new(format!("{} (№ {number})", row.needed("text")?)),
            address,
            resident: Some(resident).filter(|resident| resident.name.is_some() || resident.number.is_some()),
        },
        by: Author::Administrator { name: known.by.clone() },
        by_name: IMPORT.to_owned(),
        draft: format!("{service} {number}"),
        at,
    };
    Ok(OldCase { new, organisation, done })
}

fn district(row: &Row, known: &Known) -> Result<Option<String>, String> {
    let Some(district) = row.cell("district") else { return Ok(None) };
    if known.register.districts.iter().any(|known| known.as_str() == district) {
        return Ok(Some(district.to_owned()));
    }
    let all: Vec<&str> = known.register.districts.iter().map(crate::cases::ids::DistrictId::as_str).collect();
    Err(format!("there is no such district; there are {}", all.join(", ")))
}

/// A word of ours, as the API writes it.
fn word<T: serde::de::DeserializeOwned>(row: &Row, column: &str, usual: T) -> Result<T, String> {
    match row.cell(column) {
        None => Ok(usual),
        Some(cell) => serde_json::from_value(cell.to_lowercase().into()).map_err(|error| format!("{column}: {error}")),
    }
}

/// A moment of the city's clock, and its year there.
fn moment(text: &str, zone: chrono_tz::Tz) -> Option<(Time, u16)> {
    let with_time = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"];
    let parsed = with_time.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || ["%Y-%m-%d", "%d.%m.%Y"].iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())?.and_hms_opt(0, 0, 0);
    let local = parsed.or_else(day)?;
    // An hour that the clock leaves out is the one behind it.
    let at = zone
        .from_local_datetime(&local)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(local + chrono::Duration::hours(1))).earliest())?;
    let year = u16::try_from(chrono::Datelike::year(&local)).ok().filter(|year| (2000..=9999).contains(year))?;
    Some((Time(u64::try_from(at.timestamp_millis()).ok()?), year))
}
