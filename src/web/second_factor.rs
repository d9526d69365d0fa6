//! By which code does an account prove that it is its owner who signs in? RFC 6238: six digits every thirty seconds, none opens twice.

use totp_rs::{Builder, Totp};

use crate::caller::CallerKey;
use crate::store::SecondFactor;

use super::Web;
use super::error::WebError;

/// Who asks, on the screen of the telephone.
const ISSUER: &str = "Cityline";
/// The longest code that is looked at, in bytes.
const LONGEST: usize = 16;

/// Lets an account through that has no second factor, or whose code is right and was not used yet.
///
/// # Errors
/// When a code is needed, or is wrong.
pub(super) async fn pass(web: &Web, name: &str, code: Option<&str>) -> Result<(), WebError> {
    let factor = web.store.second_factor(name).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_ms.is_some()) else { return Ok(()) };
    use_up(web, name, &factor, code.ok_or(WebError::NeedsCode)?).await
}

/// Uses a code up, which confirms a factor that was not yet.
///
/// # Errors
/// When it is wrong, or was used before.
pub(super) async fn use_up(web: &Web, name: &str, factor: &SecondFactor, code: &str) -> Result<(), WebError> {
    let now = web.clock.now();
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(LONGEST).collect();
    let step = totp(&web.key, name, &factor.salt).and_then(|totp| totp.check(&code, now.0 / 1000)).ok_or(WebError::WrongCode)?;
    if web.store.use_step(name, &factor.salt, step, now).await? { Ok(()) } else { Err(WebError::WrongCode) }
}

/// The generator of an account's codes; `None` cannot be, because name and secret are made to fit.
pub(super) fn totp(key: &CallerKey, name: &str, salt: &str) -> Option<Totp> {
    let secret = key.secret(&["second factor", name, salt]).into_inner();
    Builder::new().with_secret(secret).with_account_name(name).with_issuer(Some(ISSUER)).build().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_one_accounts_and_one_keys() {
        let key = CallerKey::new([7; 32]);
        let code = |key: &CallerKey, name, salt| totp(key, name, salt).unwrap().generate(1_000_000_000).to_string();
        assert_eq!(code(&key, "aigul", "aa"), code(&key, "aigul", "aa"));
        for other in [code(&key, "olena", "aa"), code(&key, "aigul", "ab"), code(&CallerKey::new([8; 32]), "aigul", "aa")] {
            assert_ne!(code(&key, "aigul", "aa"), other);
        }
    }

    /// RFC 6238 appendix B gives eight digits; ours are the last six of them.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let totp = Builder::new().with_secret(b"12345678901234567890".to_vec()).build().unwrap();
        assert_eq!(totp.generate(59).to_string(), "287082");
        assert_eq!(totp.generate(20_000_000_000).to_string(), "353130");
        assert_eq!(totp.check("287082", 89), Some(1), "one step late");
        assert_eq!(totp.check("287082", 120), None);
    }
}
