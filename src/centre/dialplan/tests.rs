//! Does every fault of a dialplan get its line and its mend?
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Action, Plan, Spoken, Vocabulary, read};
use crate::centre::ids::{CalendarId, Language, PromptId, QueueId, StepId};
use crate::centre::input::Digit;

const GOOD: &str = r##"number = "109"
title = "City 109"
languages = ["kk", "ru"]
start = "welcome"

[keys]
"0" = "emergency"
"*" = "language"

[steps.welcome]
kind = "play"
say = ["welcome@kk", "silence:300", "welcome@ru"]
next = "language"

[steps.language]
kind = "language"
say = ["choose@kk", "choose@ru"]
keys = { 1 = "kk", 2 = "ru" }
next = "topics"

[steps.topics]
kind = "menu"
say = ["topics"]
keys = { 1 = "hours", 2 = "bye" }
wrong = ["wrong-key"]
wait_ms = 4000
otherwise = "hours"

[steps.hours]
kind = "hours"
calendar = "office"
open = "operator"
closed = "bye"

[steps.operator]
kind = "queue"
topic = "general"
queue = "general"
overflow = "bye"

[steps.emergency]
kind = "dial"
say = ["to-112"]
party = "112"
failed = "operator"

[steps.bye]
kind = "hang_up"
say = ["bye"]
"##;

fn vocabulary() -> Vocabulary {
    let ids = ["welcome", "choose", "topics", "wrong-key", "to-112", "bye"];
    let in_both = ids.iter().flat_map(|id| [Language::Kk, Language::Ru, Language::Uk].map(|language| (PromptId::from(*id), language)));
    Vocabulary {
        prompts: in_both.chain([(PromptId::from("only-kazakh"), Language::Kk)]).collect(),
        queues: [QueueId::from("general")].into(),
        calendars: [CalendarId::from("office")].into(),
    }
}

fn good() -> Plan {
    read("109.toml", GOOD, &vocabulary()).unwrap()
}

/// What is said about the good plan with `old` replaced by `new`.
#[track_caller]
fn faults(old: &str, new: &str) -> Vec<String> {
    assert_eq!(GOOD.matches(old).count(), 1, "{old:?} must stand once in the good plan");
    let errors = read("109.toml", &GOOD.replace(old, new), &vocabulary()).expect_err("this plan has a fault");
    errors.iter().map(ToString::to_string).collect()
}

/// The good plan with more steps, which key 9 leads to.
fn faults_with_steps(first: &str, steps: &str) -> Vec<String> {
    let text = GOOD.replace("\"*\" = \"language\"", &format!("\"*\" = \"language\"\n9 = \"{first}\"")) + steps;
    read("109.toml", &text, &vocabulary()).expect_err("this plan has a fault").iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_plan_is_read() {
    let plan = good();
    assert_eq!((plan.number.as_str(), plan.title.as_str(), plan.start.as_str()), ("109", "City 109", "welcome"));
    assert_eq!(plan.languages, [Language::Kk, Language::Ru]);
    assert_eq!(plan.keys.get(&Digit::new('*').unwrap()), Some(&StepId::from("language")));
    assert_eq!(plan.steps.len(), 7);
    let Action::Play { say, repeat: false, next } = &plan.steps[&StepId::from("welcome")].action else { panic!("welcome plays") };
    assert_eq!(say[0], Spoken::Prompt { id: PromptId::from("welcome"), language: Some(Language::Kk) });
    assert_eq!(say[1], Spoken::Silence { ms: 300 });
    assert_eq!(next.as_str(), "language");
    assert_eq!(plan.steps[&StepId::from("operator")].topic.as_deref(), Some("general"));
}

#[test]
fn what_is_not_said_has_its_default() {
    let plan = good();
    let Action::Language { wait_ms: 5_000, tries: 2, otherwise: Language::Kk, .. } = plan.steps[&StepId::from("language")].action else {
        panic!("the language step has its defaults")
    };
    let Action::Menu { wait_ms: 4_000, tries: 2, .. } = plan.steps[&StepId::from("topics")].action else { panic!("the menu waits 4 s") };
    let Action::Dial { address, record: true, .. } = &plan.steps[&StepId::from("emergency")].action else { panic!("112 is recorded") };
    assert_eq!(address, "112");
}

#[test]
fn syntax_is_told_alone() {
    let found = faults("title = \"City 109\"", "title = City 109");
    assert!(found[0].starts_with("109.toml:2: this is not TOML: "), "{found:?}");
    assert!(found[0].ends_with(" — mend: correct the spelling of this line"), "{found:?}");
}

#[test]
fn unknown_fields_are_told() {
    assert_eq!(
        faults("overflow = \"bye\"", "overflw = \"bye\""),
        ["109.toml:39: step \"operator\" has an unknown field \"overflw\" — mend: did you mean \"overflow\"?"]
    );
    assert_eq!(
        faults("title = \"City 109\"", "title = \"City 109\"\ncolour = 1"),
        [
            "109.toml:3: the plan has an unknown field \"colour\" — mend: remove it; the plan knows number, title, languages, announcement, start, keys, steps"
        ]
    );
}

#[test]
fn absent_fields_are_told() {
    assert_eq!(faults("calendar = \"office\"\n", ""), ["109.toml:29: step \"hours\" has no \"calendar\" — mend: add calendar = …"]);
    assert_eq!(faults("title = \"City 109\"\n", ""), ["109.toml:1: the plan has no \"title\" — mend: add title = …"]);
    assert_eq!(faults("start = \"welcome\"\n", ""), ["109.toml:1: the plan has no \"start\" — mend: add start = …"]);
}

#[test]
fn wrong_types_are_told() {
    assert_eq!(
        faults("wait_ms = 4000", "wait_ms = 4"),
        ["109.toml:26: \"wait_ms\" is not a whole number from 500 to 60000 — mend: write for example wait_ms = 5000"]
    );
    assert_eq!(faults("party = \"112\"", "party = 112"), ["109.toml:44: \"party\" is not text — mend: put it in quotation marks"]);
    assert_eq!(faults("say = [\"to-112\"]", "say = \"to-112\""), ["109.toml:43: \"say\" is not a list — mend: write say = [\"…\"]"]);
    assert_eq!(
        faults("party = \"112\"", "party = \"112\"\nrecord = 1"),
        ["109.toml:45: \"record\" is neither true nor false — mend: write record = true or false"]
    );
    assert_eq!(
        faults("keys = { 1 = \"hours\", 2 = \"bye\" }", "keys = 3"),
        [
            "109.toml:21: step \"topics\" offers no keys — mend: add keys = { 1 = \"…\" }",
            "109.toml:24: \"keys\" is not a table — mend: write keys = { 1 = \"…\", 2 = \"…\" }"
        ]
    );
}

#[test]
fn an_unknown_kind_is_told_alone() {
    assert_eq!(
        faults("kind = \"hours\"", "kind = \"hour\""),
        ["109.toml:30: unknown kind of step \"hour\" — mend: did you mean \"hours\"?"]
    );
    assert_eq!(
        faults("kind = \"hours\"", "kind = \"conference\""),
        [
            "109.toml:30: unknown kind of step \"conference\" — mend: write one of play, language, menu, hours, queue, callback, dial, hang_up"
        ]
    );
}

#[test]
fn unknown_prompts_are_told() {
    assert_eq!(
        faults("say = [\"topics\"]", "say = [\"topcs\"]"),
        ["109.toml:23: unknown prompt \"topcs\" — mend: did you mean \"topics\"?"]
    );
    assert_eq!(
        faults("say = [\"topics\"]", "say = [\"weather-report\"]"),
        [
            "109.toml:23: unknown prompt \"weather-report\" — mend: add it to prompts/manifest.toml, write its texts, run `cityline prompts build`"
        ]
    );
    assert_eq!(
        faults("say = [\"topics\"]", "say = [\"only-kazakh\"]"),
        [
            "109.toml:23: prompt \"only-kazakh\" does not exist in ru — mend: write its text in prompts/*.ftl for ru, run `cityline prompts build`"
        ]
    );
    assert_eq!(
        faults("say = [\"topics\"]", "say = []"),
        ["109.toml:23: step \"topics\" says nothing — mend: name at least one prompt in say = [\"…\"]"]
    );
    assert_eq!(faults("say = [\"topics\"]", "say = \"topics\""), ["109.toml:23: \"say\" is not a list — mend: write say = [\"…\"]"]);
    assert_eq!(
        faults("silence:300", "silence:long"),
        ["109.toml:12: \"silence:long\" is not a pause of 1 to 10000 ms — mend: write for example \"silence:500\""]
    );
}

#[test]
fn unknown_languages_are_told() {
    assert_eq!(
        faults("languages = [\"kk\", \"ru\"]", "languages = [\"kk\", \"ru\", \"fr\"]"),
        ["109.toml:3: unknown language \"fr\" — mend: write one of kk, ru, uk, en"]
    );
    assert_eq!(
        faults("2 = \"ru\"", "2 = \"uk\""),
        ["109.toml:18: the plan does not speak \"uk\" — mend: add it to languages at the top, or name one of those"]
    );
    assert_eq!(
        faults("welcome@ru", "welcome@uk"),
        ["109.toml:12: the plan does not speak \"uk\" — mend: add it to languages at the top, or name one of those"]
    );
    assert_eq!(
        faults("languages = [\"kk\", \"ru\"]", "languages = [\"kk\", \"ru\", \"kk\"]"),
        ["109.toml:3: language \"kk\" is named twice — mend: remove one of them"]
    );
}

#[test]
fn unknown_queues_and_calendars_are_told() {
    assert_eq!(
        faults("queue = \"general\"", "queue = \"genral\""),
        ["109.toml:38: unknown queue \"genral\" — mend: did you mean \"general\"?"]
    );
    assert_eq!(
        faults("queue = \"general\"", "queue = \"lifts\""),
        ["109.toml:38: unknown queue \"lifts\" — mend: add this queue to the settings or name one of theirs"]
    );
    assert_eq!(
        faults("calendar = \"office\"", "calendar = \"night\""),
        ["109.toml:31: unknown calendar \"night\" — mend: add this calendar to the settings or name one of theirs"]
    );
}

#[test]
fn unknown_steps_and_digits_are_told() {
    assert_eq!(faults("next = \"topics\"", "next = \"topcis\""), ["109.toml:19: unknown step \"topcis\" — mend: did you mean \"topics\"?"]);
    assert_eq!(
        faults("failed = \"operator\"", "failed = \"night-desk\""),
        ["109.toml:45: unknown step \"night-desk\" — mend: add [steps.night-desk] or name a step of this file"]
    );
    assert_eq!(
        faults("\"0\" = \"emergency\"", "\"0\" = \"emergency\"\n12 = \"bye\""),
        ["109.toml:8: no phone has a key \"12\" — mend: write one of 0–9, \"*\", \"#\""]
    );
}

#[test]
fn a_number_that_cannot_be_dialled_is_told() {
    assert_eq!(
        faults("number = \"109\"", "number = \"1O9\""),
        ["109.toml:1: number \"1O9\" cannot be dialled — mend: write digits only, as in number = \"109\""]
    );
}

#[test]
fn a_step_that_nothing_reaches_is_told() {
    assert_eq!(
        faults("\"0\" = \"emergency\"\n", ""),
        ["109.toml:40: nothing leads to step \"emergency\" — mend: lead to it from a step or a key, or remove it"]
    );
}

#[test]
fn a_loop_without_a_way_out_is_told_once() {
    let steps = "[steps.a]\nkind = \"play\"\nsay = [\"bye\"]\nnext = \"b\"\n[steps.b]\nkind = \"play\"\nsay = [\"bye\"]\nnext = \"a\"\n";
    assert_eq!(
        faults_with_steps("a", steps),
        ["109.toml:51: the loop of \"a\", \"b\" has no way out — mend: lead from one of them to a queue, a dial or a hang_up"]
    );
}

#[test]
fn a_loop_that_costs_no_time_is_told() {
    let steps = "[steps.a]\nkind = \"hours\"\ncalendar = \"office\"\nopen = \"operator\"\nclosed = \"b\"\n\
                 [steps.b]\nkind = \"queue\"\nqueue = \"general\"\noverflow = \"a\"\n";
    assert_eq!(
        faults_with_steps("a", steps),
        ["109.toml:51: the loop of \"a\", \"b\" can turn without a sound — mend: put a play step between them, or lead elsewhere"]
    );
}

#[test]
fn who_presses_nothing_ends_at_a_human() {
    let mend = "let the way without keys lead to a queue";
    assert_eq!(
        faults("open = \"operator\"", "open = \"bye\""),
        [format!("109.toml:47: a caller who presses nothing ends at step \"bye\", which hangs up — mend: {mend}")]
    );
    assert_eq!(
        faults("otherwise = \"hours\"", "otherwise = \"topics\""),
        [format!("109.toml:21: a caller who presses nothing ends at step \"topics\", which is walked again and again — mend: {mend}")]
    );
    assert_eq!(
        faults("next = \"language\"", "next = \"language\"\nrepeat = true"),
        [format!("109.toml:10: a caller who presses nothing ends at step \"welcome\", which repeats for ever — mend: {mend}")]
    );
    let closed = GOOD.replace("open = \"operator\"\nclosed = \"bye\"", "open = \"operator\"\nclosed = \"bye\"\n");
    assert!(read("109.toml", &closed, &vocabulary()).is_ok(), "closed hours may end in a hang-up");
}

#[test]
fn all_faults_are_told_at_once_in_line_order() {
    let text =
        GOOD.replace("title = \"City 109\"\n", "").replace("topics\"]", "topcs\"]").replace("queue = \"general\"", "queue = \"lifts\"");
    let lines: Vec<usize> = read("109.toml", &text, &vocabulary()).unwrap_err().iter().map(|error| error.line).collect();
    assert_eq!(lines, [1, 22, 37]);
}

proptest::proptest! {
    /// Whatever a hand can do to a file, the answer is a plan or a list of faults, never a panic.
    #[test]
    fn a_damaged_plan_is_answered(at in 0..GOOD.len(), length in 0..80_usize, put in "[\\[\\]{}\"=.,#@:a-z0-9\n*әї ]{0,12}") {
        let text: String = GOOD.chars().take(at).chain(put.chars()).chain(GOOD.chars().skip(at + length)).collect();
        if let Err(errors) = read("109.toml", &text, &vocabulary()) {
            proptest::prop_assert!(!errors.is_empty());
            proptest::prop_assert!(errors.iter().all(|error| error.line >= 1 && error.line <= text.lines().count() + 1));
        }
    }
}

/// A plan whose queue offers a callback.
fn with_callback(to: &str, kind: &str) -> String {
    let plan = GOOD
        .replace("topic = \"general\"\nqueue = \"general\"\n", &format!("topic = \"general\"\nqueue = \"general\"\ncallback = \"{to}\"\n"));
    format!("{plan}\n[steps.back]\n{kind}\notherwise = \"operator\"\n")
}

#[test]
fn a_queue_may_lead_to_a_callback_and_back() {
    let kind = "kind = \"callback\"\nqueue = \"general\"\ntries = 3";
    let plan = read("109.toml", &with_callback("back", kind), &vocabulary()).unwrap();
    let expected = Action::Callback { queue: "general".into(), wait_ms: 5_000, tries: 3, otherwise: "operator".into() };
    assert_eq!(plan.steps[&StepId::from("back")].action, expected);
}

#[test]
fn a_callback_that_none_could_have_is_a_fault() {
    let kind = "kind = \"callback\"\nqueue = \"general\"";
    let told = |text: String| read("109.toml", &text, &vocabulary()).unwrap_err().iter().map(ToString::to_string).collect::<String>();
    let elsewhere = told(with_callback("bye", kind));
    assert!(elsewhere.contains("leads to step \"bye\", which is none"), "{elsewhere}");
    let hidden = told(with_callback("back", kind).replace("\"*\" = \"language\"", "\"1\" = \"language\""));
    assert!(hidden.contains("key 1 of the plan hides the callback"), "{hidden}");
}
