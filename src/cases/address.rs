//! Which street and house does an address name, however it was typed? Keys that old and new spellings share.

use super::words::words;

/// Words that say what kind of street it is, in four languages: people leave them out, or say another.
const KINDS: &[&str] = &[
    "улица",
    "ул",
    "проспект",
    "пр",
    "просп",
    "переулок",
    "пер",
    "бульвар",
    "бул",
    "микрорайон",
    "мкр",
    "мкрн",
    "шоссе",
    "площадь",
    "пл",
    "көшесі",
    "көше",
    "кошеси",
    "даңғылы",
    "даңғыл",
    "дангылы",
    "шағынауданы",
    "ықшамауданы",
    "тұйығы",
    "алаңы",
    "вулиця",
    "вул",
    "провулок",
    "пров",
    "площа",
    "street",
    "st",
    "avenue",
    "ave",
    "lane",
    "square",
    "boulevard",
    "im",
    "имени",
    "им",
    "імені",
    "атындағы",
];

/// Words before a house's number that say nothing.
const HOUSES: &[&str] = &["дом", "д", "үй", "уй", "будинок", "буд", "house", "no"];

/// Whether a folded word says only what kind of street it is.
pub fn is_street_kind(word: &str) -> bool {
    KINDS.contains(&word)
}

/// What a street is found by: its words without those that say its kind, in the order of the alphabet; all of them where nothing would be left.
pub fn street_key(name: &str) -> String {
    let all = words(name);
    let mut own: Vec<&str> = all.iter().map(String::as_str).filter(|word| !is_street_kind(word)).collect();
    if own.is_empty() {
        own = all.iter().map(String::as_str).collect();
    }
    own.sort_unstable();
    own.join(" ")
}

/// The same with the kind, for two streets of one name.
pub fn full_key(name: &str) -> String {
    let mut all = words(name);
    all.sort_unstable();
    all.join(" ")
}

/// What a house is found by: "дом 12 А" and "12а" are one, "12/3" is another.
pub fn house_key(house: &str) -> String {
    let mut key = String::new();
    for word in words(house) {
        if HOUSES.contains(&word.as_str()) {
            continue;
        }
        let both_digits = key.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit());
        if both_digits {
            key.push('/');
        }
        key.push_str(&word);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_share_their_key() {
        assert_eq!(street_key("ул. Абая"), street_key("Абая"));
        assert_eq!(street_key("улица Героев Труда"), "героев труда");
        assert_eq!(street_key("Тәуелсіздік даңғылы"), "тәуелсіздік");
        assert_eq!(street_key("Площадь"), "площадь", "a name of nothing but its kind");
        assert_ne!(full_key("улица Абая"), full_key("переулок Абая"));
        assert_eq!(house_key("дом 12 А"), house_key("12а"));
        assert_eq!(house_key("12 / 3"), "12/3");
        assert_ne!(house_key("123"), house_key("12/3"));
    }
}
