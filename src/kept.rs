//! What must the next process know of what is up now? A file of places of one size: a record lies in a place of its own, is written
//! over in one call, and is read again after a crash.
//!
//! Nothing is synced: the file survives the end of the process, and no call survives that of the machine. It holds what names people, so
//! that its owner alone may read it. A record is MessagePack with the names of its fields: unlike JSON it copies texts as they are, and
//! another version reads of it what it knows.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::hash::Hash;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of a place; a record that does not fit is not kept, and counted.
const PLACE_BYTES: usize = 4_096;
/// Length and CRC-32 of the record, four bytes each, little endian; a length of 0 is an empty place.
const HEAD_BYTES: usize = 8;
/// Records at most (400 MB); what comes on top is not kept, and counted.
const MOST: u32 = 100_000;
/// What most records take: room for one is made at once.
const USUAL_BYTES: usize = 1_024;
/// What lies in an empty place.
static BLANK: [u8; PLACE_BYTES] = [0; PLACE_BYTES];
/// How JSON begins, which former versions wrote; MessagePack writes a pair otherwise.
const JSON_PAIR: u8 = b'[';

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("what is up cannot be kept in {}: {source}; make sure that the folder is writable and has room", path.display())]
pub struct KeptError {
    /// Which file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What a file holds, in no order.
type Records<K, V> = Vec<(K, V)>;
/// A file that goes on being written, and what it held.
pub type Opened<K, V> = (Kept<K>, Records<K, V>);

/// Records by key. Any thread may write; one key has one writer.
pub struct Kept<K> {
    file: File,
    path: PathBuf,
    places: Mutex<Places<K>>,
    lingering: usize,
    failing: AtomicBool,
}

struct Places<K> {
    of: HashMap<K, Place>,
    /// Places in which nothing is written.
    free: Vec<u32>,
    /// Places whose records are forgotten but lie there until the next one comes, oldest first.
    stale: VecDeque<(K, Place)>,
    end: u32,
}

#[derive(Clone, Copy)]
struct Place {
    at: u32,
    /// CRC-32 of what lies there: the same again is not written.
    crc: u32,
    /// Bytes from the place's beginning that hold more than zeros.
    used: usize,
}

/// Where a record goes.
enum Goes {
    /// There, over so many bytes of an older one.
    To { at: u32, over: usize },
    /// The same lies there already.
    Nowhere,
    /// There is no place.
    Lost,
}

impl<K: Copy + Eq + Hash + Serialize + DeserializeOwned> Kept<K> {
    /// Opens or makes the file, and reads what a former process left there. A damaged record is left out. Up to `lingering` forgotten
    /// records stay in the file until others take their places, which saves a write each: for records whose next reader finds out by
    /// itself that they are over. 0 where that would mislead it.
    pub fn open<V: DeserializeOwned>(path: &Path, lingering: usize) -> Result<Opened<K, V>, KeptError> {
        let fail = |source| KeptError { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(fail)?;
        let (places, records) = read_all(&file).map_err(fail)?;
        Ok((Kept { file, path: path.to_owned(), places: Mutex::new(places), lingering, failing: AtomicBool::new(false) }, records))
    }

    /// Keeps a record in place of the key's former one, of which nothing stays. A disk that refuses it costs the record, never the call.
    /// Whether the file has it.
    pub fn put<V: Serialize>(&self, key: K, value: &V) -> bool {
        let mut record = Vec::with_capacity(USUAL_BYTES);
        record.resize(HEAD_BYTES, 0);
        let crc = match rmp_serde::encode::write_named(&mut record, &(key, value)) {
            Ok(()) if record.len() <= PLACE_BYTES => write_head(&mut record),
            Ok(()) | Err(_) => {
                metrics::counter!("cityline_kept_lost_total").increment(1);
                self.wipe(&key);
                return false;
            }
        };
        let (at, over) = match self.place_for(key, crc, record.len()) {
            Goes::To { at, over } => (at, over),
            Goes::Nowhere => return true,
            Goes::Lost => return false,
        };
        // One call writes the record and zeros over what was longer.
        record.resize(record.len().max(over), 0);
        if let Err(error) = self.file.write_all_at(&record, offset(at)) {
            self.refused(&key, &error);
            return false;
        }
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!(file = %self.path.display(), "what is up is kept again");
        }
        true
    }

    /// Forgets a record; one that is not there is no error.
    pub fn remove(&self, key: &K) {
        let cleared = self.lock().forget(key, self.lingering);
        cleared.into_iter().for_each(|place| self.clear(place));
    }

    /// Forgets a record of which nothing may stay in the file.
    pub fn wipe(&self, key: &K) {
        let place = self.lock().of.remove(key);
        place.into_iter().for_each(|place| self.clear(place));
    }

    /// Writes zeros over all that a place holds.
    fn clear(&self, place: Place) {
        if let Err(error) = self.file.write_all_at(BLANK.get(..place.used).unwrap_or(&BLANK), offset(place.at)) {
            self.complain(&error);
        }
        self.lock().free.push(place.at);
    }

    fn place_for(&self, key: K, crc: u32, length: usize) -> Goes {
        let mut places = self.lock();
        if let Some(place) = places.of.get_mut(&key) {
            if std::mem::replace(&mut place.crc, crc) == crc {
                return Goes::Nowhere;
            }
            return Goes::To { at: place.at, over: std::mem::replace(&mut place.used, length) };
        }
        let Some((at, over)) = places.take(&key) else {
            metrics::counter!("cityline_kept_lost_total").increment(1);
            return Goes::Lost;
        };
        places.of.insert(key, Place { at, crc, used: length });
        Goes::To { at, over }
    }

    fn refused(&self, key: &K, error: &io::Error) {
        metrics::counter!("cityline_kept_lost_total").increment(1);
        if let Some(place) = self.lock().of.get_mut(key) {
            // Whatever comes next for this key is written, and over all that may lie there.
            (place.crc, place.used) = (!place.crc, PLACE_BYTES);
        }
        self.complain(error);
    }

    fn complain(&self, error: &io::Error) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::error!(file = %self.path.display(), %error, "what is up cannot be kept: a crash would lose it; make room on the disk");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places<K>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Places<K> {
    /// Forgets a record. Which place is to be cleared for it, so that at most `lingering` forgotten ones stay.
    fn forget(&mut self, key: &K, lingering: usize) -> Option<Place> {
        let place = self.of.remove(key)?;
        self.stale.push_back((*key, place));
        let too_many = self.stale.len() > lingering;
        too_many.then(|| self.stale.pop_front()).flatten().map(|(_, place)| place)
    }

    /// A place for a record of this key, and how much of it is used: where one of its own still lies, so that no two of a key are ever
    /// in the file; else that of the record which was forgotten last.
    fn take(&mut self, key: &K) -> Option<(u32, usize)> {
        let own = self.stale.iter().position(|(other, _)| other == key).and_then(|n| self.stale.remove(n));
        let forgotten = own.or_else(|| self.stale.pop_back()).map(|(_, place)| (place.at, place.used));
        forgotten.or_else(|| Some((self.free.pop()?, 0))).or_else(|| {
            let next = (self.end < MOST).then_some(self.end)?;
            self.end += 1;
            Some((next, 0))
        })
    }
}

fn offset(at: u32) -> u64 {
    u64::from(at) * PLACE_BYTES as u64
}

/// Fills the head in, and returns the checksum.
fn write_head(record: &mut [u8]) -> u32 {
    let Some((head, body)) = record.split_first_chunk_mut::<HEAD_BYTES>() else { return 0 };
    let crc = crc32fast::hash(body);
    let length = u32::try_from(body.len()).unwrap_or_default();
    let (first, second) = head.split_at_mut(4);
    first.copy_from_slice(&length.to_le_bytes());
    second.copy_from_slice(&crc.to_le_bytes());
    crc
}

fn read_all<K: Copy + Eq + Hash + DeserializeOwned, V: DeserializeOwned>(file: &File) -> io::Result<(Places<K>, Records<K, V>)> {
    let end = u32::try_from(file.metadata()?.len().div_ceil(PLACE_BYTES as u64)).unwrap_or(MOST).min(MOST);
    let mut places = Places { of: HashMap::new(), free: Vec::new(), stale: VecDeque::new(), end };
    let mut records = Vec::new();
    let mut buffer = vec![0; PLACE_BYTES];
    for at in 0..end {
        let read = read_up_to(file, &mut buffer, offset(at))?;
        let held = buffer.get(..read).unwrap_or_default();
        let used = held.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        match record_in::<K, V>(held) {
            Some((key, value, crc)) if !places.of.contains_key(&key) => {
                places.of.insert(key, Place { at, crc, used });
                records.push((key, value));
            }
            Some(_) | None => {
                // Former versions left here what was over.
                file.write_all_at(BLANK.get(..used).unwrap_or_default(), offset(at))?;
                places.free.push(at);
            }
        }
    }
    // The lowest places are taken first, so that the file stays as short as it can.
    places.free.reverse();
    Ok((places, records))
}

fn read_up_to(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

fn record_in<K: DeserializeOwned, V: DeserializeOwned>(place: &[u8]) -> Option<(K, V, u32)> {
    let (head, rest) = place.split_first_chunk::<HEAD_BYTES>()?;
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let body = rest.get(..usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?).filter(|body| !body.is_empty())?;
    let crc = u32::from_le_bytes([c0, c1, c2, c3]);
    if crc32fast::hash(body) != crc {
        return None;
    }
    let (key, value) = match body.first() {
        Some(&JSON_PAIR) => serde_json::from_slice(body).ok()?,
        Some(_) | None => rmp_serde::from_slice(body).ok()?,
    };
    Some((key, value, crc))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn path(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cityline-kept-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder.join("live/dialogs")
    }

    fn open(path: &Path) -> Opened<u64, String> {
        let (kept, mut records) = Kept::open(path, 0).unwrap();
        records.sort();
        (kept, records)
    }

    fn words(records: &[(u64, String)]) -> Vec<(u64, &str)> {
        records.iter().map(|(key, word)| (*key, word.as_str())).collect()
    }

    #[test]
    fn what_was_put_is_there_for_the_next_process() {
        let path = path("put");
        let (kept, none) = open(&path);
        assert!(none.is_empty());
        for (key, word) in [(1, "one"), (2, "two"), (3, "three"), (2, "second")] {
            kept.put(key, &word);
        }
        kept.remove(&1);
        kept.remove(&9);
        drop(kept);
        let (kept, records) = open(&path);
        assert_eq!(words(&records), [(2, "second"), (3, "three")]);
        kept.put(4, &"four");
        drop(kept);
        assert_eq!(std::fs::metadata(&path).unwrap().len().div_ceil(PLACE_BYTES as u64), 3, "the place of 1 serves 4");
        assert_eq!(words(&open(&path).1), [(2, "second"), (3, "three"), (4, "four")]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn forgotten_records_give_their_places_away_and_only_so_many_stay() {
        let path = path("lingering");
        let (kept, _) = Kept::open::<String>(&path, 2).unwrap();
        (1..=5).for_each(|key| assert!(kept.put(key, &"here")));
        (1..=4).for_each(|key| kept.remove(&key));
        assert_eq!(words(&open(&path).1), [(3, "here"), (4, "here"), (5, "here")], "the two that were forgotten last");
        kept.put(3, &"again");
        kept.put(6, &"other");
        assert_eq!(words(&open(&path).1), [(3, "again"), (5, "here"), (6, "other")], "no key twice");
        kept.remove(&5);
        kept.put(6, &"x".repeat(PLACE_BYTES));
        assert_eq!(words(&open(&path).1), [(3, "again"), (5, "here")], "what is false goes at once");
    }

    #[test]
    fn nothing_of_what_is_over_stays_in_the_file() {
        let path = path("over");
        let holds = |text: &str| std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes());
        let (kept, _) = Kept::open::<String>(&path, 0).unwrap();
        kept.put(1, &format!("{} secret", "x".repeat(500)));
        assert!(holds("secret"));
        kept.put(1, &"short");
        assert!(!holds("secret") && holds("short"), "not even behind a shorter one");
        kept.remove(&1);
        assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
        let (kept, _) = Kept::open::<String>(&path, 5).unwrap();
        kept.put(1, &"plain");
        kept.put(2, &format!("{} secret", "x".repeat(500)));
        kept.remove(&1);
        kept.wipe(&2);
        assert!(holds("plain") && !holds("secret"), "what must not stay goes where others linger");
        kept.put(3, &format!("{} secret", "x".repeat(500)));
        kept.remove(&3);
        kept.put(4, &"short");
        assert!(!holds("secret"), "nor behind what takes its place");
        std::fs::write(&path, [&[0; HEAD_BYTES][..], b"what a former version left"].concat()).unwrap();
        drop(Kept::<u64>::open::<String>(&path, 0).unwrap());
        assert!(!holds("former"));
    }

    #[test]
    fn who_keeps_hears_whether_the_file_has_it() {
        let path = path("refused");
        let (mut kept, _) = Kept::<u64>::open::<String>(&path, 0).unwrap();
        assert!(kept.put(1, &"one") && kept.put(1, &"one"));
        kept.file = File::open(&path).unwrap();
        assert!(!kept.put(1, &"two") && !kept.put(2, &"x".repeat(PLACE_BYTES)));
    }

    #[test]
    fn what_a_former_version_wrote_in_json_is_read() {
        let path = path("json");
        drop(open(&path));
        let body = br#"[7,"seven"]"#;
        let mut record = [[0; HEAD_BYTES].as_slice(), body].concat();
        write_head(&mut record);
        std::fs::write(&path, record).unwrap();
        assert_eq!(words(&open(&path).1), [(7, "seven")]);
    }

    #[test]
    fn a_damaged_record_is_left_out_and_its_place_used() {
        let path = path("damaged");
        let (kept, _) = open(&path);
        kept.put(1, &"one");
        kept.put(2, &"two");
        drop(kept);
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(b"x", HEAD_BYTES as u64 + 2).unwrap();
        let (kept, records) = open(&path);
        assert_eq!(words(&records), [(2, "two")]);
        kept.put(3, &"three");
        assert_eq!(words(&open(&path).1), [(2, "two"), (3, "three")]);
    }

    #[test]
    fn what_is_too_long_is_not_kept_and_hurts_nobody() {
        let path = path("long");
        let (kept, _) = open(&path);
        kept.put(1, &"one");
        kept.put(1, &"x".repeat(PLACE_BYTES));
        kept.put(2, &"two");
        assert_eq!(words(&open(&path).1), [(2, "two")], "the former record would be false");
    }
}
