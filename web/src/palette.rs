//! The colours of the style sheet, as the canvas needs them. No colour is written here: they are asked from the browser.

use crate::view_model::charts::SHADES;
use plotters::style::RGBColor;

/// A colour of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Token {
    Line,
    Ink3,
    Ok,
    Pressure,
    Fail,
    Stale,
    Lost,
    P50,
    P95,
    P99,
    PartQueue,
    PartWork,
    PartWait,
    Heat1,
    Heat2,
    Heat3,
    Heat4,
    Heat5,
}

impl Token {
    /// The steps of a map, from few to many.
    pub const HEAT: [Token; SHADES] = [Token::Heat1, Token::Heat2, Token::Heat3, Token::Heat4, Token::Heat5];

    /// All of them, in order.
    pub const ALL: [Token; 18] = [
        Token::Line,
        Token::Ink3,
        Token::Ok,
        Token::Pressure,
        Token::Fail,
        Token::Stale,
        Token::Lost,
        Token::P50,
        Token::P95,
        Token::P99,
        Token::PartQueue,
        Token::PartWork,
        Token::PartWait,
        Token::Heat1,
        Token::Heat2,
        Token::Heat3,
        Token::Heat4,
        Token::Heat5,
    ];

    /// The name of its custom property.
    pub const fn property(self) -> &'static str {
        match self {
            Token::Line => "--line",
            Token::Ink3 => "--ink-3",
            Token::Ok => "--ok",
            Token::Pressure => "--pressure",
            Token::Fail => "--fail",
            Token::Stale => "--stale",
            Token::Lost => "--lost",
            Token::P50 => "--p50",
            Token::P95 => "--p95",
            Token::P99 => "--p99",
            Token::PartQueue => "--part-queue",
            Token::PartWork => "--part-work",
            Token::PartWait => "--part-wait",
            Token::Heat1 => "--heat-1",
            Token::Heat2 => "--heat-2",
            Token::Heat3 => "--heat-3",
            Token::Heat4 => "--heat-4",
            Token::Heat5 => "--heat-5",
        }
    }

    /// The class that gives HTML text and keys this colour.
    pub const fn class(self) -> &'static str {
        match self {
            Token::Line | Token::Ink3 => "",
            Token::Ok => "c-ok",
            Token::Pressure => "c-pressure",
            Token::Fail => "c-fail",
            Token::Stale => "c-stale",
            Token::Lost => "c-lost",
            Token::P50 => "c-p50",
            Token::P95 => "c-p95",
            Token::P99 => "c-p99",
            Token::PartQueue => "c-q1",
            Token::PartWork => "c-q2",
            Token::PartWait => "c-q3",
            Token::Heat1 => "c-h1",
            Token::Heat2 => "c-h2",
            Token::Heat3 => "c-h3",
            Token::Heat4 => "c-h4",
            Token::Heat5 => "c-h5",
        }
    }
}

/// The colours of the theme at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette([RGBColor; Token::ALL.len()]);

impl Default for Palette {
    fn default() -> Palette {
        Palette([RGBColor(0, 0, 0); Token::ALL.len()])
    }
}

impl Palette {
    /// The colours that `resolve` gives for each custom property, as the browser writes computed colours.
    pub fn read(mut resolve: impl FnMut(&str) -> Option<String>) -> Palette {
        let mut palette = Palette::default();
        for token in Token::ALL {
            if let Some(color) = resolve(token.property()).as_deref().and_then(parse_rgb) {
                palette.0[token as usize] = color;
            }
        }
        palette
    }

    /// A colour.
    pub fn color(&self, token: Token) -> RGBColor {
        self.0[token as usize]
    }
}

/// Reads `rgb(8, 112, 79)` and `rgb(8 112 79 / 0.5)`.
fn parse_rgb(text: &str) -> Option<RGBColor> {
    let inside = text.split_once('(')?.1;
    let mut numbers = inside.split([',', ' ', '/', ')']).filter(|part| !part.is_empty());
    let mut next = || numbers.next()?.split('.').next()?.parse::<u8>().ok();
    Some(RGBColor(next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = include_str!("../style.css");

    /// The value of a token in the light and in the dark theme.
    fn token(name: &str) -> [[f64; 3]; 2] {
        let start = format!("--{name}: light-dark(");
        let rest = SHEET.split(&start).nth(1).unwrap_or_else(|| panic!("no token {name}"));
        let pair = rest.split(')').next().unwrap();
        let mut colors = pair.split(',').map(|hex| {
            let hex = hex.trim().trim_start_matches('#');
            let channel = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            [channel(0), channel(2), channel(4)]
        });
        [colors.next().unwrap(), colors.next().unwrap()]
    }

    fn luminance(color: [f64; 3]) -> f64 {
        let [r, g, b] = color.map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_meaningful_lines_stand_out_in_both_themes() {
        let mut bad = Vec::new();
        let mut require = |front: &str, back: &str, least: f64| {
            for (theme, (front_color, back_color)) in
                ["light", "dark"].iter().zip(token(front).into_iter().zip(token(back)))
            {
                let ratio = contrast(front_color, back_color);
                if ratio < least {
                    bad.push(format!("{front} on {back}, {theme}: {ratio:.2} is below {least}"));
                }
            }
        };
        for text in ["ink", "ink-2", "ink-3", "ok", "pressure", "fail", "stale", "lost", "accent"] {
            for surface in ["card", "page", "sunk"] {
                require(text, surface, 4.5);
            }
        }
        for (text, surface) in [
            ("ok", "ok-soft"),
            ("pressure", "pressure-soft"),
            ("fail", "fail-soft"),
            ("stale", "stale-soft"),
            ("ink", "accent-soft"),
            ("ink-2", "accent-soft"),
            ("ink", "fail-soft"),
            ("on-accent", "accent"),
            ("card", "fail"),
            ("card", "pressure"),
            ("p95", "card"),
            ("p99", "card"),
            ("part-work", "card"),
            ("part-queue", "card"),
            ("part-wait", "card"),
        ] {
            require(text, surface, 4.5);
        }
        for line in ["line-strong", "p50", "part-net", "heat-1"] {
            require(line, "card", 3.0);
        }
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    }

    #[test]
    fn the_steps_of_a_map_go_one_way_and_can_be_told_apart() {
        for theme in [0, 1] {
            let on_card = Token::HEAT.map(|step| contrast(token(&step.property()[2..])[theme], token("card")[theme]));
            for (fewer, more) in on_card.iter().zip(&on_card[1..]) {
                assert!(more / fewer >= 1.35, "theme {theme}: {on_card:?}");
            }
        }
    }

    #[test]
    fn colours_are_written_among_the_tokens_only() {
        let (tokens, rules) = SHEET.split_once("* { box-sizing").expect("the rules begin with box-sizing");
        assert!(tokens.contains("--accent"));
        let hex = rules.split('#').skip(1).filter(|rest| {
            let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
            matches!(digits, 3 | 6 | 8)
        });
        assert_eq!(hex.count(), 0, "a colour outside the tokens");
    }

    #[test]
    fn computed_colours_are_read() {
        let palette = Palette::read(|name| (name == "--ok").then(|| "rgb(8, 112, 79)".to_string()));
        assert_eq!(palette.color(Token::Ok), RGBColor(8, 112, 79));
        assert_eq!(parse_rgb("rgb(1 2 3 / 0.5)"), Some(RGBColor(1, 2, 3)));
        assert_eq!(parse_rgb("transparent"), None);
    }
}
