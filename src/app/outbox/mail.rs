//! How is a message mailed? By the program of the settings, as `sendmail -t` is; where there is none, it is written into a file.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::app::answers::message_id;
use crate::caller::CallerKey;
use crate::config;
use crate::store::Message;

/// Hands a message to the program that mails.
///
/// # Errors
/// When the program cannot be run, or ends with a failure.
pub async fn send(config: &config::Outbox, key: &CallerKey, to: &str, message: &Message) -> anyhow::Result<()> {
    ensure!(to.chars().all(|c| !c.is_control()), "the mail address has control characters");
    let Some((program, arguments)) = config.sendmail.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("outbox.sendmail: {program} cannot be run"))?;
    // Answers come to where `cityline answer` is given them.
    let reply = if config.answers.is_empty() { String::new() } else { format!("Reply-To: {}\r\n", config.answers) };
    let text = format!("From: {}\r\nTo: {to}\r\n{reply}{}", config.from, text(key, message)?);
    if let Some(mut input) = child.stdin.take() {
        // A program that ends early breaks the pipe; its status says why.
        let _ = input.write_all(text.as_bytes()).await;
    }
    let status = child.wait().await?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

/// Writes a message into the folder, by its number: the same one again is the same file.
///
/// # Errors
/// When the folder cannot be written.
pub async fn write(folder: &Path, key: &CallerKey, message: &Message) -> anyhow::Result<()> {
    tokio::fs::create_dir_all(folder).await.with_context(|| format!("{} cannot be made", folder.display()))?;
    let file = folder.join(format!("{}.txt", message.id));
    let text = format!("To: {}\r\n{}", message.receiver, text(key, message)?);
    tokio::fs::write(&file, text).await.with_context(|| format!("{} cannot be written", file.display()))
}

/// Subject, number and what the message says, a line a field.
fn text(key: &CallerKey, message: &Message) -> anyhow::Result<String> {
    let event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&message.body).context("the message is no JSON")?;
    let what = event.get("what").and_then(|what| what.as_str()).unwrap_or_default();
    let name = match message.receiver.strip_prefix("organisation:") {
        Some(organisation) => message_id(key, &message.subject, organisation, message.id),
        None => format!("{}@cityline", message.id),
    };
    let mut text =
        format!("Subject: {}: {what}\r\nMessage-ID: <{name}>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", message.subject);
    for (name, value) in &event {
        match value {
            serde_json::Value::String(value) => write!(text, "{name}: {value}\r\n")?,
            serde_json::Value::Null => {}
            value => write!(text, "{name}: {value}\r\n")?,
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message() -> Message {
        let body = r#"{"what":"escalated","case":"109-2026-000001","step":2,"organisation":null}"#.to_owned();
        Message { id: 7, subject: "109-2026-000001".into(), receiver: "city".into(), kind: "escalated".into(), body, tries: 0 }
    }

    #[tokio::test]
    async fn mail_goes_through_the_program_and_a_failure_is_one() {
        let folder = std::env::temp_dir().join(format!("cityline-mail-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let out = folder.join("out");
        let through =
            |script: String| config::Outbox { sendmail: vec!["sh".into(), "-c".into(), script], from: "a@b".into(), ..Default::default() };
        let key = CallerKey::new([7; 32]);
        send(&through(format!("cat > {}", out.display())), &key, "dana@city", &message()).await.unwrap();
        let sent = std::fs::read_to_string(&out).unwrap();
        assert!(sent.starts_with("From: a@b\r\nTo: dana@city\r\nSubject: 109-2026-000001: escalated\r\n"), "{sent}");
        assert!(sent.contains("step: 2\r\n") && !sent.contains("organisation"), "{sent}");
        assert!(send(&through("exit 3".into()), &key, "dana@city", &message()).await.is_err());
        assert!(send(&through("cat".into()), &key, "x\r\nBcc: y", &message()).await.is_err());
        write(&folder, &key, &message()).await.unwrap();
        assert!(std::fs::read_to_string(folder.join("7.txt")).unwrap().starts_with("To: city\r\n"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
