//! A cursor over a short text in one of the document's small languages: expressions and queries.

/// Where in a text somebody reads.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The byte that comes next.
    pub at: usize,
}

impl<'a> Reader<'a> {
    /// Before the first character.
    #[inline]
    pub fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    /// What is not read yet.
    #[inline]
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips white space; where it ends.
    #[inline]
    pub fn space(&mut self) -> usize {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at
    }

    /// Takes a token, if it comes next.
    #[inline]
    pub fn takes(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes a token. Errors: something else comes.
    #[inline]
    pub fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    /// Errors: not the end, but `or` something else was possible.
    #[inline]
    pub fn end(&mut self, or: &str) -> Result<(), String> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected(&format!("{or}the end"))) }
    }

    /// The longest stretch of such characters that comes next, not taken yet.
    #[inline]
    pub fn stretch(&self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())]
    }

    /// Takes what stands between single quotes, if a quote comes next.
    #[inline]
    pub fn quoted(&mut self) -> Option<&'a str> {
        self.space();
        let (inside, _) = self.rest().strip_prefix('\'')?.split_once('\'')?;
        self.at += inside.len() + 2;
        Some(inside)
    }

    /// Takes a number as JSON writes it, if a digit comes next. Errors: what begins with a digit is none.
    #[inline]
    pub fn number(&mut self) -> Option<Result<f64, String>> {
        self.space();
        let rest = self.rest().as_bytes();
        if !rest.first()?.is_ascii_digit() {
            return None;
        }
        let sign = |at: usize| matches!(rest[at], b'+' | b'-') && matches!(rest[at - 1], b'e' | b'E');
        let part = |at: usize| rest[at].is_ascii_digit() || matches!(rest[at], b'.' | b'e' | b'E') || sign(at);
        let length = (1..rest.len()).find(|at| !part(*at)).unwrap_or(rest.len());
        match serde_json::from_slice::<f64>(&rest[..length]) {
            Ok(value) => {
                self.at += length;
                Some(Ok(value))
            }
            Err(_) => Some(Err(self.expected("a number"))),
        }
    }

    /// The error that something else comes than what was expected.
    #[inline]
    pub fn expected(&self, what: &str) -> String {
        let rest = self.rest();
        let found = if rest.is_empty() { "the end".to_string() } else { format!("`{rest}`") };
        format!("expected {what} at character {} of `{}`, found {found}", self.at + 1, self.text)
    }
}
