//! Who calls, and who do we say that we are? From, P-Asserted-Identity and Privacy (RFC 3261 §8.1.1.3, RFC 3323, RFC 3325).

use crate::caller::normalise;
use crate::centre::ids::AgentId;
use crate::private::Private;

use super::guard::Request;
use super::message::{Message, Name};
use super::numbers::rewrite;
use super::trunk::Rules;
use super::uri::{NameAddr, Scheme, Uri, split_outside};

/// The caller, as a trunk tells it.
pub struct Caller {
    /// The number as the trunk's rules write it; empty where it is withheld or not known.
    pub number: Private<String>,
    /// The name that came with it.
    pub name: Option<Private<String>>,
}

impl Caller {
    /// Who sent this INVITE over a trunk with these rules.
    pub fn of(request: &Request<'_>, rules: &Rules) -> Caller {
        if is_withheld(request) {
            return Caller { number: Private::new(String::new()), name: None };
        }
        let asserted = if rules.trusted { asserted(&request.message) } else { None };
        let (number, display) = asserted.unwrap_or_else(|| (number_of(&request.from.uri), request.from.display));
        let number = if number.reveal().is_empty() { number } else { Private::new(rewrite(&rules.caller, number.reveal())) };
        let name = (!display.is_empty() && !number.reveal().is_empty()).then(|| Private::new(display.to_owned()));
        Caller { number, name }
    }
}

/// The first asserted identity that has a number (RFC 3325 §9.1): a SIP address, a `tel:` one, or both may stand there.
fn asserted<'a>(message: &Message<'a>) -> Option<(Private<String>, &'a str)> {
    let values = message.all(Name::AssertedIdentity).flat_map(|line| split_outside(line, b','));
    let numbers = values.filter_map(NameAddr::read).filter(|value| value.uri.scheme != Scheme::Other);
    numbers.map(|value| (number_of(&value.uri), value.display)).find(|(number, _)| !number.reveal().is_empty())
}

/// The number of an address, without the parameters that may stand behind it in the user part (RFC 3261 §19.1.6).
fn number_of(uri: &Uri<'_>) -> Private<String> {
    normalise(uri.user_text().split(';').next().unwrap_or_default())
}

/// Whether the caller wants not to be known: by Privacy, or by an address that names nobody (RFC 3323 §4.1, §4.2).
fn is_withheld(request: &Request<'_>) -> bool {
    let asked = |value: &str| ["id", "user", "header"].iter().any(|level| value.eq_ignore_ascii_case(level));
    let by_header = request.message.all(Name::Privacy).flat_map(|line| line.split([';', ','])).any(|value| asked(value.trim()));
    let from = &request.from.uri;
    let nobody =
        from.host.eq_ignore_ascii_case("anonymous.invalid") || from.user.is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
    by_header || nobody
}

/// What an INVITE of ours shows.
pub struct Shown {
    /// The value of From without its tag.
    pub from: String,
    /// P-Asserted-Identity and Privacy, each with its CRLF; empty where nothing is asserted.
    pub headers: String,
}

impl Shown {
    /// `number` of ours, at this domain; asserted where the far end is a trunk.
    pub fn ours(number: &str, domain: &str, is_trunk: bool) -> Shown {
        Shown { from: format!("<sip:{number}@{domain}>"), headers: assertion(is_trunk.then_some(number), domain) }
    }

    /// A colleague, by the extension of the phone where there is one.
    pub fn colleague(agent: &AgentId, user: Option<&str>, domain: &str) -> Shown {
        let name = if agent.as_str().contains(['"', '\\']) { "" } else { agent.as_str() };
        Shown { from: format!("\"{name}\" <sip:{}@{domain}>", user.unwrap_or("operator")), headers: String::new() }
    }

    /// A resident's number, `None` where it is withheld: to a trunk the city's own number is asserted beside it.
    pub fn resident(number: Option<&str>, city: Option<&str>, domain: &str) -> Shown {
        let asserted = assertion(city, domain);
        match number {
            Some(number) => Shown { from: format!("<sip:{number}@{domain}>"), headers: asserted },
            None => Shown {
                from: "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned(),
                headers: if asserted.is_empty() { asserted } else { asserted + "Privacy: id\r\n" },
            },
        }
    }
}

fn assertion(number: Option<&str>, domain: &str) -> String {
    number.map_or(String::new(), |number| format!("P-Asserted-Identity: <sip:{number}@{domain}>\r\n"))
}
