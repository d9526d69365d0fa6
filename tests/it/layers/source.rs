//! Which paths does a source file name? Enough of Rust's grammar to find them: no comments, no texts, `use` trees spread out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One source file.
pub struct Source {
    /// Its path from the package's folder.
    pub file: String,
    pub text: String,
    /// Whether it is compiled for tests alone.
    pub is_test: bool,
    /// The code: comments and texts blanked out, a test module at its end cut off.
    code: String,
    module: Vec<String>,
}

/// Every source file below a folder, in order.
pub fn read_all(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let texts: Vec<(PathBuf, String)> = files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect();
    let tests: BTreeSet<PathBuf> = texts.iter().flat_map(|(path, text)| test_files(path, text)).collect();
    texts.into_iter().map(|(path, text)| Source::new(&path, text, &tests)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The files that this one declares under `#[cfg(test)]`.
fn test_files(path: &Path, text: &str) -> Vec<PathBuf> {
    let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
    let folder = if is_root { path.parent().unwrap().to_owned() } else { path.with_extension("") };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]").map(|pair| pair[1]);
    let names = declared.filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    names.flat_map(|name| [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")]).collect()
}

impl Source {
    fn new(path: &Path, text: String, tests: &BTreeSet<PathBuf>) -> Self {
        let within: PathBuf = path.components().skip(1).collect();
        let mut module: Vec<String> = within.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.len() > 1 && module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let is_test = tests.iter().any(|test| path == test || path.starts_with(test.with_extension("")) || is_in_folder_of(path, test));
        let blanked = blank(&text);
        let end = blanked.find("#[cfg(test)]\nmod tests {").unwrap_or(blanked.len());
        let code = blanked[..end].to_owned();
        Self { file: path.display().to_string(), text, is_test, code, module }
    }

    /// The top module that the file belongs to.
    pub fn room(&self) -> &str {
        &self.module[0]
    }

    /// Paths of our own crate, from its root, with their lines.
    pub fn own_paths(&self) -> Vec<(usize, String)> {
        self.paths().into_iter().filter_map(|(line, path)| Some((line, self.rooted(&path)?))).collect()
    }

    /// Paths of other crates, with their lines.
    pub fn foreign_paths(&self) -> Vec<(usize, String)> {
        let ours = ["crate", "self", "super", "Self", "cityline"];
        self.paths().into_iter().filter(|(_, path)| !ours.iter().any(|own| path.split("::").next() == Some(own))).collect()
    }

    /// The lines on which a word stands by itself.
    pub fn lines_with_word(&self, word: &str) -> Vec<usize> {
        let is_name = |part: Option<char>| part.is_some_and(|part| part.is_alphanumeric() || part == '_');
        let stands = |line: &str| {
            line.match_indices(word)
                .any(|(at, _)| !is_name(line[..at].chars().next_back()) && !is_name(line[at + word.len()..].chars().next()))
        };
        self.code.lines().enumerate().filter(|(_, line)| stands(line)).map(|(at, _)| at + 1).collect()
    }

    fn rooted(&self, path: &str) -> Option<String> {
        if let Some(rest) = path.strip_prefix("crate::").or_else(|| path.strip_prefix("cityline::")) {
            return Some(rest.to_owned());
        }
        let ups = path.split("::").take_while(|part| *part == "super").count();
        let rest: Vec<&str> = path.split("::").skip(ups).collect();
        // Only a path that leaves the room is of interest; one of a nested test module cannot.
        (ups > 0 && ups >= self.module.len()).then(|| rest.join("::"))
    }

    /// Every path of two parts or more, `use` trees spread out.
    fn paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(start) = self.code[at..].find(|part: char| part.is_alphabetic() || part == '_').map(|next| at + next) {
            let (end, written) = word(&self.code, start);
            if written == "use" {
                let stop = self.code[end..].find(';').map_or(self.code.len(), |stop| end + stop);
                let line = line_of(&self.code, start);
                found.extend(spread(self.code[end..stop].trim()).into_iter().map(|path| (line, path)));
                at = stop;
            } else {
                let (end, path) = chain(&self.code, start);
                if path.contains("::") {
                    found.push((line_of(&self.code, start), path));
                }
                at = end;
            }
        }
        found
    }
}

/// Modules below a test file's folder (`tests/a.rs` below `tests.rs` or `tests/mod.rs`).
fn is_in_folder_of(path: &Path, test: &Path) -> bool {
    test.ends_with("mod.rs") && test.parent().is_some_and(|folder| path.starts_with(folder))
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

fn word(code: &str, start: usize) -> (usize, &str) {
    let end = code[start..].find(|part: char| !part.is_alphanumeric() && part != '_').map_or(code.len(), |next| start + next);
    (end, &code[start..end])
}

/// `a::b::c` from `start`, as far as it goes.
fn chain(code: &str, start: usize) -> (usize, String) {
    let (mut end, first) = word(code, start);
    let mut path = first.to_owned();
    while code[end..].starts_with("::") && code[end + 2..].starts_with(|part: char| part.is_alphabetic() || part == '_') {
        let (next, part) = word(code, end + 2);
        path = format!("{path}::{part}");
        end = next;
    }
    (end, path)
}

/// The paths of a `use` tree: `a::{b, c::{d, e}}` → `a::b`, `a::c::d`, `a::c::e`.
fn spread(tree: &str) -> Vec<String> {
    let tree = tree.split(" as ").next().unwrap_or_default().trim();
    let Some(open) = tree.find('{') else { return vec![tree.trim_end_matches("::*").to_owned()] };
    let head = tree[..open].trim().trim_end_matches("::");
    let body = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let branches = split_top(body).into_iter().flat_map(|branch| spread(&branch));
    branches.map(|path| if head.is_empty() { path } else { format!("{head}::{path}") }).collect()
}

/// Splits at commas that are in no braces.
fn split_top(body: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0_i32, vec![String::new()]);
    for part in body.chars() {
        depth += i32::from(part == '{') - i32::from(part == '}');
        if part == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(part);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The text with comments and string literals turned into spaces, line by line as long as before.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = hidden(rest);
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|part| if part == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// How many bytes of a comment, a text or a character stand at the beginning.
fn hidden(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            return rest[body..].find(&close).map_or(rest.len(), |end| body + end + close.len());
        }
    }
    if rest.starts_with('"') {
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, part)| {
            let closes = *part == '"' && !escaped;
            escaped = *part == '\\' && !escaped;
            closes
        });
        return end.map_or(rest.len(), |(at, _)| at + 1);
    }
    character(rest)
}

/// A character literal; a lifetime is none.
fn character(rest: &str) -> usize {
    let Some(body) = rest.strip_prefix('\'') else { return 0 };
    if let Some(escape) = body.strip_prefix('\\') {
        return escape.char_indices().skip(1).find(|(_, part)| *part == '\'').map_or(0, |(at, _)| at + 3);
    }
    let mut parts = body.char_indices();
    match (parts.next(), parts.next()) {
        (Some(_), Some((at, '\''))) => at + 2,
        _ => 0,
    }
}

#[test]
fn paths_are_found_where_they_are_and_nowhere_else() {
    let text = "//! Why?\nuse crate::{centre::{ids, fact::{self, Fact}}, lanes};\nuse tokio::time as t;\n// crate::sip\nfn f() { \
                let a = \"crate::web\"; let b = r#\"crate::app\"#; let c = ':'; super::media::open(); sqlx::query(); }\n\
                #[cfg(test)]\nmod tests {\n use crate::web;\n}\n";
    let source = Source::new(Path::new("src/sip/mod.rs"), text.to_owned(), &BTreeSet::new());
    let own: Vec<(usize, String)> = source.own_paths();
    let expected = [(2, "centre::ids"), (2, "centre::fact::self"), (2, "centre::fact::Fact"), (2, "lanes"), (5, "media::open")];
    assert_eq!(own, expected.map(|(line, path)| (line, path.to_owned())));
    let foreign: Vec<String> = source.foreign_paths().into_iter().map(|(_, path)| path).collect();
    assert_eq!(foreign, ["tokio::time", "sqlx::query"]);
}
