//! What are people told, when something is over or late? Short texts in the four languages, without a word of personal data.

use crate::centre::ids::Language;

/// What an operator says to a resident whose incident is over; `topic` is its name in that language.
pub fn fixed(language: Language, topic: &str) -> String {
    match language {
        Language::Kk => format!("«{topic}» мәселесі бойынша ақау жойылды. Енді бәрі дұрыс па?"),
        Language::Ru => format!("Проблема «{topic}», о которой вы сообщали, устранена. Всё ли теперь в порядке?"),
        Language::Uk => format!("Проблему «{topic}», про яку ви повідомляли, усунуто. Чи все тепер гаразд?"),
        Language::En => format!("The problem “{topic}” that you reported has been fixed. Is everything all right now?"),
    }
}

/// What callers hear after a notice of works whose end has passed.
pub fn overrun(language: Language) -> &'static str {
    match language {
        Language::Kk => "Жұмыстар жарияланған мерзімнен ұзаққа созылып, әлі аяқталған жоқ.",
        Language::Ru => "Работы продолжаются дольше объявленного срока и ещё не закончены.",
        Language::Uk => "Роботи тривають довше оголошеного строку і ще не закінчені.",
        Language::En => "The works are taking longer than announced and are not finished yet.",
    }
}

/// What a resident's telephone is sent, so that they open their cabinet.
pub fn code(language: Language, code: &str) -> String {
    match language {
        Language::Kk => format!("Жеке кабинет коды: {code}. 10 минут жарамды. Оны ешкімге айтпаңыз."),
        Language::Ru => format!("Код для входа в кабинет: {code}. Действует 10 минут. Никому его не сообщайте."),
        Language::Uk => format!("Код для входу до кабінету: {code}. Діє 10 хвилин. Нікому його не повідомляйте."),
        Language::En => format!("Your code for the cabinet: {code}. It is good for 10 minutes. Tell it to nobody."),
    }
}

/// The language of somebody who never chose one: the one that is understood in every city that this runs in.
pub const UNKNOWN: Language = Language::Ru;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_own_words() {
        let texts: std::collections::BTreeSet<String> = Language::ALL.into_iter().map(|language| fixed(language, "X")).collect();
        assert_eq!(texts.len(), 4);
        assert_eq!(Language::ALL.into_iter().map(overrun).collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert!(texts.iter().all(|text| text.contains('X')));
    }
}
