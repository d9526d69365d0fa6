//! What does a letter say? Its headers and its plain text (RFC 5322, RFC 2045 to 2046), as far as an answer needs them.

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Parts within parts that are looked into.
const DEEPEST: usize = 5;

/// A letter as it is read.
#[derive(Debug)]
pub(super) struct Letter {
    /// Whose messages it answers, as its headers say, without brackets.
    references: String,
    /// The text that its sender wrote, without what is quoted below.
    pub text: String,
}

struct Part<'l> {
    headers: Vec<(String, String)>,
    body: &'l str,
    bytes: &'l [u8],
}

impl Letter {
    /// Reads a letter.
    ///
    /// # Errors
    /// When it has no plain text in a character set that is known.
    pub fn read(letter: &[u8]) -> anyhow::Result<Letter> {
        let whole = Part::read(letter);
        let references = [whole.header("in-reply-to"), whole.header("references")].join(" ");
        let text = whole.text(DEEPEST)?.context("the letter has no plain text; answer as text, not as HTML alone")?;
        Ok(Letter { references, text: own(&text) })
    }

    /// The names of messages that it answers.
    pub fn answers(&self) -> impl Iterator<Item = &str> {
        self.references.split_whitespace().map(|id| id.trim_matches(['<', '>', ',']))
    }
}

impl<'l> Part<'l> {
    fn read(bytes: &'l [u8]) -> Part<'l> {
        let (end, body) = match (find(bytes, b"\r\n\r\n"), find(bytes, b"\n\n")) {
            (Some(at), None) => (at, at + 4),
            (Some(at), Some(other)) if at < other => (at, at + 4),
            (_, Some(at)) => (at, at + 2),
            (None, None) => (bytes.len(), bytes.len()),
        };
        let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).replace("\r\n", "\n");
        // A line that begins with a blank goes on with the one before.
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
        let bytes = bytes.get(body..).unwrap_or_default();
        Part { headers, body: std::str::from_utf8(bytes).unwrap_or_default(), bytes }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The first plain text of it.
    fn text(&self, deeper: usize) -> anyhow::Result<Option<String>> {
        let kind = self.header("content-type");
        let lower = kind.to_ascii_lowercase();
        if lower.is_empty() || lower.starts_with("text/plain") {
            return self.decoded(&parameter(kind, "charset")).map(Some);
        }
        if !lower.starts_with("multipart/") || deeper == 0 {
            return Ok(None);
        }
        let boundary = format!("--{}", parameter(kind, "boundary"));
        for part in parts(self.bytes, boundary.as_bytes()) {
            if let Some(text) = Part::read(part).text(deeper - 1)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn decoded(&self, charset: &str) -> anyhow::Result<String> {
        let bytes = match self.header("content-transfer-encoding").to_ascii_lowercase().as_str() {
            "base64" => {
                let text: String = self.body.split_whitespace().collect();
                STANDARD.decode(text).context("its base64 cannot be read")?
            }
            "quoted-printable" => unquoted(self.bytes),
            _ => self.bytes.to_vec(),
        };
        let charset = if charset.is_empty() { "utf-8" } else { charset };
        let Some(known) = encoding_rs::Encoding::for_label(charset.as_bytes()) else {
            bail!("its character set {:?} is not known; answer in UTF-8", charset.chars().take(40).collect::<String>());
        };
        Ok(known.decode(&bytes).0.into_owned())
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|part| part == mark)
}

/// What stands between the boundaries (RFC 2046 §5.1.1).
fn parts<'b>(bytes: &'b [u8], boundary: &[u8]) -> Vec<&'b [u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    if boundary.len() < 3 {
        return found;
    }
    while let Some(at) = find(rest, boundary) {
        let behind = rest.get(at + boundary.len()..).unwrap_or_default();
        let end = find(behind, boundary).unwrap_or(behind.len());
        if behind.starts_with(b"--") {
            break;
        }
        let part = behind.get(..end).unwrap_or_default();
        let begin = part.iter().position(|byte| *byte == b'\n').map_or(part.len(), |at| at + 1);
        found.extend(part.get(begin..));
        rest = behind;
    }
    found
}

/// A parameter of a header's value, without its quotes.
fn parameter(value: &str, name: &str) -> String {
    let parameters = value.split(';').skip(1).filter_map(|part| part.split_once('='));
    let mut named = parameters.filter(|(known, _)| known.trim().eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim().trim_matches('"').to_owned()).unwrap_or_default()
}

/// RFC 2045 §6.7.
fn unquoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let hex = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        rest = match (first, hex(0), hex(1)) {
            (b'=', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                behind.get(2..).unwrap_or_default()
            }
            (b'=', ..) if behind.starts_with(b"\r\n") => behind.get(2..).unwrap_or_default(),
            (b'=', ..) if behind.starts_with(b"\n") => behind.get(1..).unwrap_or_default(),
            _ => {
                out.push(*first);
                behind
            }
        };
    }
    out
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
    use super::*;

    #[test]
    fn a_plain_answer_is_read_without_what_it_quotes() {
        let letter = "From: a@b\r\nIn-Reply-To:\r\n <answer.x@cityline>\r\nReferences: <a@b> <c@d>\r\n\r\nВыполнено\r\nТепло дали.\r\n\r\nOn Monday the city wrote:\r\n> cold\r\n";
        let read = Letter::read(letter.as_bytes()).unwrap();
        assert_eq!(read.text, "Выполнено\nТепло дали.");
        assert_eq!(read.answers().collect::<Vec<_>>(), ["answer.x@cityline", "a@b", "c@d"]);
    }

    #[test]
    fn a_letter_of_parts_in_an_old_character_set_is_read() {
        let text = encoding_rs::WINDOWS_1251.encode("Принято").0.into_owned();
        let head =
            "Content-Type: multipart/alternative;\r\n boundary=\"b1\"\r\n\r\nx\r\n--b1\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n";
        let part = "--b1\r\nContent-Type: text/plain; charset=windows-1251\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        let letter = format!("{head}{part}{}\r\n--b1--\r\n", STANDARD.encode(text));
        assert_eq!(Letter::read(letter.as_bytes()).unwrap().text, "Принято");
    }

    #[test]
    fn quoted_printable_is_read_and_what_cannot_be_is_refused() {
        let head = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n";
        assert_eq!(Letter::read(format!("{head}=D0=94=D0=B0 =\n1=3D1").as_bytes()).unwrap().text, "Да 1=1");
        assert!(Letter::read(b"Content-Type: text/html\n\n<b>x</b>").is_err());
        assert!(Letter::read(b"Content-Type: text/plain; charset=nonsense\n\nx").is_err());
        for odd in
            [&b""[..], b"\n\n", b"Content-Type: multipart/mixed\n\n--\n--", b"\xFF\xFE", b"Content-Type: multipart/x; boundary=b\n\n--b"]
        {
            let _ = Letter::read(odd);
        }
    }
}
