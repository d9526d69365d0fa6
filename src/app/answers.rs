//! What does an organisation's mail do to its case? Its first line says it, the rest are the words; the message that it answers says which case.

mod letter;

use anyhow::{Context, bail};

use crate::caller::CallerKey;
use crate::cases::decide::Wish;
use crate::cases::event::Author;
use crate::cases::ids::{CaseNumber, OrganisationId};
use crate::centre::time::Time;
use crate::private::Private;
use crate::store::{CaseRow, LONGEST_EVIDENCE, Store, media};
use letter::Letter;

/// The longest letter that is read, in bytes: what mail servers usually take, a photo or two in it.
pub const LONGEST_LETTER: usize = 25 * 1024 * 1024;

/// Under which words of a first line something is done, in four languages, ё as е. They stand whole: who writes that they did not find the
/// flat ("не нашли") does not return the case ("не наш"). A line that begins with none of them is a note.
const WORDS: [(Order, &[&str]); 4] = [
    (Order::Accept, &["accept", "accepted", "принято", "принят", "принята", "прийнято", "қабылдан", "қабылданды"]),
    (Order::Start, &["start", "started", "в работе", "у роботі", "жұмыста", "орындалуда"]),
    (
        Order::Return,
        &["return", "returned", "возврат", "возвращено", "не наш", "не наша", "не наше", "не наши", "повернено", "қайтарылды", "қайтару"],
    ),
    (
        Order::Finish,
        &[
            "done",
            "finished",
            "выполнен",
            "выполнена",
            "выполнено",
            "сделан",
            "сделана",
            "сделано",
            "устранен",
            "устранена",
            "устранено",
            "виконано",
            "зроблено",
            "усунуто",
            "орындалды",
            "жөнделді",
        ],
    ),
];

/// What a first line orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Accept,
    Start,
    Return,
    Finish,
}

/// A case, and the organisation that may answer for it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Asked {
    case: CaseNumber,
    organisation: OrganisationId,
}

/// The name of a message about a case to an organisation: whoever answers it proves by this name that it was sent to them.
pub fn message_id(key: &CallerKey, case: &str, organisation: &str, message: i64) -> String {
    format!("answer.{case}.{organisation}.{}.{message}@cityline", key.proof(&[case, organisation]))
}

/// Does what a letter says: takes the case on, returns it, finishes it, or adds a note.
///
/// # Errors
/// When it cannot be read, answers no message of ours, or the register refuses it: the text is for its sender.
pub async fn take(store: &Store, key: &CallerKey, letter: &[u8], at: Time) -> anyhow::Result<CaseRow> {
    let letter = Letter::read(letter)?;
    let asked = letter.answers.iter().find_map(|id| asked(key, id));
    let asked = asked.context("this is no answer to a message about a case; answer such a message, and leave its headers as they are")?;
    let (mut wish, words) = wish(&letter.text);
    let row = store.case(&asked.case).await?.with_context(|| format!("there is no case {}", asked.case))?.row;
    if row.organisation.as_deref() != Some(asked.organisation.as_str()) {
        bail!("the case {} does not lie with {} any more", asked.case, asked.organisation);
    }
    let by = Author::Organisation { organisation: asked.organisation, name: "mail".to_owned() };
    // What is neither photo nor PDF, or too long, is left in the letter: a logo, a calendar, a signature.
    let files = letter.files.into_iter().filter(|file| file.len() <= LONGEST_EVIDENCE);
    for (file, media) in files.filter_map(|file| media(&file).map(|media| (file, media))) {
        let added = store.attach(&asked.case, media, file, (by.clone(), "mail"), at).await?;
        if let Wish::Finish { photos } = &mut wish {
            photos.push(added.hash);
        }
    }
    Ok(store.act(&asked.case, &wish, by, words.as_ref(), at).await?)
}

/// "answer.CASE.ORGANISATION.PROOF.MESSAGE@cityline"
fn asked(key: &CallerKey, id: &str) -> Option<Asked> {
    let mut parts = id.strip_suffix("@cityline")?.strip_prefix("answer.")?.split('.');
    let (case, organisation, proof) = (parts.next()?, parts.next()?, parts.next()?);
    // Compared in constant time: a proof is as good as a password.
    let right = key.proof(&[case, organisation]);
    let equal: bool = subtle::ConstantTimeEq::ct_eq(right.as_bytes(), proof.as_bytes()).into();
    equal.then_some(())?;
    Some(Asked { case: case.parse().ok()?, organisation: organisation.into() })
}

fn begins_with(line: &str, word: &str) -> bool {
    line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// The wish of a text, and its words: what follows the order, or all of it.
fn wish(text: &str) -> (Wish, Option<Private<String>>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let begin = first.trim().to_lowercase().replace('ё', "е");
    let order = WORDS.into_iter().find(|(_, words)| words.iter().any(|word| begins_with(&begin, word))).map(|(order, _)| order);
    let words = if rest.trim().is_empty() { text } else { rest };
    let words = Some(Private::new(words.trim().chars().take(10_000).collect::<String>()));
    match order {
        Some(Order::Accept) => (Wish::Accept, words),
        Some(Order::Start) => (Wish::Start, words),
        Some(Order::Return) => (Wish::Return, words),
        Some(Order::Finish) => (Wish::Finish { photos: Vec::new() }, words),
        None => (Wish::Note, Some(Private::new(text.trim().chars().take(10_000).collect()))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_first_line_orders_and_everything_else_is_a_note() {
        let done = wish("Выполнено\n\nЗаменён вентиль.\n");
        assert_eq!((done.0, done.1.unwrap().reveal().as_str()), (Wish::Finish { photos: vec![] }, "Заменён вентиль."));
        assert_eq!(wish("Қабылданды").0, Wish::Accept);
        assert_eq!(wish("Не наше: дом ведомственный").0, Wish::Return);
        assert_eq!(wish("Устранён засор").0, Wish::Finish { photos: vec![] });
        for note in ["Не нашли квартиру", "Accepting tenders", "Выполненою не можем", ""] {
            assert_eq!(wish(note).0, Wish::Note, "{note}");
        }
        let note = wish("Мастер будет завтра.\nВыполнено позже");
        assert_eq!((note.0, note.1.unwrap().reveal().as_str()), (Wish::Note, "Мастер будет завтра.\nВыполнено позже"));
    }

    #[test]
    fn only_a_message_of_ours_is_answered() {
        let key = CallerKey::new([7; 32]);
        let id = message_id(&key, "109-2026-000123", "heat", 5);
        let found = asked(&key, &id).unwrap();
        assert_eq!((found.case.n, found.organisation.as_str()), (123, "heat"));
        for forged in [id.replace("000123", "000124"), id.replace("heat", "roads"), "answer.x@cityline".into(), "<a@b>".into()] {
            assert_eq!(asked(&key, &forged), None, "{forged}");
        }
        assert_eq!(asked(&CallerKey::new([8; 32]), &id), None, "of another city");
    }
}
