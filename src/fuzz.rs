//! Can anything from outside make us panic, hoard or stall? A seeded mutator, on which every room that reads bytes runs its targets.
//!
//! In a usual test run each target takes some thousand inputs; `make fuzz` gives each its share of minutes. An input whose outcome is new to
//! its target (a parser's answer, as a number) joins the seeds, so that the mutator gets further than it could by chance. A finding
//! lies in the folder of `FUZZ_FINDINGS` as it was.
#![allow(unsafe_code, clippy::unwrap_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::clock::processor_time;

/// A usual test run takes so many inputs, as far as so much time allows.
const RUNS: u64 = 3_000;
const USUAL: Duration = Duration::from_secs(2);
/// Seeds that a target holds at most.
const CORPUS: usize = 4_000;
/// Mutations of one input at most.
const STROKES: u64 = 8;

/// Words of every JSON reader.
pub const JSON: [&str; 8] = ["{", "}", "[", "]", "\"", ":", ",", "null"];

/// What is fed, and what it may cost.
pub struct Target<'a> {
    /// Its name, for the report.
    pub name: &'a str,
    /// Inputs to begin with.
    pub seeds: Vec<Vec<u8>>,
    /// Words that mean something to the reader.
    pub words: &'a [&'a str],
    /// The longest input, in bytes.
    pub longest: usize,
    /// Bytes that reading may allocate, beyond so many a byte of input.
    pub bytes: (u64, u64),
    /// Processor time of one input, in milliseconds.
    pub takes_ms: u64,
}

/// What became of all inputs.
#[derive(Default)]
struct Tally {
    runs: u64,
    kept: usize,
    worst_bytes: u64,
    worst_us: u64,
    /// Whether the bound of time holds.
    is_timed: bool,
}

/// Feeds `read` until its time is over. What `read` returns tells outcomes apart. A panic, a failed assertion in `read`, too many bytes or too
/// much time fails the test, with the input kept.
pub fn feed(target: &Target<'_>, mut read: impl FnMut(&[u8]) -> u64) {
    let seed = variable("FUZZ_SEED").unwrap_or(1);
    let (runs, time) = variable("FUZZ_SECONDS").map_or((RUNS, USUAL), |seconds| (u64::MAX, Duration::from_secs(seconds)));
    let until = Instant::now() + time;
    let mut dice = Dice(seed ^ outcome(&target.name));
    let mut corpus = target.seeds.clone();
    let mut seen = BTreeSet::new();
    let mut tally = Tally { is_timed: runs == u64::MAX, ..Tally::default() };
    while tally.runs < runs && Instant::now() < until {
        let at = usize::try_from(tally.runs).unwrap();
        let input = if at < target.seeds.len() { corpus[at].clone() } else { mutated(&mut dice, &corpus, target) };
        let found = measured(target, &input, &mut tally, &mut read);
        if seen.insert(found) && at >= target.seeds.len() && corpus.len() < CORPUS {
            corpus.push(input);
        }
        tally.runs += 1;
    }
    tally.kept = corpus.len() - target.seeds.len();
    report(target.name, &tally);
}

/// A number for anything that tells outcomes apart.
pub fn outcome(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Runs one input, and looks at what it cost.
fn measured(target: &Target<'_>, input: &[u8], tally: &mut Tally, read: &mut impl FnMut(&[u8]) -> u64) -> u64 {
    let (bytes, began) = (allocated(), processor_time());
    let outcome = catch_unwind(AssertUnwindSafe(|| read(input))).unwrap_or_else(|fault| {
        keep(target.name, input);
        resume_unwind(fault)
    });
    let (took_us, took_bytes) = (microseconds_since(began), allocated() - bytes);
    tally.worst_us = tally.worst_us.max(took_us);
    tally.worst_bytes = tally.worst_bytes.max(took_bytes);
    let may = target.bytes.0 + target.bytes.1 * input.len() as u64;
    // Only an optimised build is held to its time.
    let slow = tally.is_timed && took_us > target.takes_ms * 1_000;
    if took_bytes > may || slow {
        keep(target.name, input);
        panic!("{}: {} bytes of input took {took_bytes} bytes (may be {may}) and {took_us} us", target.name, input.len());
    }
    outcome
}

fn keep(name: &str, input: &[u8]) {
    let folder = std::env::var_os("FUZZ_FINDINGS").map_or_else(std::env::temp_dir, PathBuf::from);
    let file = folder.join(format!("finding-{}-{:016x}", name.replace(' ', "-"), outcome(&input)));
    std::fs::write(&file, input).unwrap();
    eprintln!("the input lies in {}", file.display());
}

fn report(name: &str, tally: &Tally) {
    let Tally { runs, kept, worst_bytes, worst_us, .. } = tally;
    println!("{name}: {runs} inputs, {kept} of new outcomes, at most {worst_bytes} bytes and {worst_us} us");
    if let Some(file) = std::env::var_os("FUZZ_REPORT") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        writeln!(file, "| {name} | {runs} | {kept} | {worst_bytes} | {worst_us} |").unwrap();
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Numbers by a seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `bound`, that not included; 0 for none.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

fn mutated(dice: &mut Dice, corpus: &[Vec<u8>], target: &Target<'_>) -> Vec<u8> {
    let mut input = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.next() % STROKES {
        stroke(dice, &mut input, corpus, target.words);
    }
    input.truncate(target.longest);
    input
}

/// Numbers that lie at somebody's edge.
const EDGES: [&str; 16] = [
    "0",
    "-1",
    "1",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999999",
    "1e308",
    "000000000000000000001",
];

fn stroke(dice: &mut Dice, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
    let at = dice.below(input.len() + 1);
    let reach = 1 << dice.below(7);
    let span = at..(at + 1 + dice.below(reach)).min(input.len()).max(at);
    match dice.below(11) {
        0 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (dice.0 & 7)),
        1 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = (dice.0 >> 9) as u8),
        2 => drop(input.drain(span)),
        3 => {
            let again = input.get(span).unwrap_or_default().to_vec();
            let most = 1 << dice.below(9);
            let times = 1 + dice.below(most);
            splice(input, at, &again.repeat(times.min(4_096 / again.len().max(1))));
        }
        4 => {
            let other = &corpus[dice.below(corpus.len())];
            let from = dice.below(other.len() + 1);
            let length = dice.below(other.len() - from + 1);
            splice(input, at, &other[from..from + length]);
        }
        5 => {
            let other = &corpus[dice.below(corpus.len())];
            input.truncate(at);
            input.extend_from_slice(&other[dice.below(other.len() + 1)..]);
        }
        6 | 7 if !words.is_empty() => splice(input, at, words[dice.below(words.len())].as_bytes()),
        8 => put_number(dice, input, at),
        9 => {
            let edge = [0u64, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, u64::MAX][dice.below(11)];
            let bytes = edge.to_be_bytes();
            let width = [1, 2, 4, 8][dice.below(4)];
            input.iter_mut().skip(at).zip(&bytes[8 - width..]).for_each(|(to, from)| *to = *from);
        }
        _ => input.truncate(at),
    }
}

/// Puts an edge in the place of the first number behind `at`, or there where none follows.
fn put_number(dice: &mut Dice, input: &mut Vec<u8>, at: usize) {
    let edge = EDGES[dice.below(EDGES.len())].as_bytes();
    let begin = input.iter().skip(at).position(u8::is_ascii_digit).map_or(at, |more| at + more);
    let length = input.iter().skip(begin).take_while(|byte| byte.is_ascii_digit()).count();
    drop(input.splice(begin..begin + length, edge.iter().copied()));
}

fn splice(input: &mut Vec<u8>, at: usize, what: &[u8]) {
    drop(input.splice(at..at, what.iter().copied()));
}

/// Counts what each thread of the tests allocates.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

fn allocated() -> u64 {
    ALLOCATED.with(Cell::get)
}

fn count(bytes: usize) {
    // A thread that ends has no count any more.
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get() + bytes as u64));
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.saturating_sub(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Processor time of this thread since: others of a busy machine do not count.
fn microseconds_since(began: Duration) -> u64 {
    u64::try_from(processor_time().saturating_sub(began).as_micros()).unwrap_or(u64::MAX)
}

/// A folder of this test's own, empty.
pub fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cityline-fuzz-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file of the repository.
pub fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

mod tests {
    use super::*;

    #[test]
    fn a_finding_is_kept_and_told() {
        let target = Target {
            name: "a reader with a fault",
            seeds: vec![b"begin".to_vec()],
            words: &["panic"],
            longest: 100,
            bytes: (0, 0),
            takes_ms: 1_000,
        };
        let caught = catch_unwind(AssertUnwindSafe(|| {
            feed(&target, |input| {
                assert!(!input.windows(5).any(|word| word == b"panic"), "on purpose");
                0
            });
        }));
        assert!(caught.is_err());
        let hoards = Target { bytes: (10, 1), words: &[], ..target };
        let caught = catch_unwind(AssertUnwindSafe(|| feed(&hoards, |input| vec![0u8; input.len() * 3].len() as u64)));
        assert!(caught.is_err());
    }
}
