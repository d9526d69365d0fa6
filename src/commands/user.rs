//! Who may log in? Accounts are added, removed and listed here until the administrator's screen does it.

use std::io::BufRead;
use std::process::ExitCode;

use anyhow::ensure;
use cityline::clock::Clock;
use cityline::config::Config;
use cityline::private::Private;
use cityline::store::{Access, Role, Standing, Store};

/// Shorter passwords are guessed.
const SHORTEST: usize = 8;

/// Adds an account, or gives it another role and password.
pub async fn add(config: &Config, name: &str, standing: Standing) -> anyhow::Result<ExitCode> {
    let mut line = String::new();
    eprintln!("password for {name} (one line):");
    std::io::stdin().lock().read_line(&mut line)?;
    let password = Private::new(line.trim_end_matches(['\r', '\n']).to_owned());
    ensure!(password.reveal().chars().count() >= SHORTEST, "the password is too short: give at least {SHORTEST} characters");
    let role = standing.role;
    if role == Role::Operator && !config.operators.contains_key(name) {
        eprintln!("note: no operator of the settings is called {name:?}, so this account can take no calls; add [operators.{name}]");
    }
    let store = Store::open(config).await?;
    store.put_user(name, &password, standing, Clock::of_process().now()).await?;
    store.close().await;
    println!("{name} may log in as {}", role.word());
    Ok(ExitCode::SUCCESS)
}

/// Removes an account.
pub async fn remove(config: &Config, name: &str) -> anyhow::Result<ExitCode> {
    let store = Store::open(config).await?;
    let removed = store.remove_user(name).await?;
    store.close().await;
    ensure!(removed, "no account is called {name:?}: `cityline user list` shows them");
    println!("{name} may no longer log in");
    Ok(ExitCode::SUCCESS)
}

/// Takes an account's second factor away; it is on record.
pub async fn forget_code(config: &Config, name: &str) -> anyhow::Result<ExitCode> {
    let store = Store::open(config).await?;
    let removed = store.remove_second_factor(name).await?;
    if removed {
        let now = Clock::of_process().now();
        store.log_access(now, "command line", Access::Accounts, &format!("second factor of {name} taken away")).await?;
    }
    store.close().await;
    ensure!(removed, "{name:?} has no second factor: `cityline user list` shows the accounts");
    println!("{name} signs in by password alone until a new second factor is set up");
    Ok(ExitCode::SUCCESS)
}

/// Lists the accounts.
pub async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    let store = Store::open(config).await?;
    for user in store.users().await? {
        println!("{:<20} {}", user.name, user.role.word());
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
