//! How fast is the register with half a million cases? A measurement: `cargo test --release --lib -- --ignored half_a_million --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cityline_bases::{Kind, on_both};

use super::bulk::{self, BulkRow};
use super::search::KeptRow;
use super::statement::{Statement, query, query_made};
use super::tests::Folder;
use super::transaction::Lock;
use super::{Address, CaseFilter, ReportWords, Sight, Store};
use crate::cases::case::Case;
use crate::cases::chain::{Digest, Link, commit};
use crate::cases::decide::Report;
use crate::cases::event::{Author, Channel, Event, Kind as Of, What};
use crate::cases::terms::Priority;
use crate::centre::ids::CallerRef;
use crate::centre::time::Time;
use crate::private::Private;

on_both!(
    #[ignore = "a measurement"]
    half_a_million,
);

const SERVICE: &str = "109";
const ORGANISATIONS: u64 = 300;
const CALLERS: u64 = 150_000;
/// An institution that has reported very often.
const OFTEN: u64 = 7;
const FIRST_MS: u64 = 1_704_067_200_000;
const STEP_MS: u64 = 126_000;
const PART: u64 = 4_000;

/// Dice that fall the same on every machine (a linear congruence; Knuth, MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// One of 60,000 words of two to four syllables: few are frequent and most are rare, and so are the syllables, as in a language.
    fn word(&mut self) -> String {
        let rank = 60_000 / (1 + self.below(60_000));
        let n = if rank > 2 { rank } else { self.below(60_000) };
        let mut mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let syllables = 2 + mixed % 3;
        let mut word = String::new();
        for _ in 0..syllables {
            mixed /= 7;
            let (consonant, vowel) = ((mixed % 21) * (mixed / 21 % 21) / 21, (mixed / 441 % 9) * (mixed / 3969 % 9) / 9);
            word.extend("нтслрвкмдпзбгйчшхжщцқ".chars().nth(consonant as usize));
            word.extend("оаеиуыяәі".chars().nth(vowel as usize));
            mixed /= 5;
        }
        word
    }
}

struct CaseLine {
    number: String,
    draft: String,
    case: Case,
    place: i64,
    restricted: Option<&'static str>,
}

impl BulkRow for CaseLine {
    const HEAD: &'static str = "INSERT INTO cases (kind, topic, priority, organisation, state, is_open, restricted, reaction_due_ms, \
        resolution_due_ms, reopened, last_place, body, number, by_name, draft, channel, registered_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 17;

    fn bind(&self, statement: Statement) -> Statement {
        let case = &self.case;
        statement
            .bind("complaint")
            .bind(case.topic.as_str())
            .bind("normal")
            .bind(case.organisation.as_ref().map(|organisation| organisation.as_str().to_owned()))
            .bind(case.state.word())
            .bind(case.state.is_open())
            .bind(self.restricted.map(str::to_owned))
            .bind(case.clocks.reaction.due.0.cast_signed())
            .bind(case.clocks.resolution.due.0.cast_signed())
            .bind(0)
            .bind(self.place)
            .bind(serde_json::to_string(case).unwrap())
            .bind(&self.number)
            .bind("aigul")
            .bind(&self.draft)
            .bind("phone")
            .bind(case.registered.0.cast_signed())
    }
}

struct Person(String, i64, i64);

impl BulkRow for Person {
    const HEAD: &'static str = "INSERT INTO case_people (number, caller, case_id) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 3;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(&self.0).bind(self.1).bind(self.2)
    }
}

struct LinkLine {
    place: i64,
    subject: String,
    at_ms: i64,
    event: String,
    words: Option<Digest>,
    hash: Digest,
}

impl BulkRow for LinkLine {
    const HEAD: &'static str = "INSERT INTO chain (place, subject, at_ms, event, words, hash) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 6;

    fn bind(&self, statement: Statement) -> Statement {
        let statement = statement.bind(self.place).bind(&self.subject).bind(self.at_ms).bind(&self.event);
        statement.bind(self.words.map(|digest| digest.0.to_vec())).bind(self.hash.0.to_vec())
    }
}

struct Beside(i64, String);

impl BulkRow for Beside {
    const HEAD: &'static str = "INSERT INTO chain_words (place, salt, words) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 3;

    fn bind(&self, statement: Statement) -> Statement {
        statement.bind(self.0).bind(vec![7; 32]).bind(&self.1)
    }
}

fn corpus() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("search/corpus.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>()).map(|line| (line[1], line[2])).collect()
}

/// Cases as the years would leave them: two events each, hashed one after the other.
async fn filled(store: &Store, cases: u64) {
    let register = store.register().await.unwrap();
    let (corpus, mut dice) = (corpus(), Dice(1));
    let (mut before, mut place) = (Digest::default(), 0);
    let mut known = BTreeSet::new();
    for from in (0..cases).step_by(PART as usize) {
        let (mut lines, mut people, mut links, mut beside, mut kept) = (vec![], vec![], vec![], vec![], vec![]);
        for n in from..cases.min(from + PART) {
            let (topic, text) = corpus[dice.below(corpus.len() as u64) as usize];
            let at = Time(FIRST_MS + n * STEP_MS);
            let number = crate::cases::ids::CaseNumber { service: SERVICE.into(), year: 2026, n: n as u32 + 1 };
            let more: Vec<String> = (0..6).map(|_| dice.word()).collect();
            let private = |text: String| Private::new(text);
            let words = ReportWords {
                text: private(format!("{text} {}", more.join(" "))),
                address: Some(Address {
                    street: private(format!("улица {}", dice.word())),
                    house: Some(private((1 + dice.below(200)).to_string())),
                    flat: None,
                }),
                resident: None,
            };
            let report = Report {
                kind: Of::Complaint,
                channel: Channel::Phone,
                topic: topic.into(),
                priority: Priority::Normal,
                district: None,
                call: None,
                proposed: None,
            };
            let by = Author::Operator { name: "aigul".into() };
            let first = Event { at, by: by.clone(), what: register.rules.register(report, at).unwrap() };
            let mut case = Case::of(&first).unwrap();
            let promise = match &first.what {
                What::Registered { promise, .. } => *promise,
                _ => unreachable!("a registration"),
            };
            let organisation = format!("o{}", dice.below(ORGANISATIONS)).as_str().into();
            let second = Event { at, by, what: What::Forwarded { organisation, promise } };
            case.apply(&second).unwrap();
            let said = serde_json::to_string(&words).unwrap();
            for (event, said) in [(&first, Some(&said)), (&second, None)] {
                place += 1;
                let event = serde_json::to_string(event).unwrap();
                let (subject, at_ms) = (number.to_string(), at.0.cast_signed());
                let digest = said.map(|said| commit(&[7; 32], said));
                before = Link { place, subject: &subject, at_ms, event: &event, words: digest }.hash(&before);
                links.push(LinkLine { place: place.cast_signed(), subject, at_ms, event, words: digest, hash: before });
                beside.extend(said.map(|said| Beside(place.cast_signed(), said.clone())));
            }
            kept.push(KeptRow::of(&words, &number, &case, &register, n as i64 + 1));
            let caller = if dice.below(1_000) < 4 { OFTEN } else { 10 + dice.below(CALLERS) };
            people.push(Person(number.to_string(), caller.cast_signed(), n as i64 + 1));
            let restricted = topic.starts_with("police").then_some("police");
            lines.push(CaseLine { number: number.to_string(), draft: n.to_string(), case, place: place.cast_signed(), restricted });
        }
        let mut transaction = store.db.begin(Lock::Register).await.unwrap();
        bulk::write(&mut transaction, &lines).await.unwrap();
        bulk::write(&mut transaction, &people).await.unwrap();
        bulk::write(&mut transaction, &links).await.unwrap();
        bulk::write(&mut transaction, &beside).await.unwrap();
        KeptRow::write(&mut transaction, &kept, &mut known).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

fn told(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)].as_secs_f64() * 1e3;
    println!("{what}: n {}, median {:.2} ms, p99 {:.2} ms, worst {:.2} ms", took.len(), at(500), at(990), at(999));
}

/// The most memory that the process held since it was last asked, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

async fn half_a_million(kind: Kind) {
    let folder = Folder::new(kind, "half-a-million");
    let store = folder.open().await.unwrap();
    let cases = std::env::var("CITYLINE_CASES").map_or(500_000, |cases| cases.parse().unwrap());
    let guard = match kind {
        Kind::Sqlite => "DROP TRIGGER words_are_only_appended",
        Kind::Postgres => "ALTER TABLE chain_words DISABLE TRIGGER words_are_only_appended",
    };
    query_made(guard).execute(store.db.writer()).await.unwrap();
    let begun = Instant::now();
    filled(&store, cases).await;
    query("ANALYZE").execute(store.db.writer()).await.unwrap();
    println!("{kind:?}: {cases} cases in {:.0} s, {} words", begun.elapsed().as_secs_f64(), words(&store).await);
    let mut dice = Dice(2);
    let mut took = Vec::new();
    for n in 0..3_000 {
        let caller = CallerRef(if n % 50 == 0 { OFTEN } else { 10 + dice.below(CALLERS) });
        let begun = Instant::now();
        store.story(caller).await.unwrap();
        took.push(begun.elapsed());
    }
    told("screen pop", took);
    searched(&store, &mut dice, cases).await;
    peak_mb();
    let begun = Instant::now();
    let found = store.verify(&[]).await.unwrap();
    println!("verify: {} events, {} cases in {:.1} s, peak {} MB", found.events, found.cases, begun.elapsed().as_secs_f64(), peak_mb());
}

async fn words(store: &Store) -> i64 {
    query("SELECT COUNT(*) FROM search_words").fetch_scalar(store.db.readers()).await.unwrap()
}

async fn searched(store: &Store, dice: &mut Dice, cases: u64) {
    let mut asked: Vec<String> =
        include_str!("search/queries.txt").lines().filter_map(|line| Some(line.split_once(" | ")?.0.to_owned())).collect();
    for _ in 0..100 {
        asked.push(format!("улица {} {}", dice.word(), 1 + dice.below(200)));
        asked.push(format!("{} {}", dice.word(), dice.word()));
        asked.push((1 + dice.below(cases)).to_string());
    }
    // Common words that never stand together, and one that stands in every case.
    asked.extend(["лифт отопление собак", "улица", "троллейбус лифт", "radiators elevator"].map(str::to_owned));
    let (mut centre, mut own, mut slow) = (vec![], vec![], vec![]);
    let organisation = Sight { organisation: Some("o7".into()), groups: vec![] };
    for (n, text) in asked.iter().enumerate() {
        let begun = Instant::now();
        store.search_cases(text, &CaseFilter::default(), &Sight::centre(vec![]), Time(0)).await.unwrap();
        slow.push((begun.elapsed(), text));
        centre.push(begun.elapsed());
        if n % 3 == 0 {
            let begun = Instant::now();
            store.search_cases(text, &CaseFilter::default(), &organisation, Time(0)).await.unwrap();
            own.push(begun.elapsed());
        }
    }
    slow.sort();
    println!("slowest: {:?}", slow.iter().rev().take(6).collect::<Vec<_>>());
    told("search, the centre", centre);
    told("search, an organisation", own);
}
