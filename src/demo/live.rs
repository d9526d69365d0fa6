//! What happens right now, in a terminal? One screen a second; a line every ten seconds where the output is no terminal.

use std::fmt::Write as _;
use std::io::Write as _;

use super::city::CityReport;
use crate::report::board::BoardView;

/// Lines of calls that are drawn.
const CALLS_DRAWN: usize = 12;
/// Without a terminal a line is printed after so many draws.
const PLAIN_EVERY: u64 = 10;

/// The view in the terminal.
pub struct Live {
    terminal: bool,
    drawn: u64,
}

impl Live {
    /// `terminal` says whether lines may be drawn over.
    pub fn new(terminal: bool) -> Self {
        Self { terminal, drawn: 0 }
    }

    /// Draws the board and what the city says of itself.
    pub fn draw(&mut self, board: &BoardView, city: &CityReport) {
        let text = if self.terminal {
            format!("\x1b[2J\x1b[H{}", screen(board, city))
        } else if self.drawn.is_multiple_of(PLAIN_EVERY) {
            plain(board, city)
        } else {
            String::new()
        };
        self.drawn += 1;
        let mut out = std::io::stdout().lock();
        // A closed terminal is no reason to stop the calls.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn plain(board: &BoardView, city: &CityReport) -> String {
    let waiting: usize = board.queues.iter().map(|queue| queue.waiting).sum();
    let answered = city.callers.as_ref().map_or(0, |callers| callers.answered);
    format!("{} calls up, {} waiting, {} came in, {} answered\n", board.calls_up, waiting, board.today.calls, answered)
}

fn screen(board: &BoardView, city: &CityReport) -> String {
    let mut text = String::from("\x1b[1mCityline\x1b[0m\n\n");
    let _ = writeln!(text, "{:<14} {:>8} {:>9} {:>9} {:>10}", "queue", "waiting", "longest", "answered", "abandoned");
    for queue in &board.queues {
        let longest = queue.longest_since_ms.map_or("–".to_owned(), |since| clock(board.at_ms.saturating_sub(since)));
        let counts = &queue.counts;
        let _ = writeln!(
            text,
            "{:<14} {:>8} {:>9} {:>9} {:>10}",
            queue.queue.as_str(),
            queue.waiting,
            longest,
            counts.answered,
            counts.abandoned
        );
    }
    let _ = writeln!(text, "\n{:<14} {:<16} {:>7}", "operator", "state", "for");
    for operator in &board.operators {
        let _ = writeln!(
            text,
            "{:<14} {:<16} {:>7}",
            operator.operator.as_str(),
            operator.state,
            clock(board.at_ms.saturating_sub(operator.since_ms))
        );
    }
    let _ = writeln!(text, "\n{:<8} {:<7} {:<5} {:<10} {:<10} {:>7}", "call", "number", "lang", "topic", "state", "for");
    for call in board.calls.iter().take(CALLS_DRAWN) {
        let language = call.language.map_or("–", crate::centre::ids::Language::code);
        let topic = call.topic.as_deref().unwrap_or("–");
        let age = clock(board.at_ms.saturating_sub(call.since_ms));
        let _ =
            writeln!(text, "{:<8} {:<7} {:<5} {:<10} {:<10} {:>7}", call.call.0, call.number.as_str(), language, topic, call.state, age);
    }
    let _ = write!(text, "\n{}", plain(board, city));
    text
}

/// Minutes and seconds: "2:07".
fn clock(ms: u64) -> String {
    format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_counts_minutes() {
        assert_eq!((clock(0), clock(127_900)), ("0:00".to_owned(), "2:07".to_owned()));
    }
}
