//! A deserializer over JSON that knows where it is: after an error the path says where.
//!
//! One concrete type instead of a wrapper around every visitor (as `serde_path_to_error` is), and each method offers only what
//! fits it: the page pays for far less code.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use std::fmt;

/// Reads `value` as a `T`. Errors: the path to the place, and what is wrong there.
pub fn read<T: de::DeserializeOwned>(value: &Value) -> Result<T, (Vec<String>, String)> {
    T::deserialize(Tracked { value }).map_err(|wrong| (wrong.0.way.into_iter().rev().collect(), wrong.0.what))
}

/// The fields that say which variant of an enum an object is.
const TAGS: [&str; 5] = ["kind", "dist", "process", "policy", "algorithm"];

/// What is wrong, and the way to it, innermost step first: it grows while the error goes up, so that reading costs nothing.
#[derive(Debug)]
pub struct Wrong(Box<Place>);

#[derive(Debug)]
struct Place {
    what: String,
    way: Vec<String>,
}

impl Wrong {
    fn new(what: String) -> Wrong {
        Wrong(Box::new(Place { what, way: Vec::new() }))
    }

    fn within(mut self, step: &str) -> Wrong {
        self.0.way.push(step.to_string());
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(what: T) -> Wrong {
        Wrong::new(what.to_string())
    }
}

/// A value.
#[derive(Clone, Copy)]
struct Tracked<'a> {
    value: &'a Value,
}

impl Tracked<'_> {
    /// What it is and what it should be.
    fn not(self, wanted: &str) -> Wrong {
        Wrong::new(match self.value {
            Value::Null => format!("is null, not {wanted}"),
            Value::Bool(value) => format!("is {value}, not {wanted}"),
            Value::Number(_) => format!("is a number, not {wanted}"),
            Value::String(text) => format!("is \"{text}\", not {wanted}"),
            Value::Array(_) => format!("is a list, not {wanted}"),
            Value::Object(_) => format!("is an object, not {wanted}"),
        })
    }
}

impl<'de> Deserializer<'de> for Tracked<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Object(fields) => visitor.visit_map(Fields { fields: fields.iter(), tag: None, next: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.not("true or false")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value.as_u64() {
            Some(value) => visitor.visit_u64(value),
            None => Err(self.not("a whole number that is not negative")),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value.as_f64() {
            Some(value) => visitor.visit_f64(value),
            None => Err(self.not("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.not("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            _ => Err(self.not("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Object(fields) => visitor.visit_map(Fields { fields: fields.iter(), tag: None, next: None }),
            _ => Err(self.not("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.value {
            Value::String(name) => visitor.visit_enum(Variant { name, content: None, tag: None }),
            Value::Object(fields) => {
                let tag = TAGS.into_iter().find(|tag| fields.contains_key(*tag));
                match (tag.map(|tag| &fields[tag]), fields.iter().next()) {
                    (Some(Value::String(name)), _) => {
                        visitor.visit_enum(Variant { name, content: Some(self.value), tag })
                    }
                    (None, Some((name, content))) if fields.len() == 1 => {
                        visitor.visit_enum(Variant { name, content: Some(content), tag: None })
                    }
                    _ => Err(Wrong::new(format!(
                        "does not say what it is: one of {} is needed, as text",
                        TAGS.join(", ")
                    ))),
                }
            }
            _ => Err(self.not("a name or an object")),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Tracked { value }).map(Some).map_err(|wrong| wrong.within(&index.to_string()))
    }
}

struct Fields<'a> {
    fields: serde_json::map::Iter<'a>,
    /// A field that has been read already.
    tag: Option<&'static str>,
    next: Option<(&'a String, &'a Value)>,
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.next = self.fields.by_ref().find(|(name, _)| self.tag != Some(name.as_str()));
        let Some((name, _)) = self.next else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (name, value) = self.next.take().expect("a value follows its key");
        seed.deserialize(Tracked { value }).map_err(|wrong| wrong.within(name))
    }
}

struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Value>,
    /// The field of the content that named the variant.
    tag: Option<&'static str>,
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Wrong;
    type Variant = Variant<'a>;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Variant<'a>), Wrong> {
        Ok((seed.deserialize(StrDeserializer::<Wrong>::new(self.name))?, self))
    }
}

impl<'a> VariantAccess<'a> for Variant<'a> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Wrong::new(format!("`{}` takes nothing", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Wrong> {
        let content = self.content.ok_or_else(|| Wrong::new(format!("`{}` needs a value", self.name)))?;
        seed.deserialize(Tracked { value: content }).map_err(|wrong| wrong.within(self.name))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, _: V) -> Result<V::Value, Wrong> {
        Err(Wrong::new(format!("`{}` is no list", self.name)))
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        match self.content {
            Some(Value::Object(fields)) => {
                visitor.visit_map(Fields { fields: fields.iter(), tag: self.tag, next: None })
            }
            _ => Err(Wrong::new(format!("`{}` needs an object", self.name))),
        }
    }
}
