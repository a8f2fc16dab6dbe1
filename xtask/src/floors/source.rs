//! Reads just enough Rust to list the paths a file uses: no comments, no strings, `use` groups written out.

/// A file as names and signs, each with its line.
pub struct Source<'a> {
    tokens: Vec<Token<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Name(&'a str),
    /// `::`
    Join,
    Sign(char),
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind<'a>,
    line: usize,
    in_test: bool,
}

/// A path as it is used somewhere, for example `["crate", "engine", "World"]`.
#[derive(Debug, PartialEq, Eq)]
pub struct UsedPath<'a> {
    /// The line its last name stands on.
    pub line: usize,
    /// Whether it stands in an item marked `#[cfg(test)]`.
    pub in_test: bool,
    names: Vec<&'a str>,
}

impl UsedPath<'_> {
    /// The path as one would write it.
    pub fn shown(&self) -> String {
        self.names.join("::")
    }

    /// The module under the crate's root that this leads to, from a file this many `super` below the root.
    pub fn in_crate(&self, depth: usize) -> Option<&str> {
        let supers = self.names.iter().take_while(|name| **name == "super").count();
        match self.names[0] {
            "crate" => self.names.get(1).copied(),
            _ if supers > 0 && supers == depth => self.names.get(supers).copied(),
            _ => None,
        }
    }

    /// Whether the path begins with `a::b`, or, for a single name, has it anywhere.
    pub fn mentions(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split("::").collect();
        if wanted.len() == 1 { self.names.contains(&wanted[0]) } else { self.names.starts_with(&wanted) }
    }
}

impl<'a> Source<'a> {
    /// Splits a file into names and signs.
    pub fn read(text: &'a str) -> Source<'a> {
        let mut tokens = Vec::new();
        let mut line = 1;
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = match skipped(rest) {
                Some(length) => length,
                None if first.is_alphabetic() || first == '_' => {
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                    tokens.push(Token { kind: Kind::Name(&rest[..end]), line, in_test: false });
                    end
                }
                None if rest.starts_with("::") => {
                    tokens.push(Token { kind: Kind::Join, line, in_test: false });
                    2
                }
                None => {
                    if !first.is_whitespace() {
                        tokens.push(Token { kind: Kind::Sign(first), line, in_test: false });
                    }
                    first.len_utf8()
                }
            };
            line += rest[..length].matches('\n').count();
            rest = &rest[length..];
        }
        mark_tests(&mut tokens);
        Source { tokens }
    }

    /// Every path in the file, in order; a single name is a path of one.
    pub fn paths(&self) -> Vec<UsedPath<'a>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            at = match self.tokens[at].kind {
                Kind::Name(_) => self.path(at, &[], &mut found),
                _ => at + 1,
            };
        }
        found
    }

    /// Reads the path that begins at a name, writes out its groups, returns where it ends.
    fn path(&self, mut at: usize, before: &[&'a str], found: &mut Vec<UsedPath<'a>>) -> usize {
        let mut names = before.to_vec();
        while let Some(Token { kind: Kind::Name(name), line, in_test }) = self.tokens.get(at).copied() {
            names.push(name);
            at += 1;
            match (self.kind(at), self.kind(at + 1)) {
                (Some(Kind::Join), Some(Kind::Name(_))) => at += 1,
                (Some(Kind::Join), Some(Kind::Sign('{'))) => return self.group(at + 2, &names, found),
                _ => {
                    found.push(UsedPath { line, in_test, names });
                    return at;
                }
            }
        }
        at
    }

    /// Reads a group up to its closing brace.
    fn group(&self, mut at: usize, before: &[&'a str], found: &mut Vec<UsedPath<'a>>) -> usize {
        loop {
            at = match self.kind(at) {
                None => return at,
                Some(Kind::Sign('}')) => return at + 1,
                Some(Kind::Name("as")) => at + 2,
                Some(Kind::Name(_)) => self.path(at, before, found),
                Some(_) => at + 1,
            };
        }
    }

    fn kind(&self, at: usize) -> Option<Kind<'a>> {
        self.tokens.get(at).map(|token| token.kind)
    }
}

/// How long the comment, string or character is that a text begins with, if it begins with one.
fn skipped(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes {
        [b'/', b'/', ..] => Some(text.find('\n').unwrap_or(text.len())),
        [b'/', b'*', ..] => Some(block_comment(bytes)),
        [b'r', ..] => raw_string(text, 1),
        [b'b', b'r', ..] => raw_string(text, 2),
        [b'b', b'"', ..] => Some(1 + quoted(&bytes[1..])),
        [b'"', ..] => Some(quoted(bytes)),
        [b'\'', b'\\', _, rest @ ..] => Some(3 + rest.iter().position(|b| *b == b'\'').map_or(0, |end| end + 1)),
        [b'\'', ..] => {
            // A character closes right after one character; a lifetime does not.
            let character = text[1..].chars().next()?;
            text[1 + character.len_utf8()..].starts_with('\'').then(|| 2 + character.len_utf8())
        }
        _ => None,
    }
}

fn block_comment(bytes: &[u8]) -> usize {
    let mut open = 0;
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (open, at) = (open + 1, at + 2),
            b"*/" => (open, at) = (open - 1, at + 2),
            _ => at += 1,
        }
        if open == 0 {
            return at;
        }
    }
    bytes.len()
}

fn quoted(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string(text: &str, prefix: usize) -> Option<usize> {
    let hashes = text[prefix..].bytes().take_while(|b| *b == b'#').count();
    let body = text[prefix + hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let start = prefix + hashes + 1;
    Some(body.find(&close).map_or(text.len(), |end| start + end + close.len()))
}

/// Marks every item that stands under `#[cfg(test)]`, from the attribute to the closing brace or semicolon.
fn mark_tests(tokens: &mut [Token]) {
    let opening =
        [Kind::Sign('#'), Kind::Sign('['), Kind::Name("cfg"), Kind::Sign('('), Kind::Name("test"), Kind::Sign(')')];
    let mut at = 0;
    while at + opening.len() < tokens.len() {
        if !tokens[at..].iter().zip(opening).all(|(token, kind)| token.kind == kind) {
            at += 1;
            continue;
        }
        let start = at;
        let mut depth = 0;
        at += opening.len() + 1;
        while at < tokens.len() {
            match tokens[at].kind {
                Kind::Sign('{') => depth += 1,
                Kind::Sign('}') => depth -= 1,
                _ => {}
            }
            let ends = matches!(tokens[at].kind, Kind::Sign('}') | Kind::Sign(';'));
            at += 1;
            if ends && depth == 0 {
                break;
            }
        }
        tokens[start..at].iter_mut().for_each(|token| token.in_test = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Source::read(text).paths().iter().map(UsedPath::shown).filter(|path| path.contains("::")).collect()
    }

    #[test]
    fn groups_are_written_out() {
        let text = "use crate::{a::B, c::{self, D as E, f::*}, g};";
        assert_eq!(paths(text), ["crate::a::B", "crate::c::self", "crate::c::D", "crate::c::f", "crate::g"]);
    }

    #[test]
    fn paths_in_code_are_found_between_signs() {
        let text = "let x: Vec<crate::a::B<'_>> = crate::c::d(&e)[0].f::<g::H>(\"crate::no\", 'c', '\\u{41}');";
        assert_eq!(paths(text), ["crate::a::B", "crate::c::d", "g::H"]);
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let text = "/* one\ntwo */\nconst A: &str = \"three\nfour\";\nuse a::b;";
        let source = Source::read(text);
        let path = source.paths().into_iter().find(|path| path.shown() == "a::b").unwrap();
        assert_eq!(path.line, 5);
    }

    #[test]
    fn supers_lead_to_the_root_only_when_they_are_as_many_as_the_file_is_deep() {
        let source = Source::read("super::super::engine::World, super::retry");
        let targets: Vec<_> = source.paths().iter().map(|path| path.in_crate(2).map(str::to_owned)).collect();
        assert_eq!(targets, [Some("engine".to_owned()), None]);
    }
}
