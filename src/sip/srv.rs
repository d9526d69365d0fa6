//! How is a name server asked for SRV, and what does its answer say? One query and one answer, byte by byte (RFC 1035 §4, RFC 2782, RFC 6891).

/// One SRV record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Lower ones come first.
    pub priority: u16,
    /// Among equals, how often it comes first.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host.
    pub target: String,
    /// For how many seconds it holds.
    pub holds_s: u32,
}

const SRV: u16 = 33;
const INTERNET: u16 = 1;
/// The longest answer that is asked for, in bytes: what passes any network unfragmented.
const LONGEST: u16 = 1232;
/// Pointers that are followed in one name; more of them are a circle.
const MOST_JUMPS: usize = 16;
/// Records that are read; what comes beyond is not needed.
const MOST_RECORDS: usize = 16;

/// The query for the SRV records of a name; `None` for a name that cannot be asked for.
pub fn query(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(64 + name.len());
    for word in [id, 0x0100, 1, 0, 0, 1] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    for label in name.trim_end_matches('.').split('.') {
        out.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    for word in [SRV, INTERNET] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    // OPT: a root name, its type, our longest answer, no flags, no data.
    out.extend_from_slice(&[0, 0, 41]);
    out.extend_from_slice(&LONGEST.to_be_bytes());
    out.extend_from_slice(&[0; 6]);
    (out.len() <= 512).then_some(out)
}

/// The records of the answer to this query, none where the name has none; `None` for what is no answer to it, or a refusal.
pub fn read(query: &[u8], answer: &[u8]) -> Option<Vec<Record>> {
    let is_answer = query.get(..2) == answer.get(..2) && answer.get(2)? & 0x80 != 0;
    let status = answer.get(3)? & 0x0f;
    if !is_answer || word(answer, 4)? != 1 || !matches!(status, 0 | 3) {
        return None;
    }
    let (asked, mut at) = name(answer, 12)?;
    if !asked.eq_ignore_ascii_case(&name(query, 12)?.0) {
        return None;
    }
    at += 4;
    let mut records = Vec::new();
    for _ in 0..word(answer, 6)? {
        let (_, head) = name(answer, at)?;
        let (kind, length) = (word(answer, head)?, usize::from(word(answer, head + 8)?));
        let data = head + 10;
        at = data + length;
        if kind == SRV && records.len() < MOST_RECORDS {
            let holds_s = u32::from(word(answer, head + 4)?) << 16 | u32::from(word(answer, head + 6)?);
            let (target, _) = name(answer, data + 6)?;
            let (priority, weight, port) = (word(answer, data)?, word(answer, data + 2)?, word(answer, data + 4)?);
            records.push(Record { priority, weight, port, target, holds_s });
        }
    }
    // A target of "." says that the service is not offered there.
    records.retain(|record| !record.target.is_empty());
    Some(records)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// The name at a place, and what follows it there.
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut out, mut at, mut end) = (String::new(), start, None);
    for _ in 0..MOST_JUMPS + 128 {
        let length = usize::from(*bytes.get(at)?);
        match length {
            0 => return Some((out, end.unwrap_or(at + 1))),
            1..64 => {
                let label = std::str::from_utf8(bytes.get(at + 1..at + 1 + length)?).ok()?;
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(label);
                at += 1 + length;
            }
            192.. => {
                end = end.or(Some(at + 2));
                at = usize::from(word(bytes, at)? & 0x3fff);
            }
            _ => return None,
        }
        if out.len() > 253 {
            return None;
        }
    }
    None
}

/// The records in the order in which they are tried: by priority, among equals by chance as their weights say (RFC 2782). `chance` draws numbers.
pub fn in_order(mut records: Vec<Record>, mut chance: impl FnMut() -> u32) -> Vec<Record> {
    records.sort_by_key(|record| (record.priority, record.weight > 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let equals = records.iter().take_while(|record| record.priority == first.priority).count();
        let sum: u32 = records.iter().take(equals).map(|record| u32::from(record.weight)).sum();
        let mut drawn = chance() % (sum + 1);
        let place = records.iter().take(equals).position(|record| {
            let here = drawn <= u32::from(record.weight);
            drawn = drawn.saturating_sub(u32::from(record.weight));
            here
        });
        ordered.push(records.remove(place.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// An answer with these records; their targets end in a pointer to the question's "example".
    pub fn answer(query: &[u8], records: &[(u16, u16, u16, &str)]) -> Vec<u8> {
        let question = query.len() - 11;
        let mut out = query[..question].to_vec();
        (out[2], out[3]) = (0x81, 0x80);
        (out[7], out[11]) = (u8::try_from(records.len()).unwrap(), 0);
        for (priority, weight, port, target) in records {
            let mut data = [*priority, *weight, *port].iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
            for label in target.split('.').filter(|label| !label.is_empty()) {
                data.push(u8::try_from(label.len()).unwrap());
                data.extend_from_slice(label.as_bytes());
            }
            data.push(0);
            out.extend_from_slice(&[0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
            out.extend_from_slice(&data);
        }
        out
    }

    #[test]
    fn an_answer_is_read() {
        let query = query(7, "_sip._udp.carrier.example").unwrap();
        let records =
            read(&query, &answer(&query, &[(10, 5, 5060, "a.carrier.example"), (20, 0, 5070, "b.carrier.example"), (0, 0, 0, "")]))
                .unwrap();
        let told: Vec<_> = records.iter().map(|record| (record.priority, record.port, record.target.as_str(), record.holds_s)).collect();
        assert_eq!(told, [(10, 5060, "a.carrier.example", 60), (20, 5070, "b.carrier.example", 60)]);
        assert_eq!(read(&query, &answer(&query, &[])), Some(vec![]));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let asked = query(7, "_sip._udp.carrier.example").unwrap();
        let good = answer(&asked, &[(10, 5, 5060, "a.example")]);
        let other = |name: &str, id: u16| answer(&query(id, name).unwrap(), &[]);
        assert_eq!(read(&asked, &other("_sip._udp.carrier.example", 8)), None, "another id");
        assert_eq!(read(&asked, &other("_sip._udp.forged.example", 7)), None, "another question");
        let mut refused = good.clone();
        refused[3] = 0x85;
        assert_eq!(read(&asked, &refused), None);
        for cut in 0..good.len() {
            assert_eq!(read(&asked, &good[..cut]), None, "{cut}");
        }
        let mut circle = good.clone();
        let target = good.len() - 11;
        (circle[target], circle[target + 1]) = (0xc0, u8::try_from(target).unwrap());
        assert_eq!(read(&asked, &circle), None);
        assert_eq!(query(1, "a..b"), None);
        assert_eq!(query(1, &"a".repeat(64)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), at in 0usize..60) {
            let asked = query(7, "_sip._udp.carrier.example").unwrap();
            read(&asked, &bytes);
            let mut good = answer(&asked, &[(10, 5, 5060, "a.example"), (10, 5, 5060, "b.example")]);
            for (n, byte) in bytes.iter().take(5).enumerate() {
                let place = (at + n * 13) % good.len();
                good[place] = *byte;
            }
            read(&asked, &good);
        }
    }

    #[test]
    fn priorities_come_first_and_weights_decide_among_equals() {
        let record = |priority, weight, target: &str| Record { priority, weight, port: 5060, target: target.into(), holds_s: 1 };
        let all = vec![record(20, 0, "last"), record(10, 90, "often"), record(10, 10, "seldom"), record(10, 0, "never")];
        let order = |drawn: u32| in_order(all.clone(), || drawn).into_iter().map(|record| record.target).collect::<Vec<_>>();
        assert_eq!(order(0), ["never", "often", "seldom", "last"]);
        assert_eq!(order(50)[0], "often");
        assert_eq!(order(95)[0], "seldom");
    }
}
