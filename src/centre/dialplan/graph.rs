//! How does a plan look when it is drawn? Its steps, where each leads and by what, and every fault at its step.

use serde::Serialize;

use super::fault::PlanError;
use super::read::{Draft, DraftStep, Vocabulary, drafted};
use super::{Action, Spoken};
use crate::centre::ids::{Language, StepId};

/// A plan as a picture. Of one that is no TOML only the faults are known.
#[derive(Clone, PartialEq, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Graph {
    /// The short number.
    pub number: Option<String>,
    /// Its name.
    pub title: Option<String>,
    /// The languages spoken, by their codes.
    pub languages: Vec<String>,
    /// Where a call begins.
    pub start: Option<String>,
    /// The steps, in the order of the text.
    pub nodes: Vec<Node>,
    /// Where they lead.
    pub edges: Vec<Edge>,
    /// What is wrong, in the order of the text.
    pub faults: Vec<Fault>,
}

/// A step.
#[derive(Clone, PartialEq, Debug, Serialize, utoipa::ToSchema)]
pub struct Node {
    /// Its name.
    pub id: String,
    /// "play", "language", "menu", "hours", "queue", "dial" or "hang_up"; `null` where the step cannot be read.
    #[schema(value_type = Option<String>)]
    pub kind: Option<&'static str>,
    /// What the caller's report is about from here on.
    pub topic: Option<String>,
    /// The line of the text where it begins, from 1.
    pub line: usize,
    /// What it says: prompts by their ids, `id@language`, `silence:ms`.
    pub says: Vec<String>,
    /// The queue where callers wait.
    pub queue: Option<String>,
    /// By whose opening hours it goes on.
    pub calendar: Option<String>,
    /// Who is dialled, and where.
    pub dials: Option<String>,
    /// What the server does with it, for those who look for what is in vain; not part of the picture.
    #[serde(skip)]
    #[schema(ignore)]
    pub action: Option<Action>,
}

/// A way from one step to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Edge {
    /// From which step; `null`: a key that works in every step that listens.
    pub from: Option<String>,
    /// To which.
    pub to: String,
    /// "next", "key", "otherwise", "open", "closed", "overflow", "subscribed", "callback", "surge", "failed"; "named" of a step that cannot be read.
    #[schema(value_type = String)]
    pub when: &'static str,
    /// The key that is pressed.
    pub key: Option<String>,
}

/// Something wrong, or in vain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// At which step; `null`: of the plan as a whole.
    pub step: Option<String>,
    /// The line of the text, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
    /// Whether the plan can be used in spite of it.
    pub is_warning: bool,
}

/// The picture of a plan, whatever is wrong with it. `file_name` only serves messages.
pub fn graph(file_name: &str, text: &str, known: &Vocabulary) -> Graph {
    let (plan, draft, errors) = drafted(file_name, text, known);
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let mut graph = Graph::default();
    if let Some(plan) = &plan {
        graph.number = Some(plan.number.to_string());
        graph.title = Some(plan.title.clone());
        graph.languages = plan.languages.iter().map(|language| language.code().to_owned()).collect();
    }
    if let Some(draft) = &draft {
        graph.start = draft.start.as_ref().map(|start| start.value.to_string());
        let mut steps: Vec<(&StepId, &DraftStep)> = draft.steps.iter().collect();
        steps.sort_by_key(|(_, step)| step.at);
        graph.nodes = steps.iter().map(|(id, step)| node(id, step, line(step.at))).collect();
        graph.edges = edges(draft, &steps);
    }
    graph.faults = errors.into_iter().map(|error| fault(&graph.nodes, error)).collect();
    graph
}

fn node(id: &StepId, step: &DraftStep, line: usize) -> Node {
    let mut node = Node {
        id: id.to_string(),
        kind: step.action.as_ref().map(kind),
        topic: step.topic.clone(),
        line,
        says: Vec::new(),
        queue: None,
        calendar: None,
        dials: None,
        action: step.action.clone(),
    };
    match &step.action {
        Some(Action::Play { say, .. } | Action::Language { say, .. } | Action::Menu { say, .. } | Action::HangUp { say }) => {
            node.says = said(say);
        }
        Some(Action::Hours { calendar, .. }) => node.calendar = Some(calendar.to_string()),
        Some(Action::Queue { queue, .. } | Action::Callback { queue, .. }) => node.queue = Some(queue.to_string()),
        Some(Action::Dial { say, party, address, .. }) => {
            node.says = said(say);
            node.dials = Some(if party == address { party.clone() } else { format!("{party} ({address})") });
        }
        None => {}
    }
    node
}

fn kind(action: &Action) -> &'static str {
    match action {
        Action::Play { .. } => "play",
        Action::Language { .. } => "language",
        Action::Menu { .. } => "menu",
        Action::Hours { .. } => "hours",
        Action::Queue { .. } => "queue",
        Action::Callback { .. } => "callback",
        Action::Dial { .. } => "dial",
        Action::HangUp { .. } => "hang_up",
    }
}

fn said(say: &[Spoken]) -> Vec<String> {
    let one = |spoken: &Spoken| match spoken {
        Spoken::Prompt { id, language: None } => id.to_string(),
        Spoken::Prompt { id, language: Some(language) } => format!("{id}@{}", Language::code(*language)),
        Spoken::Silence { ms } => format!("silence:{ms}"),
    };
    say.iter().map(one).collect()
}

fn edges(draft: &Draft, steps: &[(&StepId, &DraftStep)]) -> Vec<Edge> {
    let way = |from: Option<&StepId>, to: &StepId, when, key: Option<String>| Edge {
        from: from.map(StepId::to_string),
        to: to.to_string(),
        when,
        key,
    };
    let mut edges: Vec<Edge> = draft.keys.iter().map(|(key, to)| way(None, to, "key", Some(key.key().to_string()))).collect();
    for (id, step) in steps {
        let mut lead = |to: &StepId, when| edges.push(way(Some(id), to, when, None));
        match &step.action {
            Some(Action::Play { next, .. } | Action::Language { next, .. }) => lead(next, "next"),
            Some(Action::Menu { keys, otherwise, .. }) => {
                lead(otherwise, "otherwise");
                edges.extend(keys.iter().map(|(key, to)| way(Some(id), to, "key", Some(key.key().to_string()))));
            }
            Some(Action::Hours { open, closed, .. }) => {
                lead(open, "open");
                lead(closed, "closed");
            }
            Some(Action::Callback { otherwise, .. }) => lead(otherwise, "otherwise"),
            Some(Action::Queue { overflow, subscribed, callback, .. }) => {
                callback.iter().for_each(|to| lead(to, "callback"));
                overflow.iter().for_each(|to| lead(to, "overflow"));
                subscribed.iter().for_each(|to| lead(to, "subscribed"));
            }
            Some(Action::Dial { failed, .. }) => lead(failed, "failed"),
            Some(Action::HangUp { .. }) => {}
            None => step.names.iter().for_each(|to| lead(to, "named")),
        }
        let mut lead = |to: &StepId, when| edges.push(way(Some(id), to, when, None));
        step.closed.iter().for_each(|to| lead(to, "closed"));
        step.surge.iter().for_each(|to| lead(to, "surge"));
    }
    edges
}

/// A fault at the step in whose lines it stands.
fn fault(nodes: &[Node], error: PlanError) -> Fault {
    let step = nodes.iter().take_while(|node| node.line <= error.line).last();
    Fault { step: step.map(|node| node.id.clone()), line: error.line, what: error.what, mend: error.mend, is_warning: false }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::centre::ids::{PromptId, QueueId};

    fn known() -> Vocabulary {
        let prompts = ["hello", "pick", "bye"].into_iter().map(|id| (PromptId::from(id), Language::Ru)).collect();
        Vocabulary { prompts, queues: [QueueId::from("general")].into(), calendars: Default::default() }
    }

    const PLAN: &str = r#"number = "200"
title = "City"
languages = ["ru"]
start = "pick"
[keys]
"0" = "wait"
[steps.pick]
kind = "menu"
say = ["pick", "silence:200"]
keys = { 1 = "wait", 2 = "bye" }
otherwise = "wait"
[steps.wait]
kind = "queue"
queue = "general"
overflow = "bye"
[steps.bye]
kind = "hang_up"
say = ["bye"]
"#;

    fn ways(graph: &Graph) -> Vec<String> {
        let way = |edge: &Edge| {
            let (from, key) = (edge.from.as_deref().unwrap_or("*"), edge.key.as_deref().unwrap_or(""));
            format!("{from} -{}{key}-> {}", edge.when, edge.to)
        };
        graph.edges.iter().map(way).collect()
    }

    #[test]
    fn a_plan_is_steps_and_ways() {
        let drawn = graph("200.toml", PLAN, &known());
        assert_eq!((drawn.number.as_deref(), drawn.start.as_deref(), drawn.faults.len()), (Some("200"), Some("pick"), 0));
        let nodes: Vec<(&str, Option<&str>, usize)> = drawn.nodes.iter().map(|node| (node.id.as_str(), node.kind, node.line)).collect();
        assert_eq!(nodes, [("pick", Some("menu"), 7), ("wait", Some("queue"), 12), ("bye", Some("hang_up"), 16)]);
        assert_eq!(drawn.nodes[0].says, ["pick", "silence:200"]);
        let expected = ["* -key0-> wait", "pick -otherwise-> wait", "pick -key1-> wait", "pick -key2-> bye", "wait -overflow-> bye"];
        assert_eq!(ways(&drawn), expected);
    }

    #[test]
    fn faults_stand_at_their_steps_and_the_picture_is_drawn_all_the_same() {
        let broken = PLAN.replace("queue = \"general\"", "queue = \"generel\"").replace("kind = \"hang_up\"", "kind = \"hangup\"");
        let drawn = graph("200.toml", &broken, &known());
        let faults: Vec<(Option<&str>, usize)> = drawn.faults.iter().map(|fault| (fault.step.as_deref(), fault.line)).collect();
        assert_eq!(faults, [(Some("wait"), 14), (Some("bye"), 17)]);
        assert_eq!((drawn.nodes.len(), drawn.nodes[2].kind), (3, None));
        let none = graph("200.toml", "number = ", &known());
        assert!(none.nodes.is_empty() && none.faults.len() == 1 && none.faults[0].step.is_none());
    }
}
