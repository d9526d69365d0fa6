//! When is one word another? Texts in four languages made comparable: folded words, and how like two words are.
//!
//! All of it is computed here and not by a database, so that every database finds the same.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The longest word that is kept, in characters; of a longer one the beginning.
const LONGEST_WORD: usize = 40;

/// Shorter words, and those with digits, are like none but themselves.
const SHORTEST_ALIKE: usize = 4;

/// The words of a text in their order: lower case, ё as е, marks composed, apostrophes left out; everything but letters and digits parts them.
pub fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\u{306}' if word.ends_with('и') => swap_last(&mut word, 'й'),
            '\u{308}' if word.ends_with('і') => swap_last(&mut word, 'ї'),
            '\u{300}'..='\u{36F}' | '\'' | '’' | 'ʼ' | '`' | '\u{AD}' => {}
            'ё' => word.push('е'),
            c if is_ours(c) => word.push(c),
            _ => finish(&mut word, &mut found),
        }
    }
    finish(&mut word, &mut found);
    found
}

/// The same without repetition, in the order of the alphabet: what an index holds.
pub fn distinct(text: &str) -> BTreeSet<String> {
    words(text).into_iter().collect()
}

/// Letters of the Latin and Cyrillic alphabets, and digits. No other: databases know different versions of Unicode.
fn is_ours(c: char) -> bool {
    c.is_ascii_alphanumeric() || (c.is_alphabetic() && matches!(c, '\u{C0}'..='\u{24F}' | '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}'))
}

fn swap_last(word: &mut String, c: char) {
    word.pop();
    word.push(c);
}

fn finish(word: &mut String, found: &mut Vec<String>) {
    let word = std::mem::take(word);
    match word.char_indices().nth(LONGEST_WORD) {
        Some((end, _)) => found.extend(word.get(..end).map(str::to_owned)),
        None if word.is_empty() => {}
        None => found.push(word),
    }
}

/// The groups of three characters by which a word is like others, each once and in order; none where it is like itself alone.
///
/// Letters that one language writes for another's, or that are confused in writing, are one here ("ы", "і" and "i").
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Groups(Vec<[char; 3]>);

impl Groups {
    /// Those of a folded word.
    pub fn of(word: &str) -> Groups {
        if word.chars().count() < SHORTEST_ALIKE || word.chars().any(|c| c.is_ascii_digit()) {
            return Groups::default();
        }
        let mut found = Vec::new();
        let mut last = [' ', ' '];
        for c in word.chars().filter_map(sound).chain([' ']) {
            let [one, other] = last;
            found.push([one, other, c]);
            last = [other, c];
        }
        found.sort_unstable();
        found.dedup();
        Groups(found)
    }

    /// Whether it is like itself alone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The groups as texts.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|three| three.iter().collect())
    }

    /// How like two words are by their groups: shared ones in a thousand of all.
    pub fn alike(&self, other: &Groups) -> usize {
        let (mut one, mut two, mut shared) = (self.0.iter().peekable(), other.0.iter().peekable(), 0_usize);
        while let (Some(here), Some(there)) = (one.peek(), two.peek()) {
            match here.cmp(there) {
                Ordering::Less => {
                    one.next();
                }
                Ordering::Greater => {
                    two.next();
                }
                Ordering::Equal => {
                    shared += 1;
                    one.next();
                    two.next();
                }
            }
        }
        (shared * 1000).checked_div(self.0.len() + other.0.len() - shared).unwrap_or(0)
    }
}

fn sound(c: char) -> Option<char> {
    Some(match c {
        'а' | 'ә' => 'a',
        'б' => 'b',
        'ц' => 'c',
        'д' => 'd',
        'е' | 'э' | 'є' => 'e',
        'ф' => 'f',
        'г' | 'ғ' | 'ґ' => 'g',
        'х' | 'һ' => 'h',
        'и' | 'ы' | 'і' | 'ї' => 'i',
        'ж' => 'j',
        'к' | 'қ' => 'k',
        'л' => 'l',
        'м' => 'm',
        'н' | 'ң' => 'n',
        'о' | 'ө' => 'o',
        'п' => 'p',
        'ю' => 'q',
        'р' => 'r',
        'с' => 's',
        'т' => 't',
        'у' | 'ұ' | 'ү' => 'u',
        'в' => 'v',
        'ш' | 'щ' => 'w',
        'я' => 'x',
        'й' => 'y',
        'з' => 'z',
        'ч' => '4',
        'ь' | 'ъ' => return None,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_keep_the_letters_of_each_language() {
        assert_eq!(words("Нет ОТОПЛЕНИЯ, ещё с утра!"), ["нет", "отопления", "еще", "с", "утра"]);
        assert_eq!(words("Тәуелсіздік даңғылы 12а/3"), ["тәуелсіздік", "даңғылы", "12а", "3"]);
        assert_eq!(words("п’ять під'їздів, двери\u{306}"), ["пять", "підїздів", "дверй"]);
        assert_eq!(words("中文 — \u{0} 🚒"), Vec::<String>::new());
        assert_eq!(words(&"я".repeat(1000))[0].chars().count(), LONGEST_WORD);
    }

    #[test]
    fn likeness_forgives_endings_slips_and_alphabets() {
        let like = |one: &str, other: &str| Groups::of(one).alike(&Groups::of(other));
        assert_eq!(like("отопление", "отопление"), 1000);
        assert!(like("отопление", "отопления") >= 600 && like("отопление", "атопление") >= 500);
        assert!(like("қала", "кала") == 1000 && like("опалення", "апалення") >= 500);
        assert!(like("лифт", "свет") < 200);
        assert_eq!(like("12а", "12а"), 0, "a house is like none but itself");
        assert_eq!(like("нет", "нет"), 0);
    }
}
