//! How is a number spoken? The words from 0 to 120, in every language, as they stand alone (nominative).

use crate::centre::ids::Language;

/// The largest number that has words here.
pub const MOST: u32 = 120;

/// What is counted decides the form of one and two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// A place in a queue: "один", "два".
    Place,
    /// Minutes, feminine in Ukrainian ("хвилина") and Russian ("минута"): "одна", "две".
    Minutes,
}

/// The words of one language.
struct Words {
    /// 0 to 19.
    ones: [&'static str; 20],
    /// 20, 30, … 90.
    tens: [&'static str; 8],
    hundred: &'static str,
    /// What stands between tens and ones.
    joint: &'static str,
    /// What stands between the hundred and the rest.
    hundred_joint: &'static str,
    /// One and two of a feminine noun.
    feminine: [&'static str; 2],
}

/// The words for `n`, `None` above [`MOST`].
pub fn words(n: u32, language: Language, counted: Counted) -> Option<String> {
    let words = match language {
        Language::Kk => &KAZAKH,
        Language::Ru => &RUSSIAN,
        Language::Uk => &UKRAINIAN,
        Language::En => &ENGLISH,
    };
    if n > MOST {
        return None;
    }
    if n < 100 {
        return words.below_hundred(n, counted);
    }
    let rest = if n == 100 { String::new() } else { format!("{}{}", words.hundred_joint, words.below_hundred(n - 100, counted)?) };
    Some(format!("{}{rest}", words.hundred))
}

impl Words {
    fn below_hundred(&self, n: u32, counted: Counted) -> Option<String> {
        if n < 20 {
            return self.one(n, counted).map(str::to_owned);
        }
        let tens = self.tens.get(usize::try_from(n / 10).ok()?.checked_sub(2)?)?;
        if n.is_multiple_of(10) {
            return Some((*tens).to_owned());
        }
        Some(format!("{tens}{}{}", self.joint, self.one(n % 10, counted)?))
    }

    fn one(&self, n: u32, counted: Counted) -> Option<&'static str> {
        let [one, two] = self.feminine;
        match (n, counted) {
            (1, Counted::Minutes) => Some(one),
            (2, Counted::Minutes) => Some(two),
            _ => self.ones.get(usize::try_from(n).ok()?).copied(),
        }
    }
}

const KAZAKH: Words = Words {
    ones: [
        "нөл",
        "бір",
        "екі",
        "үш",
        "төрт",
        "бес",
        "алты",
        "жеті",
        "сегіз",
        "тоғыз",
        "он",
        "он бір",
        "он екі",
        "он үш",
        "он төрт",
        "он бес",
        "он алты",
        "он жеті",
        "он сегіз",
        "он тоғыз",
    ],
    tens: ["жиырма", "отыз", "қырық", "елу", "алпыс", "жетпіс", "сексен", "тоқсан"],
    hundred: "жүз",
    joint: " ",
    hundred_joint: " ",
    feminine: ["бір", "екі"],
};

const RUSSIAN: Words = Words {
    ones: [
        "ноль",
        "один",
        "два",
        "три",
        "четыре",
        "пять",
        "шесть",
        "семь",
        "восемь",
        "девять",
        "десять",
        "одиннадцать",
        "двенадцать",
        "тринадцать",
        "четырнадцать",
        "пятнадцать",
        "шестнадцать",
        "семнадцать",
        "восемнадцать",
        "девятнадцать",
    ],
    tens: ["двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"],
    hundred: "сто",
    joint: " ",
    hundred_joint: " ",
    feminine: ["одна", "две"],
};

const UKRAINIAN: Words = Words {
    ones: [
        "нуль",
        "один",
        "два",
        "три",
        "чотири",
        "п'ять",
        "шість",
        "сім",
        "вісім",
        "дев'ять",
        "десять",
        "одинадцять",
        "дванадцять",
        "тринадцять",
        "чотирнадцять",
        "п'ятнадцять",
        "шістнадцять",
        "сімнадцять",
        "вісімнадцять",
        "дев'ятнадцять",
    ],
    tens: ["двадцять", "тридцять", "сорок", "п'ятдесят", "шістдесят", "сімдесят", "вісімдесят", "дев'яносто"],
    hundred: "сто",
    joint: " ",
    hundred_joint: " ",
    feminine: ["одна", "дві"],
};

const ENGLISH: Words = Words {
    ones: [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ],
    tens: ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
    hundred: "one hundred",
    joint: "-",
    hundred_joint: " and ",
    feminine: ["one", "two"],
};
