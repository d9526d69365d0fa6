//! What does a letter say? Whose messages it answers, what its sender wrote above what is quoted, and the files that came with it.

use anyhow::Context;
use mail_parser::{HeaderValue, MessageParser};

/// Files of one letter that are looked at.
const MOST_FILES: usize = 10;

/// A letter as it is read.
#[derive(Debug)]
pub(super) struct Letter {
    /// The messages that it answers, as its headers name them.
    pub answers: Vec<String>,
    /// The text that its sender wrote, without what is quoted below.
    pub text: String,
    /// The files that came with it, whatever they are.
    pub files: Vec<Vec<u8>>,
}

impl Letter {
    /// Reads a letter (RFC 5322, MIME).
    ///
    /// # Errors
    /// When it has no text.
    pub fn read(letter: &[u8]) -> anyhow::Result<Letter> {
        let read = MessageParser::default().parse(letter).context("the letter cannot be read")?;
        let answers = [read.in_reply_to(), read.references()].into_iter().flat_map(ids).collect();
        let text = read.body_text(0).context("the letter has no text; write what was done above the quotation")?;
        // A photo that is shown within the text is one too.
        let files = read.parts.iter().filter(|part| !part.is_text() && !part.is_multipart() && !part.is_message());
        let files = files.take(MOST_FILES).map(|part| part.contents().to_vec()).collect();
        Ok(Letter { answers, text: own(&text), files })
    }
}

fn ids(header: &HeaderValue<'_>) -> Vec<String> {
    header.as_text_list().unwrap_or_default().iter().map(|id| id.as_ref().to_owned()).collect()
}

/// What the sender wrote: up to the first line that is quoted, or to the signature, without a line that leads to the quotation.
fn own(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\u{0}', "");
    let lines = text.lines().map(str::trim_end);
    let mut kept: Vec<&str> = lines.take_while(|line| !line.starts_with('>') && *line != "--" && !line.starts_with("-----")).collect();
    if kept.len() < text.lines().count() {
        while kept.last().is_some_and(|line| line.is_empty() || line.ends_with(':')) {
            kept.pop();
        }
    }
    kept.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::fuzz::{Target, feed, outcome};

    const PLAIN: &str = "From: a@b\r\nIn-Reply-To:\r\n <answer.x@cityline>\r\nReferences: <a@b> <c@d>\r\n\r\nВыполнено\r\nТепло дали.\r\n\r\nOn Monday the city wrote:\r\n> cold\r\n";

    /// A letter of an old program: HTML, CP1251 in base64, and a photo.
    fn of_parts() -> String {
        let text = STANDARD.encode(encoding_rs::WINDOWS_1251.encode("Принято").0);
        let photo = STANDARD.encode(b"\xFF\xD8\xFF a photo");
        let head = "Content-Type: multipart/mixed; boundary=\"b0\"\r\n\r\n--b0\r\n";
        let inner = "Content-Type: multipart/alternative;\r\n boundary=\"b1\"\r\n\r\nx\r\n--b1\r\n";
        let plain = "Content-Type: text/plain; charset=windows-1251\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        let html = "\r\n--b1\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n--b1--\r\n--b0\r\n";
        let file =
            "Content-Type: image/jpeg\r\nContent-Disposition: attachment; filename=a.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        format!("{head}{inner}{plain}{text}{html}{file}{photo}\r\n--b0--\r\n")
    }

    #[test]
    fn a_plain_answer_is_read_without_what_it_quotes() {
        let read = Letter::read(PLAIN.as_bytes()).unwrap();
        assert_eq!(read.text, "Выполнено\nТепло дали.");
        assert_eq!(read.answers, ["answer.x@cityline", "a@b", "c@d"]);
        assert!(read.files.is_empty());
    }

    #[test]
    fn a_letter_of_parts_in_an_old_character_set_is_read_with_its_photo() {
        let read = Letter::read(of_parts().as_bytes()).unwrap();
        assert_eq!((read.text.as_str(), read.files), ("Принято", vec![b"\xFF\xD8\xFF a photo".to_vec()]));
    }

    #[test]
    fn quoted_printable_and_html_alone_are_read() {
        let head = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n";
        assert_eq!(Letter::read(format!("{head}=D0=94=D0=B0 =\n1=3D1").as_bytes()).unwrap().text, "Да 1=1");
        assert_eq!(Letter::read(b"Content-Type: text/html\n\n<p>Done</p><p>valve</p>").unwrap().text.lines().next(), Some("Done"));
    }

    #[test]
    fn any_letter_is_read_or_refused() {
        let seeds = vec![PLAIN.as_bytes().to_vec(), of_parts().into_bytes()];
        let words =
            ["Content-Type: multipart/mixed; boundary=b\r\n", "--b\r\n", "--b--", "\r\n\r\n", "base64", "message/rfc822", "=?utf-8?B?"];
        feed(&Target { name: "letters", seeds, words: &words, longest: 20_000, bytes: (2_000_000, 400), takes_ms: 200 }, |raw| {
            outcome(&Letter::read(raw).map(|letter| (letter.answers.len().min(3), letter.files.len())).ok())
        });
    }
}
