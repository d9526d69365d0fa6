//! Where does a message end in a stream? Framing by Content-Length, with keep-alives and a way out of nonsense (RFC 3261 §18.3, RFC 5626 §4.4.1).

use super::guard::end_of_head;

/// A longer head is no SIP message.
const LONGEST_HEAD: usize = 32 * 1024;
/// The longest body that is taken from a stream, in bytes.
pub const LONGEST_BODY: usize = 64 * 1024;

/// What stands at the beginning of a stream's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    /// Not enough yet.
    Wait,
    /// So many bytes of empty lines; `ping` asks for an empty line back.
    Blank { bytes: usize, ping: bool },
    /// One message of so many bytes. After a `last` one the stream cannot be read on.
    Message { bytes: usize, last: bool },
    /// Nothing that could be answered.
    Nonsense,
}

/// Looks at the bytes that have arrived.
pub fn next(bytes: &[u8]) -> Frame {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    if blank > 0 {
        let more_may_come = blank == bytes.len() && blank < 4 && bytes != b"\r\n" && bytes != b"\n";
        return if more_may_come { Frame::Wait } else { Frame::Blank { bytes: blank, ping: blank >= 4 } };
    }
    let Some((_, body)) = end_of_head(bytes) else {
        return if bytes.len() > LONGEST_HEAD { Frame::Nonsense } else { Frame::Wait };
    };
    let head = bytes.get(..body).unwrap_or_default();
    match content_length(head) {
        Some(length) if length <= LONGEST_BODY && looks_like_sip(head) => {
            let bytes_needed = body + length;
            if bytes.len() < bytes_needed { Frame::Wait } else { Frame::Message { bytes: bytes_needed, last: false } }
        }
        _ => Frame::Message { bytes: body, last: true },
    }
}

fn looks_like_sip(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(4).any(|word| word.eq_ignore_ascii_case(b"SIP/"))
}

/// The length that the head announces; 0 where it says nothing, `None` where it contradicts itself.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut found = None;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default().trim_ascii();
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = std::str::from_utf8(parts.next()?.trim_ascii()).ok()?;
        let length = if value.bytes().all(|byte| byte.is_ascii_digit()) { value.parse().ok()? } else { return None };
        if found.replace(length).is_some() {
            return None;
        }
    }
    Some(found.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_at_their_length() {
        let text = b"BYE sip:a SIP/2.0\r\nl: 3\r\n\r\nabcOPTIONS";
        assert_eq!(next(text), Frame::Message { bytes: text.len() - 7, last: false });
        assert_eq!(next(&text[..text.len() - 8]), Frame::Wait);
        assert_eq!(next(b"BYE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\nabc"), Frame::Message { bytes: 41, last: true });
        assert_eq!(next(b"BYE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"), Frame::Message { bytes: 33, last: true });
        assert_eq!(next(b"GET / HTTP/1.1\r\n\r\n"), Frame::Message { bytes: 18, last: true });
        assert_eq!(next(&vec![b'a'; LONGEST_HEAD + 1]), Frame::Nonsense);
    }

    #[test]
    fn keep_alives() {
        assert_eq!(next(b"\r\n"), Frame::Blank { bytes: 2, ping: false });
        assert_eq!(next(b"\r\n\r\n"), Frame::Blank { bytes: 4, ping: true });
        assert_eq!(next(b"\r\n\r"), Frame::Wait);
        assert_eq!(next(b"\r\nBYE"), Frame::Blank { bytes: 2, ping: false });
    }
}
