//! An expression that stands in a document, or a plain number in its place: what is a number can be turned by a knob.

use super::read::{Read, Reading};
use serde_json::Value;

/// The text of an expression that gives a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula(pub String);

impl Read for Formula {
    #[inline]
    fn blank() -> Formula {
        Formula(String::new())
    }

    #[inline]
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        match value {
            Value::String(text) => self.0.clone_from(text),
            // Written without an exponent, which expressions do not know.
            Value::Number(number) => self.0 = number.as_f64().unwrap_or_default().to_string(),
            _ => return reading.is_not(value, "an expression or a number"),
        }
        true
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Formula {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Formula".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number"], "description": "An expression, or a number." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Expr;
    use crate::scenario::read::read;
    use serde_json::json;

    #[test]
    fn a_number_is_an_expression_of_that_value() {
        for number in [0.0, -3.5, 900.0, 1e21, 1e-7] {
            let formula: Formula = read(&json!(number), "", &mut Vec::new()).expect("a number is a formula");
            let value = Expr::number(&formula.0, &[]).map(|expr| expr.eval(&mut |_| 0.0));
            assert_eq!(value, Ok(number), "{}", formula.0);
        }
        let mut problems = Vec::new();
        assert_eq!(read::<Formula>(&json!(true), "at", &mut problems), None);
        assert!(problems[0].to_string().contains("an expression or a number"), "{problems:?}");
    }
}
