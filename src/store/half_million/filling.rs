//! What do two years of a large city leave behind? Cases, their history, words and contacts, the same on every machine.

use std::collections::BTreeSet;

use super::*;

/// Every other consultation is no case: as many contacts without one as with one.
const CONSULTATIONS_A_CASE: u64 = 1;
const PART: u64 = 4_000;
/// Of a thousand cases: those that are open, and those that are done and wait for the resident's word.
const OPEN: u64 = 50;
const UNCONFIRMED: u64 = 30;
const HOUR_MS: u64 = 3_600_000;

/// Dice that fall the same on every machine (a linear congruence; Knuth, MMIX).
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// One of 60,000 words of two to four syllables: few are frequent and most are rare, and so are the syllables, as in a language.
    pub fn word(&mut self) -> String {
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
    const HEAD: &'static str = "INSERT INTO cases (kind, topic, priority, organisation, state, is_open, restricted, district, reaction_due_ms, \
        reaction_kept_ms, resolution_due_ms, resolution_kept_ms, reopened, last_place, body, number, by_name, draft, channel, registered_ms) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 20;

    fn bind(&self, statement: Statement) -> Statement {
        let case = &self.case;
        let ms = |at: Time| at.0.cast_signed();
        statement
            .bind("complaint")
            .bind(case.topic.as_str())
            .bind("normal")
            .bind(case.organisation.as_ref().map(|organisation| organisation.as_str().to_owned()))
            .bind(case.state.word())
            .bind(case.state.is_open())
            .bind(self.restricted.map(str::to_owned))
            .bind(case.district.as_ref().map(|district| district.as_str().to_owned()))
            .bind(ms(case.clocks.reaction.due))
            .bind(case.clocks.reaction.kept.map(ms))
            .bind(ms(case.clocks.resolution.due))
            .bind(case.clocks.resolution.kept.map(ms))
            .bind(0)
            .bind(self.place)
            .bind(serde_json::to_string(case).unwrap())
            .bind(&self.number)
            .bind("aigul")
            .bind(&self.draft)
            .bind("phone")
            .bind(ms(case.registered))
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

struct ContactLine {
    at_ms: i64,
    draft: String,
    caller: i64,
    topic: &'static str,
    number: Option<String>,
}

impl BulkRow for ContactLine {
    const HEAD: &'static str = "INSERT INTO contacts (at_ms, by_name, draft, channel, caller, topic, disposition, number) VALUES ";
    const TAIL: &'static str = "";
    const COLUMNS: usize = 8;

    fn bind(&self, statement: Statement) -> Statement {
        let disposition = if self.number.is_some() { "case" } else { "consultation" };
        let statement = statement.bind(self.at_ms).bind("aigul").bind(&self.draft).bind("phone").bind(self.caller).bind(self.topic);
        statement.bind(disposition).bind(self.number.clone())
    }
}

/// What is written at once.
#[derive(Default)]
struct Part {
    lines: Vec<CaseLine>,
    people: Vec<Person>,
    links: Vec<LinkLine>,
    beside: Vec<Beside>,
    contacts: Vec<ContactLine>,
    kept: Vec<KeptRow>,
}

impl Part {
    async fn write(self, store: &Store, known: &mut BTreeSet<String>) {
        let mut transaction = store.db.begin(Lock::Register).await.unwrap();
        bulk::write(&mut transaction, &self.lines).await.unwrap();
        bulk::write(&mut transaction, &self.people).await.unwrap();
        bulk::write(&mut transaction, &self.links).await.unwrap();
        bulk::write(&mut transaction, &self.beside).await.unwrap();
        bulk::write(&mut transaction, &self.contacts).await.unwrap();
        KeptRow::write(&mut transaction, &self.kept, known).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

/// Makes cases one after the other, and hashes their events as they would have been.
struct City {
    register: std::sync::Arc<crate::store::Register>,
    corpus: Vec<(&'static str, &'static str)>,
    dice: Dice,
    before: Digest,
    place: u64,
}

impl City {
    fn words(&mut self, text: &str) -> ReportWords {
        let more: Vec<String> = (0..6).map(|_| self.dice.word()).collect();
        let street = format!("улица {}", self.dice.word());
        let house = (1 + self.dice.below(200)).to_string();
        ReportWords {
            text: Private::new(format!("{text} {}", more.join(" "))),
            address: Some(Address { street: Private::new(street), house: Some(Private::new(house)), flat: None }),
            resident: None,
        }
    }

    /// A case with its history: most are done in some hours or days, and confirmed.
    fn history(&mut self, topic: &str, at: Time) -> Vec<Event> {
        let report = Report {
            kind: Of::Complaint,
            channel: Channel::Phone,
            topic: topic.into(),
            priority: Priority::Normal,
            district: Some(format!("d{}", self.dice.below(DISTRICTS)).as_str().into()),
            call: None,
            proposed: None,
        };
        let by = Author::Operator { name: "aigul".into() };
        let what = self.register.rules.register(report, at).unwrap();
        let What::Registered { promise, .. } = what else { unreachable!("a registration") };
        let organisation: OrganisationId = format!("o{}", self.dice.below(ORGANISATIONS)).as_str().into();
        let executor = Author::Organisation { organisation: organisation.clone(), name: "executor".into() };
        let mut events =
            vec![Event { at, by: by.clone(), what }, Event { at, by: by.clone(), what: What::Forwarded { organisation, promise } }];
        let (stands, hours) = (self.dice.below(1_000), 1 + self.dice.below(120));
        if stands >= OPEN {
            events.push(Event { at: at.plus_ms(hours * HOUR_MS), by: executor, what: What::Done { photos: vec![] } });
        }
        if stands >= OPEN + UNCONFIRMED {
            events.push(Event { at: at.plus_ms((hours + 20) * HOUR_MS), by, what: What::Confirmed { call: None } });
        }
        events
    }

    fn add(&mut self, n: u64, part: &mut Part) {
        let (topic, text) = self.corpus[self.dice.below(self.corpus.len() as u64) as usize];
        let at = Time(FIRST_MS + n * STEP_MS);
        let number = CaseNumber { service: SERVICE.into(), year: 2026, n: n as u32 + 1 };
        let words = self.words(text);
        let events = self.history(topic, at);
        let case = Case::fold(&events).unwrap().unwrap();
        let said = serde_json::to_string(&words).unwrap();
        for (which, event) in events.iter().enumerate() {
            self.place += 1;
            let (place, at_ms) = (self.place.cast_signed(), event.at.0.cast_signed());
            let event = serde_json::to_string(event).unwrap();
            let subject = number.to_string();
            let digest = (which == 0).then(|| commit(&[7; 32], &said));
            self.before = Link { place: self.place, subject: &subject, at_ms, event: &event, words: digest }.hash(&self.before);
            part.links.push(LinkLine { place, subject, at_ms, event, words: digest, hash: self.before });
            part.beside.extend((which == 0).then(|| Beside(place, said.clone())));
        }
        let id = n as i64 + 1;
        part.kept.push(KeptRow::of(&words, &number, &case, &self.register, id));
        let caller = if self.dice.below(1_000) < 4 { OFTEN } else { 10 + self.dice.below(CALLERS) };
        part.people.push(Person(number.to_string(), caller.cast_signed(), id));
        for more in 0..=CONSULTATIONS_A_CASE {
            let caller = if more == 0 { caller } else { 10 + self.dice.below(CALLERS) }.cast_signed();
            let at_ms = (at.0 + more * STEP_MS / 2).cast_signed();
            part.contacts.push(ContactLine {
                at_ms,
                draft: format!("{n}-{more}"),
                caller,
                topic,
                number: (more == 0).then(|| number.to_string()),
            });
        }
        let restricted = topic.starts_with("police").then_some("police");
        let place = self.place.cast_signed();
        part.lines.push(CaseLine { number: number.to_string(), draft: n.to_string(), case, place, restricted });
    }
}

fn corpus() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("../search/corpus.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>()).map(|line| (line[1], line[2])).collect()
}

/// Cases as the years would leave them.
pub(super) async fn filled(store: &Store, kind: Kind, cases: u64) {
    let guard = match kind {
        Kind::Sqlite => "DROP TRIGGER words_are_only_appended",
        Kind::Postgres => "ALTER TABLE chain_words DISABLE TRIGGER words_are_only_appended",
    };
    query_made(guard).execute(store.db.writer()).await.unwrap();
    let register = store.register().await.unwrap();
    let mut city = City { register, corpus: corpus(), dice: Dice(1), before: Digest::default(), place: 0 };
    let mut known = BTreeSet::new();
    for from in (0..cases).step_by(PART as usize) {
        let mut part = Part::default();
        for n in from..cases.min(from + PART) {
            city.add(n, &mut part);
        }
        part.write(store, &mut known).await;
    }
    let count = query("INSERT INTO case_counters (service, year, last) VALUES ($1, 2026, $2)");
    count.bind(SERVICE).bind(cases.cast_signed()).execute(store.db.writer()).await.unwrap();
}
