//! Whose cabinet can be tried in the demo? One resident's, with a case that is on its way and one that waits for their word.

use std::path::Path;

use crate::caller::{CallerSeen, normalise};
use crate::cases::assignment::Place;
use crate::cases::decide::Wish;
use crate::cases::event::Author;
use crate::centre::ids::NumberId;
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{NewCase, ReportWords, Store};

use super::history::{report, year};

/// The number. It is nobody's: the demo dials nothing outside.
pub const NUMBER: &str = "+77001090109";

/// Topics of the two cases, with what is said of them.
const CASES: [(&str, &str); 2] =
    [("water", "No water on the third floor since the morning."), ("lighting", "The lamp at the entrance is out.")];

/// Writes both cases, once.
pub async fn write(store: &Store, folder: &Path, now: Time) -> anyhow::Result<()> {
    let number = normalise(NUMBER);
    let caller = crate::app::caller_key(folder)?.reference(&number);
    store.remember_callers(&[CallerSeen { caller, number, name: None, at: now }]).await?;
    let by = Author::Operator { name: "aigul".to_owned() };
    for (topic, text) in CASES {
        let case = NewCase {
            service: NumberId::from("109"),
            year: year(now),
            report: report(None, topic),
            caller,
            resident: None,
            place: Place::default(),
            at_degrees: None,
            words: ReportWords { text: Private::new(text.to_owned()), ..ReportWords::default() },
            by: by.clone(),
            by_name: "aigul".to_owned(),
            draft: format!("demo-resident-{topic}"),
            at: now,
        };
        let row = store.open_case(case).await?;
        if row.state == "registered" {
            let said = Private::new("A new lamp was put in.".to_owned());
            store.act(&row.number.parse()?, &Wish::Finish { photos: Vec::new() }, by.clone(), Some(&said), now).await?;
        }
    }
    Ok(())
}
