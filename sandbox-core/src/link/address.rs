//! How names and values stand in the query of an address: as browsers write forms and read them (WHATWG URL, section 5).

/// The names and values of an address's query, or of a query alone, decoded.
#[inline]
pub(super) fn pairs(address: &str) -> Vec<(String, String)> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

/// The lesson whose own page an address leads to: `https://example.org/lesson/ID/`.
#[inline]
pub(super) fn lesson(address: &str) -> Option<&str> {
    let page = address.split(['?', '#']).next()?;
    let (_, rest) = page.rsplit_once("/lesson/")?;
    let id = rest.strip_suffix("index.html").unwrap_or(rest).trim_end_matches('/');
    Some(id).filter(|id| !id.is_empty() && !id.contains('/'))
}

/// A value as it stands in an address: what has a meaning of its own there is written as its bytes.
#[inline]
pub fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:,@".contains(&byte);
    let write = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(write).collect()
}

/// The text that was written so.
#[inline]
fn plain(written: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), written.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match (first, digits(after)) {
            (b'+', _) => b' ',
            (b'%', Some(byte)) => {
                rest = &after[2..];
                byte
            }
            _ => *first,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte of the two hexadecimal digits at the beginning.
#[inline]
fn digits(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_read_it() {
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(
            pairs("https://x.org/a/?set=a.b%3D%22x+y%22&embed&=1&&c=%C3%A4%zz%2&%41=%#t=5"),
            [pair("set", "a.b=\"x y\""), pair("embed", ""), pair("", "1"), pair("c", "ä%zz%2"), pair("A", "%")]
        );
        assert_eq!(pairs("https://x.org/#?a=1"), [pair("a", "1")], "what stands first counts");
        assert_eq!(pairs("no query"), []);
    }

    #[test]
    fn what_is_escaped_is_read_again() {
        for text in ["", "50 % & more=#?+", "äö€😀", "a\u{0}\n", "nodes.api.routes.GET /items/{id}.1"] {
            assert_eq!(plain(&escaped(text)), text);
        }
    }
}
