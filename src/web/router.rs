//! Which route is answered by whom, and for which roles? Every route stands in one table; what is not there is not answered.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum_login::AuthManagerLayerBuilder;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::store::Role::{self, Administrator, City, Operator, Organisation, Quality, Resident, Supervisor};
use crate::store::{LONGEST_EVIDENCE, Sessions};

use super::auth::{self, Accounts, Auth};
use super::error::WebError;
use super::{
    Web, accesses, accounts, alerts, cabinet, cabinet_code, callbacks, calls, cases, desk, dialplans, document, evidence, guard, health,
    imports, incidents, kiosks, live, me, metrics, orders, organisations, page, proposing, recordings, reference, register, residents,
    settings, shifts, status, welcome,
};

/// The longest body that is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The longest document that an administrator sends, in bytes: rules with thousands of topics, routes of every building.
const LONGEST_DOCUMENT: usize = 4 * 1024 * 1024;

/// Everybody who has an account.
const ANYBODY: &[Role] = &Role::ALL;
/// Those who work in the centre: they see what happens there.
const STAFF: &[Role] = &[Operator, Quality, Supervisor, Administrator];
/// Those who talk with residents, and those who lead them.
const RESIDENTS: &[Role] = &[Operator, Supervisor];
/// Those who act on a case, as its rules allow.
const ACTORS: &[Role] = &[Operator, Quality, Supervisor, Organisation];
/// Those who read the register, each what they may see.
const REGISTER: &[Role] = &[Operator, Quality, Supervisor, Organisation, City];
/// Those who decide about incidents and works, as their rules allow.
const OWNERS: &[Role] = &[Supervisor, Organisation];
/// Those who judge calls.
const JUDGES: &[Role] = &[Quality, Supervisor, Administrator];
/// Those who ask residents whether it was done.
const CONTROL: &[Role] = &[Operator, Quality, Supervisor];
/// Those who answer for the figures and read by which rules they come about.
const LEADERS: &[Role] = &[Quality, Supervisor, Administrator, City];
/// Those who need to know who executes.
const FORWARDERS: &[Role] = &[Operator, Quality, Supervisor, Administrator, City];
/// Those who answer for what is told to residents.
const EDITORS: &[Role] = &[Supervisor, Administrator];
/// Those who have proved that a number is theirs. No account has this role, and its sessions open nothing else.
const CABINET: &[Role] = &[Resident];
/// Those who lead operators.
const LEADING: &[Role] = &[Supervisor];
/// Those who decide.
const DECIDERS: &[Role] = &[Administrator];

/// A method that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Get,
    Put,
    Post,
    Delete,
}

/// One line of the table, as others may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The method.
    pub verb: Verb,
    /// The path, with `{names}` where it varies.
    pub path: &'static str,
    /// Who may ask; `None`: whoever reaches the server. An organisation's key counts as [`Role::Organisation`].
    pub roles: Option<&'static [Role]>,
}

/// What holds for a route beside its roles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is answered within a time.
    Answered,
    /// It is answered within a time, and takes a long body.
    Document,
    /// It is answered within a time, and takes a whole file.
    File,
    /// It is answered within a time, and takes a photo or a document of a case.
    Photo,
    /// It goes on for as long as both sides like.
    Stream,
    /// It has to do neither with sessions nor with personal data.
    Plain,
}

struct Line {
    declared: Declared,
    kind: Kind,
    answer: MethodRouter<Arc<Web>>,
}

/// Every route. Without roles are the page itself, sign-in, what a page knows before it, the public status of a case, health, metrics and the
/// document of the interface: none has personal data.
fn table() -> Vec<Line> {
    use Kind::{Document, File, Photo, Plain, Stream};
    use Verb::{Delete, Get, Post, Put};
    vec![
        open(Post, "/api/login", auth::login),
        line(Post, "/api/logout", ANYBODY, auth::logout),
        open(Get, "/api/welcome", welcome::welcome),
        open(Get, "/api/status/{number}", status::status),
        line(Get, "/api/me", ANYBODY, me::me),
        line(Put, "/api/me", ANYBODY, me::put),
        line(Put, "/api/me/password", ANYBODY, me::password),
        line(Post, "/api/me/second-factor", ANYBODY, me::enrol),
        line(Post, "/api/me/second-factor/confirm", ANYBODY, me::confirm),
        line(Get, "/api/accounts", DECIDERS, accounts::list),
        line(Put, "/api/accounts/{name}", DECIDERS, accounts::put),
        line(Delete, "/api/accounts/{name}", DECIDERS, accounts::remove),
        line(Delete, "/api/accounts/{name}/second-factor", DECIDERS, accounts::remove_second_factor),
        line(Delete, "/api/accounts/{name}/lock", DECIDERS, accounts::unlock),
        line(Get, "/api/accesses", DECIDERS, accesses::list),
        line(Get, "/api/settings", DECIDERS, settings::read),
        line(Put, "/api/settings", DECIDERS, settings::put).of(Document),
        line(Get, "/api/settings/revisions", DECIDERS, settings::revisions),
        line(Get, "/api/dialplans", DECIDERS, dialplans::list),
        line(Post, "/api/dialplans/check", DECIDERS, dialplans::check).of(Document),
        line(Put, "/api/dialplans/{name}", DECIDERS, dialplans::put).of(Document),
        line(Get, "/api/board", STAFF, live::board),
        line(Get, "/api/board/queues/{queue}", JUDGES, live::behind),
        line(Get, "/api/alerts", STAFF, alerts::list),
        line(Get, "/api/kiosks", DECIDERS, kiosks::list),
        line(Post, "/api/kiosks", DECIDERS, kiosks::make),
        line(Delete, "/api/kiosks/{id}", DECIDERS, kiosks::remove),
        open(Get, "/api/kiosk", kiosks::board),
        line(Get, "/api/shifts", STAFF, shifts::list),
        line(Post, "/api/shifts/orders", LEADING, shifts::order),
        line(Get, "/api/orders", LEADING, orders::list),
        line(Post, "/api/orders", LEADING, orders::order),
        line(Get, "/api/live", STAFF, live::live).of(Stream),
        line(Get, "/desk", RESIDENTS, desk::desk).of(Stream),
        line(Get, "/api/calls", JUDGES, calls::list),
        line(Get, "/api/calls/{call}", JUDGES, calls::detail),
        line(Get, "/api/calls/{call}/why", JUDGES, calls::why),
        line(Get, "/api/recordings/{call}/{n}", JUDGES, recordings::listen),
        line(Get, "/api/callbacks", RESIDENTS, callbacks::list),
        line(Get, "/api/callbacks/standing", RESIDENTS, callbacks::standing),
        line(Post, "/api/callbacks/{call}/done", RESIDENTS, callbacks::done),
        line(Get, "/api/calls-to-make", RESIDENTS, incidents::calls_to_make),
        line(Post, "/api/calls-to-make/{id}/done", RESIDENTS, incidents::call_made),
        line(Get, "/api/incidents", REGISTER, incidents::list),
        line(Get, "/api/incidents/{n}", REGISTER, incidents::detail),
        line(Post, "/api/incidents/{n}/act", OWNERS, incidents::act),
        line(Post, "/api/incidents/{n}/cases", RESIDENTS, incidents::join),
        line(Get, "/api/incidents/{n}/files", ACTORS, evidence::list_of_incident),
        line(Post, "/api/incidents/{n}/files", OWNERS, evidence::add_to_incident).of(Photo),
        line(Get, "/api/incidents/{n}/files/{hash}", ACTORS, evidence::open_of_incident),
        line(Post, "/api/works", OWNERS, incidents::publish),
        line(Get, "/api/cases", REGISTER, cases::list),
        line(Post, "/api/cases", RESIDENTS, cases::create),
        line(Get, "/api/cases/{number}", REGISTER, cases::detail),
        line(Get, "/api/cases/{number}/history", REGISTER, register::history),
        line(Post, "/api/cases/{number}/act", ACTORS, cases::act),
        line(Get, "/api/cases/{number}/files", ACTORS, evidence::list),
        line(Post, "/api/cases/{number}/files", ACTORS, evidence::add).of(Photo),
        line(Get, "/api/cases/{number}/files/{hash}", ACTORS, evidence::open),
        line(Put, "/api/cases/{number}/resident", RESIDENTS, residents::name),
        line(Post, "/api/residents", RESIDENTS, residents::add),
        line(Post, "/api/residents/by-number", RESIDENTS, residents::by_number),
        line(Get, "/api/residents/{id}", RESIDENTS, residents::detail),
        line(Put, "/api/residents/{id}", RESIDENTS, residents::change),
        line(Delete, "/api/residents/{id}", DECIDERS, residents::forget),
        line(Post, "/api/erasures", DECIDERS, cases::erase),
        line(Get, "/api/topics", ANYBODY, cases::topics),
        line(Get, "/api/propose", STAFF, proposing::propose),
        line(Get, "/api/duplicates", ACTORS, proposing::duplicates),
        line(Post, "/api/notes", RESIDENTS, proposing::write_note),
        line(Delete, "/api/notes/{id}", LEADING, proposing::remove_note),
        line(Get, "/api/register/overdue", REGISTER, register::overdue),
        line(Get, "/api/register/control-calls", CONTROL, register::control_calls),
        line(Get, "/api/register/league", LEADERS, register::league),
        line(Get, "/api/register/seals", ANYBODY, register::seals),
        line(Get, "/api/register/names", ANYBODY, register::names),
        line(Get, "/api/register/rules", LEADERS, register::rules),
        line(Put, "/api/register/rules", DECIDERS, register::put_rules).of(Document),
        line(Get, "/api/streets", STAFF, imports::streets),
        line(Get, "/api/streets/{id}/buildings", STAFF, imports::buildings),
        line(Get, "/api/imports", DECIDERS, imports::list),
        line(Post, "/api/imports", DECIDERS, imports::import).of(File),
        line(Get, "/api/imports/{id}", DECIDERS, imports::detail),
        line(Get, "/api/articles", STAFF, reference::articles),
        line(Post, "/api/articles", EDITORS, reference::write_article),
        line(Get, "/api/articles/{id}", STAFF, reference::article),
        line(Put, "/api/articles/{id}", EDITORS, reference::change_article),
        line(Get, "/api/contacts", STAFF, reference::contacts),
        line(Post, "/api/contacts", RESIDENTS, reference::contact),
        line(Get, "/api/first-calls", LEADERS, reference::first_calls),
        line(Get, "/api/districts", REGISTER, reference::districts),
        line(Get, "/api/views", REGISTER, reference::views),
        line(Put, "/api/views", REGISTER, reference::put_view),
        line(Delete, "/api/views/{name}", REGISTER, reference::remove_view),
        line(Get, "/api/organisations", FORWARDERS, organisations::list),
        line(Put, "/api/organisations/{id}", DECIDERS, organisations::put),
        line(Post, "/api/organisations/{id}/key", DECIDERS, organisations::make_key),
        line(Delete, "/api/organisations/{id}/key", DECIDERS, organisations::take_key),
        line(Get, "/api/routes", LEADERS, organisations::routes),
        line(Put, "/api/routes", DECIDERS, organisations::put_routes).of(Document),
        open(Post, "/api/cabinet/code", cabinet_code::code),
        open(Post, "/api/cabinet/login", cabinet_code::login),
        line(Get, "/api/cabinet/me", CABINET, cabinet::me),
        line(Post, "/api/cabinet/logout", CABINET, cabinet::logout),
        line(Get, "/api/cabinet/cases", CABINET, cabinet::list),
        line(Get, "/api/cabinet/cases/{number}", CABINET, cabinet::detail),
        line(Post, "/api/cabinet/cases/{number}/confirm", CABINET, cabinet::confirm),
        line(Post, "/api/cabinet/cases/{number}/reopen", CABINET, cabinet::reopen),
        line(Post, "/api/cabinet/cases/{number}/files", CABINET, cabinet::add).of(Photo),
        line(Get, "/api/cabinet/cases/{number}/files/{hash}", CABINET, cabinet::open),
        open(Get, "/api/openapi.json", document::answer).of(Plain),
        open(Get, "/", page::index).of(Plain),
        open(Get, "/assets/{file}", page::asset).of(Plain),
        open(Get, "/icon.svg", page::icon).of(Plain),
        open(Get, "/livez", health::livez).of(Plain),
        open(Get, "/readyz", health::readyz).of(Plain),
        open(Get, "/metrics", metrics::metrics).of(Plain),
    ]
}

/// The table without its handlers.
pub fn declared() -> Vec<Declared> {
    table().into_iter().map(|line| line.declared).collect()
}

/// All routes, each behind what its line says.
pub(super) fn router(web: Arc<Web>) -> Router {
    let (plain, known): (Vec<Line>, Vec<Line>) = table().into_iter().partition(|line| line.kind == Kind::Plain);
    let known = known.into_iter().fold(Router::new(), |router, line| router.route(line.declared.path, line.gated(&web)));
    let plain = plain.into_iter().fold(Router::new(), |router, line| router.route(line.declared.path, line.answer));
    known
        .layer(AuthManagerLayerBuilder::new(Accounts(web.store.clone()), sessions(&web)).build())
        .layer(middleware::from_fn(guard::sessions_told))
        .merge(plain)
        .fallback(elsewhere)
        .layer(middleware::from_fn(guard::same_origin))
        .layer(middleware::from_fn(guard::sealed))
        .layer(middleware::from_fn_with_state(web.clone(), guard::headers))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(web)
}

impl Verb {
    /// As HTTP writes it.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Put => "PUT",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        }
    }
}

impl Line {
    fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The handler behind a sign-in with one of the roles.
    fn gated(self, web: &Arc<Web>) -> MethodRouter<Arc<Web>> {
        let answer = match self.declared.roles {
            None => self.answer,
            Some(roles) => {
                let gate = move |state: State<Arc<Web>>, auth: Auth, request: Request, next: Next| {
                    auth::require(roles, state, auth, request, next)
                };
                self.answer.route_layer(middleware::from_fn_with_state(web.clone(), gate))
            }
        };
        match self.kind {
            Kind::Stream | Kind::Plain => answer,
            Kind::Answered => answer.route_layer(middleware::from_fn(guard::limited)),
            Kind::Document => answer.route_layer(middleware::from_fn(guard::limited)).layer(DefaultBodyLimit::max(LONGEST_DOCUMENT)),
            Kind::Photo => answer.route_layer(middleware::from_fn(guard::limited)).layer(DefaultBodyLimit::max(LONGEST_EVIDENCE)),
            Kind::File => answer.route_layer(middleware::from_fn(guard::limited)).layer(DefaultBodyLimit::max(imports::LONGEST_FILE)),
        }
    }
}

/// A route for accounts of these roles.
fn line<H: Handler<T, Arc<Web>>, T: 'static>(verb: Verb, path: &'static str, roles: &'static [Role], handler: H) -> Line {
    Line { declared: Declared { verb, path, roles: Some(roles) }, kind: Kind::Answered, answer: on(filter(verb), handler) }
}

/// A route for everybody.
fn open<H: Handler<T, Arc<Web>>, T: 'static>(verb: Verb, path: &'static str, handler: H) -> Line {
    Line { declared: Declared { verb, path, roles: None }, kind: Kind::Answered, answer: on(filter(verb), handler) }
}

fn filter(verb: Verb) -> MethodFilter {
    match verb {
        Verb::Get => MethodFilter::GET,
        Verb::Put => MethodFilter::PUT,
        Verb::Post => MethodFilter::POST,
        Verb::Delete => MethodFilter::DELETE,
    }
}

/// The cookie is for this site and not for scripts. [`guard::headers`] marks it `Secure` where the connection is.
fn sessions(web: &Web) -> SessionManagerLayer<Sessions> {
    let life_s = i64::try_from(web.config.session_s).unwrap_or(i64::MAX);
    SessionManagerLayer::new(Sessions::new(web.store.clone(), web.clock))
        .with_name("cityline")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::seconds(life_s)))
}

/// The desk knows its own addresses; whoever asks for anything else is told that it is not there.
async fn elsewhere(method: Method, uri: Uri, headers: HeaderMap) -> Result<Response, WebError> {
    if page::is_opened(&method, uri.path(), &headers) {
        return Ok(page::index(headers).await);
    }
    Err(WebError::Missing { what: "this address".into() })
}
