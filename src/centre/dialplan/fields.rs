//! Which fields has one table of a dialplan? Each is taken once and by its type; what is left over is unknown.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Faults, did_you_mean};

/// A value and the byte of the text where it, or its key, begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub at: usize,
    pub value: T,
}

/// One entry of a table: key, value, and where each stands.
pub(super) struct Entry<'t> {
    pub key: At<&'t str>,
    pub value: &'t Spanned<DeValue<'t>>,
}

/// The entries of a table, in the order of the text.
pub(super) fn entries<'t>(table: &'t DeTable<'t>) -> Vec<Entry<'t>> {
    let mut all: Vec<Entry<'t>> =
        table.iter().map(|(key, value)| Entry { key: At { at: key.span().start, value: key.get_ref().as_ref() }, value }).collect();
    all.sort_by_key(|entry| entry.key.at);
    all
}

/// One table that is being read.
pub(super) struct Fields<'t> {
    /// Where the table begins; faults about what it lacks are noted there.
    at: usize,
    /// How it is called in messages: "step \"topics\"".
    name: String,
    left: Vec<Entry<'t>>,
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(at: usize, name: impl Into<String>, table: &'t DeTable<'t>) -> Self {
        Self { at, name: name.into(), left: entries(table), known: Vec::new() }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The value of a field, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        let place = self.left.iter().position(|entry| entry.key.value == key)?;
        Some(self.left.remove(place).value)
    }

    /// Like [`Fields::take`]; its absence is a fault.
    pub(super) fn need(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<&'t Spanned<DeValue<'t>>> {
        let value = self.take(key);
        if value.is_none() {
            faults.add(self.at, format!("{} has no \"{key}\"", self.name), format!("add {key} = …"));
        }
        value
    }

    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<At<&'t str>> {
        text(self.take(key)?, key, faults)
    }

    pub(super) fn need_text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<At<&'t str>> {
        text(self.need(key, faults)?, key, faults)
    }

    /// True or false; `otherwise` where it is not said.
    pub(super) fn flag(&mut self, key: &'static str, otherwise: bool, faults: &mut Faults<'_>) -> bool {
        let Some(value) = self.take(key) else { return otherwise };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            _ => {
                faults.add(value.span().start, format!("\"{key}\" is neither true nor false"), format!("write {key} = true or false"));
                otherwise
            }
        }
    }

    /// A whole number between the limits; `otherwise` where it is not said.
    pub(super) fn number(&mut self, key: &'static str, limits: (u64, u64), otherwise: u64, faults: &mut Faults<'_>) -> u64 {
        let Some(value) = self.take(key) else { return otherwise };
        let (least, most) = limits;
        let number = match value.get_ref() {
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            _ => None,
        };
        number.filter(|n| (least..=most).contains(n)).unwrap_or_else(|| {
            let what = format!("\"{key}\" is not a whole number from {least} to {most}");
            faults.add(value.span().start, what, format!("write for example {key} = {otherwise}"));
            otherwise
        })
    }

    /// The entries of a table within this one; none where it is not there.
    pub(super) fn table(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Entry<'t>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Table(table) => entries(table),
            _ => {
                faults.add(value.span().start, format!("\"{key}\" is not a table"), format!("write {key} = {{ 1 = \"…\", 2 = \"…\" }}"));
                Vec::new()
            }
        }
    }

    /// Notes every field that nobody took.
    pub(super) fn finish(self, faults: &mut Faults<'_>) {
        for entry in &self.left {
            let all = self.known.join(", ");
            let mend = did_you_mean(entry.key.value, self.known.iter().copied(), format!("remove it; {} knows {all}", self.name));
            faults.add(entry.key.at, format!("{} has an unknown field \"{}\"", self.name, entry.key.value), mend);
        }
    }
}

/// A value that must be text.
pub(super) fn text<'t>(value: &'t Spanned<DeValue<'t>>, key: &str, faults: &mut Faults<'_>) -> Option<At<&'t str>> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => Some(At { at, value: text.as_ref() }),
        _ => {
            faults.add(at, format!("\"{key}\" is not text"), "put it in quotation marks");
            None
        }
    }
}

/// The texts of a list.
pub(super) fn texts<'t>(value: &'t Spanned<DeValue<'t>>, key: &str, faults: &mut Faults<'_>) -> Option<Vec<At<&'t str>>> {
    match value.get_ref() {
        DeValue::Array(items) => Some(items.iter().filter_map(|item| text(item, key, faults)).collect()),
        _ => {
            faults.add(value.span().start, format!("\"{key}\" is not a list"), format!("write {key} = [\"…\"]"));
            None
        }
    }
}
