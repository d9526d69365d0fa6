//! What does a page know before anybody signs in? The languages, whether residents have a cabinet, and in the demo the accounts to try.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::centre::ids::Language;

use super::Web;

/// What everybody may know.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Welcome {
    /// Whether this is the demo city.
    pub demo: bool,
    /// The languages of the screens, by their codes.
    pub languages: Vec<&'static str>,
    /// Whether a resident's code can reach a telephone, so that the cabinet opens.
    pub cabinet: bool,
    /// Accounts to try, in the demo alone.
    pub demo_accounts: Vec<DemoAccount>,
    /// A telephone number whose cabinet can be tried, in the demo alone: its codes lie in the folder `outbox` of the demo's data.
    pub demo_number: Option<&'static str>,
}

/// An account of the demo, with its password: its data are made up.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DemoAccount {
    /// The login name.
    pub name: String,
    /// What it may do.
    pub role: crate::store::Role,
    /// How it signs in.
    pub password: String,
}

impl Default for Welcome {
    fn default() -> Self {
        Self {
            demo: false,
            languages: Language::ALL.map(Language::code).to_vec(),
            cabinet: false,
            demo_accounts: Vec::new(),
            demo_number: None,
        }
    }
}

/// What a page knows before anybody signs in.
#[utoipa::path(get, path = "/api/welcome", responses((status = 200, body = Welcome)))]
pub(super) async fn welcome(State(web): State<Arc<Web>>) -> Json<Welcome> {
    Json(web.welcome.clone())
}
