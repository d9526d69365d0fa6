//! Which rows does a file hold? CSV in UTF-8 or the first sheet of an XLSX, bounded, each row with its line.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::ImportError;

/// Rows of a file at most.
pub const MOST_ROWS: usize = 200_000;
/// Columns of a file at most.
const MOST_COLUMNS: usize = 60;
/// The longest cell, in characters.
const LONGEST_CELL: usize = 10_000;
/// What an XLSX may unfold to, in bytes, as its own directory says.
const LARGEST_UNFOLDED: u64 = 300 * 1024 * 1024;

/// One row by the names of its columns; what is empty is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file; the first line names the columns.
    pub line: usize,
    cells: BTreeMap<String, String>,
}

impl Row {
    /// What stands in a column.
    pub fn cell(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// What must stand there.
    ///
    /// # Errors
    /// That it does not, to be told.
    pub fn needed(&self, column: &str) -> Result<&str, String> {
        self.cell(column).ok_or_else(|| format!("{column} is empty; fill it in"))
    }
}

/// Reads a file whose first line names columns out of `known`.
///
/// # Errors
/// When it is no such file, or too large.
pub fn read(bytes: &[u8], known: &[&str]) -> Result<Vec<Row>, ImportError> {
    let lines = if bytes.starts_with(b"PK") { xlsx(bytes)? } else { csv(bytes)? };
    let mut lines = lines.into_iter();
    let head = lines.next().ok_or(ImportError::Empty)?;
    let head: Vec<String> = head.1.iter().map(|name| name.trim().to_lowercase()).collect();
    if let Some(other) = head.iter().find(|name| !name.is_empty() && !known.contains(&name.as_str())) {
        return Err(ImportError::Column { name: other.chars().take(40).collect(), known: known.join(", ") });
    }
    if head.len() > MOST_COLUMNS {
        return Err(ImportError::Large("columns"));
    }
    let mut rows = Vec::new();
    for (line, cells) in lines {
        let named = head.iter().cloned().zip(cells.into_iter().map(|cell| cell.trim().to_owned()));
        let cells: BTreeMap<String, String> = named.filter(|(name, cell)| !name.is_empty() && !cell.is_empty()).collect();
        if cells.values().any(|cell| cell.chars().nth(LONGEST_CELL).is_some()) {
            return Err(ImportError::Cell { line });
        }
        if !cells.is_empty() {
            rows.push(Row { line, cells });
        }
        if rows.len() > MOST_ROWS {
            return Err(ImportError::Large("rows"));
        }
    }
    Ok(rows)
}

type Lines = Vec<(usize, Vec<String>)>;

fn csv(bytes: &[u8]) -> Result<Lines, ImportError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::Encoding)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let count = |mark: char| first.matches(mark).count();
    let mark = [';', ',', '\t'].into_iter().rev().max_by_key(|mark| count(*mark)).unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(mark as u8).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|why| ImportError::File(why.to_string()))?;
        let line = record.position().map_or(lines.len() + 1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
        lines.push((line, record.iter().map(str::to_owned).collect()));
        if lines.len() > MOST_ROWS + 1 {
            return Err(ImportError::Large("rows"));
        }
    }
    Ok(lines)
}

fn xlsx(bytes: &[u8]) -> Result<Lines, ImportError> {
    if unfolded(bytes) > LARGEST_UNFOLDED {
        return Err(ImportError::Large("bytes"));
    }
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|why| ImportError::File(why.to_string()))?;
    let sheet = book.worksheet_range_at(0).ok_or(ImportError::Empty)?.map_err(|why| ImportError::File(why.to_string()))?;
    let first = sheet.start().map_or(1, |(row, _)| row as usize + 1);
    if sheet.height() > MOST_ROWS + 1 || sheet.width() > MOST_COLUMNS {
        return Err(ImportError::Large("rows or columns"));
    }
    Ok(sheet.rows().enumerate().map(|(n, cells)| (first + n, cells.iter().map(cell).collect())).collect())
}

/// The sizes that a ZIP's central directory names, added up (APPNOTE 4.3.12: the size at offset 24).
fn unfolded(bytes: &[u8]) -> u64 {
    let entries = bytes.windows(28).filter(|entry| entry.starts_with(b"PK\x01\x02"));
    entries.filter_map(|entry| entry.get(24..28)?.try_into().ok()).map(|size| u64::from(u32::from_le_bytes(size))).sum()
}

fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(at) => {
            // Days since 30 December 1899; what is no moment is told as a number.
            let ms = ((at.as_f64() - 25_569.0) * 86_400_000.0).round();
            let moment = chrono::DateTime::from_timestamp_millis(ms as i64);
            moment.map_or_else(|| at.as_f64().to_string(), |moment| moment.format("%Y-%m-%d %H:%M").to_string())
        }
        other => other.to_string(),
    }
}
