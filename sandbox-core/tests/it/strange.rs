//! Documents with something strange in them.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Everything that can be put in the place of a value, nonsense for most.
pub fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![0.0, -1.0, 0.5, 1.0, 1e-9, 1e-300, 1e18, 1.7e308, -1e300]).prop_map(Value::from),
        prop::sample::select(vec![0, 1, -1, 7, 60, 10_000, 1 << 32, i64::MAX, i64::MIN]).prop_map(Value::from),
        Just(Value::from(u64::MAX)),
        prop::sample::select(vec![
            "",
            "x",
            "h1",
            "allow",
            "sliding_log",
            "2001:db8::/200",
            "api",
            "sql",
            "x / 0",
            "key"
        ])
        .prop_map(Value::from),
        prop::sample::select(vec![json!([]), json!({}), json!([[]]), json!([null]), json!({"x": 1})]),
    ]
}

/// Goes some way into a value and puts `new` there, takes something out, or puts something strange beside it.
pub fn mutate(value: &mut Value, way: &[u16], new: &Value) {
    let Some((step, way)) = way.split_first() else {
        *value = new.clone();
        return;
    };
    let step = usize::from(*step);
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = step % items.len();
            match step / 1_000 % 20 {
                0 => drop(items.remove(at)),
                1 => items.push(new.clone()),
                2 => items.reverse(),
                _ => mutate(&mut items[at], way, new),
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let name = fields.keys().nth(step % fields.len()).expect("there are so many").clone();
            match step / 1_000 % 20 {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(format!("{name}_x"), new.clone())),
                _ => mutate(&mut fields[&name], way, new),
            }
        }
        _ => *value = new.clone(),
    }
}
