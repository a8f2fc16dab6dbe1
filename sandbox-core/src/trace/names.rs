//! The names of an enum's variants, as JSON has them, without a second list of them.

use serde::de::{Deserialize, Deserializer, Error, Visitor, value};
use serde::forward_to_deserialize_any;

/// The names of a fieldless enum's variants, in order.
pub fn names<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut names = Asked(&[]);
    // It always fails: all that is wanted is what the enum says it could be.
    let _ = T::deserialize(&mut names);
    names.0
}

/// A deserializer that only listens to what it is asked for.
struct Asked(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Asked {
    type Error = value::Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, value::Error> {
        self.0 = variants;
        Err(value::Error::custom(""))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom(""))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Outcome, Refusal};

    #[test]
    fn names_are_in_the_order_of_the_variants() {
        let outcomes = Outcome::ALL.map(Outcome::as_str);
        assert_eq!(names::<Outcome>(), outcomes);
        assert_eq!(names::<Refusal>()[Refusal::BreakerHalfOpen as usize], "breaker_half_open");
        assert!(names::<u32>().is_empty());
    }
}
