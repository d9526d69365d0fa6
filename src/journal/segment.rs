//! How is a line of a segment written and read? CRC-32 in eight hexadecimal digits, a space, JSON, a line feed.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::centre::Centre;
use crate::centre::fact::Fact;
use crate::centre::time::Time;

/// What a line holds, for writing.
#[derive(Serialize)]
pub enum Line<'a> {
    /// The state before the record `next_seq`; the first line of each segment.
    Snapshot { next_seq: u64, centre: &'a Centre },
    /// One step.
    Record(&'a Record),
}

/// What a line holds, as read.
#[derive(Deserialize)]
pub enum ReadLine {
    /// See [`Line::Snapshot`].
    Snapshot { next_seq: u64, centre: Box<Centre> },
    /// See [`Line::Record`].
    Record(Box<Record>),
}

/// What a line tells the store: inputs and snapshots are passed over unread.
#[derive(Deserialize)]
pub enum ToldLine {
    /// See [`Line::Snapshot`].
    Snapshot {},
    /// See [`Line::Record`].
    Record(Told),
}

/// What a record tells the store.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Told {
    /// See [`Record`].
    pub seq: u64,
    /// See [`Record`].
    pub time: Time,
    /// See [`Record`].
    pub facts: Vec<Fact>,
}

/// The file of the segment whose first record is `seq`; names sort as their records do.
pub fn segment_path(folder: &Path, seq: u64) -> PathBuf {
    folder.join(format!("{seq:016}.journal"))
}

/// The segments of a folder with their first records, oldest first.
pub fn segments(folder: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == "journal");
        let seq = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (true, Some(seq)) = (is_segment, seq) {
            found.push((seq, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Appends a line to a buffer.
pub fn push_line(buffer: &mut Vec<u8>, line: &Line<'_>) {
    let start = buffer.len();
    buffer.extend_from_slice(b"00000000 ");
    if serde_json::to_writer(&mut *buffer, line).is_err() {
        // Every type of a line serialises; were it otherwise, a line that reads as damaged is better than none.
        buffer.extend_from_slice(b"null");
    }
    let crc = format!("{:08x}", crc32fast::hash(&buffer[start + 9..]));
    buffer[start..start + 8].copy_from_slice(crc.as_bytes());
    buffer.push(b'\n');
}

/// Reads a line without its line feed; `Err` says what is wrong with it.
pub fn parse_line<L: DeserializeOwned>(line: &[u8]) -> Result<L, String> {
    let (crc, rest) = line.split_at_checked(9).ok_or("too short for a line")?;
    let crc = std::str::from_utf8(&crc[..8]).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok()).ok_or("no checksum")?;
    if crc != crc32fast::hash(rest) {
        return Err("the checksum does not match".to_owned());
    }
    serde_json::from_slice(rest).map_err(|error| format!("written by a version that this one cannot read: {error}"))
}
