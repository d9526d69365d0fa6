//! How is a number written on a trunk? The rules of its settings: of each list the first that fits rewrites a number.

use crate::config::NumberRule;

/// The number as the rules want it.
pub fn rewrite(rules: &[NumberRule], number: &str) -> String {
    let Some(rule) = rules.iter().find(|rule| fits(rule, number)) else { return number.to_owned() };
    let rest: String = number.chars().skip(rule.strip).collect();
    format!("{}{rest}", rule.add)
}

fn fits(rule: &NumberRule, number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    number.starts_with(&rule.begins) && rule.digits.is_none_or(|wanted| wanted == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(begins: &str, digits: Option<usize>, strip: usize, add: &str) -> NumberRule {
        NumberRule { begins: begins.into(), digits, strip, add: add.into() }
    }

    #[test]
    fn one_number_has_one_form_however_a_line_writes_it() {
        let rules = [
            rule("+", None, 0, ""),
            rule("810", None, 3, "+"),
            rule("00", None, 2, "+"),
            rule("8", Some(11), 1, "+7"),
            rule("7", Some(11), 0, "+"),
            rule("", Some(10), 0, "+7"),
            rule("", Some(6), 0, "+77142"),
        ];
        for written in ["+77142500000", "87142500000", "77142500000", "7142500000", "500000", "0077142500000", "81077142500000"] {
            assert_eq!(rewrite(&rules, written), "+77142500000", "{written}");
        }
        assert_eq!(rewrite(&rules, "109"), "109", "what no rule fits stays");
        assert_eq!(rewrite(&[rule("+7", None, 2, "8")], "+77142500000"), "87142500000");
        assert_eq!(rewrite(&[rule("1", None, 9, "2")], "112"), "2", "more is stripped than there is");
    }
}
