//! The macro that declares a type of a document and with it how it is read.
//!
//! ```text
//! spec! {
//!     /// An object. Unknown fields are refused.
//!     pub struct RepeatSpec {
//!         /// Must be there.
//!         pub times: u32,
//!         /// May be left out: then it is this number.
//!         pub copies: u32 = 1,
//!         /// May be left out: then it is its type's default. In the document it is called `while`.
//!         pub condition as "while"?: Option<String>,
//!     }
//! }
//! spec! {
//!     /// Names alone: `"first_of_all"`.
//!     pub enum Order { FirstOfAll, LastOfAll }
//! }
//! spec! {
//!     /// An object whose field `kind` says which: `{ "kind": "slow", "factor": 3 }`.
//!     pub enum Effect tagged "kind" { Slow { factor: f64 }, Down {} }
//! }
//! spec! {
//!     /// An object with one field, or a name alone: `{ "level": "waiting" }`, `"observed"`.
//!     pub enum Source { Level(String), Observed }
//! }
//! ```

// `?` and `= default` are kept apart by a repetition around each. The one around `?` needs a variable to be repeated by:
// `$may` stands for a lifetime that nobody writes.
macro_rules! spec {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $(
        $(#[$about:meta])* $see:vis $field:ident $(as $json:literal)? $(? $($may:lifetime)?)? : $ty:ty $(= $default:expr)?
    ),* $(,)? }) => {
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
        #[cfg_attr(feature = "schema", schemars(extend("x-order" = vec![$(spec!(@name $field $(as $json)?)),*])))]
        $(#[$meta])*
        $vis struct $name { $(
            $(#[$about])*
            $(#[cfg_attr(feature = "schema", schemars(rename = $json))])?
            $($($may)? #[cfg_attr(feature = "schema", schemars(default))])?
            $(#[cfg_attr(feature = "schema", schemars(default, extend("default" = $default)))])?
            $see $field: $ty,
        )* }

        const _: () = {
            use $crate::scenario::read;

            impl read::Read for $name {
                #[inline]
                fn blank() -> $name {
                    $name { $($field: spec!(@blank $ty; $(? $($may)?)? $(= $default)?),)* }
                }

                #[inline]
                fn read(&mut self, value: &serde_json::Value, reading: &mut read::Reading) -> bool {
                    const FIELDS: &[read::Field] =
                        &[$(spec!(@field $field $(as $json)? $(? $($may)?)? $(= $default)?)),*];
                    read::read_object(FIELDS, &mut [$(&mut self.$field),*], value, reading)
                }
            }
        };
    };

    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$about:meta])* $variant:ident),* $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "snake_case"))]
        $(#[$meta])*
        $vis enum $name { $($(#[$about])* $variant,)* }

        const _: () = {
            use $crate::scenario::read;

            impl read::Read for $name {
                #[inline]
                fn blank() -> $name {
                    spec!(@first $name: $($variant),*)
                }

                #[inline]
                fn read(&mut self, value: &serde_json::Value, reading: &mut read::Reading) -> bool {
                    const VARIANTS: &[read::Variant] = &[$(spec!(@variant $variant)),*];
                    let found = read::read_name(VARIANTS, value, reading);
                    if let Some(found) = found {
                        *self = [$($name::$variant),*][found];
                    }
                    found.is_some()
                }
            }
        };
    };

    ($(#[$meta:meta])* $vis:vis enum $name:ident $(tagged $tag:literal)? { $(
        $(#[$about:meta])* $variant:ident $(($inner:ty))? $({ $(
            $(#[$inside:meta])* $field:ident $(as $json:literal)? $(? $($may:lifetime)?)? : $ty:ty $(= $default:expr)?
        ),* $(,)? })?
    ),* $(,)? }) => {
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(deny_unknown_fields, rename_all = "snake_case" $(, tag = $tag)?))]
        $(#[$meta])*
        $vis enum $name { $(
            $(#[$about])*
            $(#[cfg_attr(feature = "schema", schemars(extend("x-order" = vec![$(spec!(@name $field $(as $json)?)),*] as Vec<&str>)))])?
            $variant $(($inner))? $({ $(
                $(#[$inside])*
                $(#[cfg_attr(feature = "schema", schemars(rename = $json))])?
                $($($may)? #[cfg_attr(feature = "schema", schemars(default))])?
                $(#[cfg_attr(feature = "schema", schemars(default, extend("default" = $default)))])?
                $field: $ty,
            )* })?,
        )* }

        const _: () = {
            use $crate::scenario::read;

            impl read::Read for $name {
                #[inline]
                fn blank() -> $name {
                    spec!(@first $name: $($variant $((<$inner as read::Read>::blank()))? $({
                        $($field: spec!(@blank $ty; $(? $($may)?)? $(= $default)?)),*
                    })?),*)
                }

                #[inline]
                fn read(&mut self, value: &serde_json::Value, reading: &mut read::Reading) -> bool {
                    #[derive(Clone, Copy)]
                    enum Which { $($variant),* }
                    const WHICH: &[Which] = &[$(Which::$variant),*];
                    const VARIANTS: &[read::Variant] =
                        &[$(spec!(@variant $variant $(($inner))? $({ $($field),* })?)),*];
                    read::read_variant(spec!(@tag $($tag)?), VARIANTS, value, reading, &mut |which, value, reading| {
                        match WHICH[which] {
                            $(Which::$variant => spec!(@read self, value, reading, $name::$variant $(($inner))? $({
                                $(let $field = spec!(@blank $ty; $(? $($may)?)? $(= $default)?);
                                  spec!(@field $field $(as $json)? $(? $($may)?)? $(= $default)?))*
                            })?),)*
                        }
                    })
                }
            }
        };
    };

    // What stands in a field before it is read.
    (@blank $ty:ty;) => { <$ty as read::Read>::blank() };
    (@blank $ty:ty; ?) => { <$ty as Default>::default() };
    (@blank $ty:ty; = $default:expr) => { $default };

    // A field's name in the document. A schema's `x-order` has all of them as they are declared here, for forms.
    (@name $field:ident as $json:literal) => { $json };
    (@name $field:ident) => { stringify!($field) };

    // The same, and whether it must be there.
    (@field $field:ident as $json:literal $($optional:tt)*) => {
        read::Field { name: $json, required: spec!(@required $($optional)*) }
    };
    (@field $field:ident $($optional:tt)*) => {
        read::Field { name: stringify!($field), required: spec!(@required $($optional)*) }
    };
    (@required) => { true };
    (@required $($optional:tt)+) => { false };

    // A variant's name, and whether that is all of it; the field that names it.
    (@variant $variant:ident) => { read::Variant { name: stringify!($variant), bare: true } };
    (@variant $variant:ident $content:tt) => {
        read::Variant { name: stringify!($variant), bare: false }
    };
    (@tag) => { None };
    (@tag $tag:literal) => { Some($tag) };

    // The first of several variants.
    (@first $name:ident: $variant:ident $(, $($others:tt)*)?) => { $name::$variant };
    (@first $name:ident: $variant:ident $content:tt $(, $($others:tt)*)?) => { $name::$variant $content };

    // Becomes a variant and reads what belongs to it.
    (@read $this:ident, $value:ident, $reading:ident, $name:ident::$variant:ident) => {{
        *$this = $name::$variant;
        true
    }};
    (@read $this:ident, $value:ident, $reading:ident, $name:ident::$variant:ident ($inner:ty)) => {{
        *$this = $name::$variant(<$inner as read::Read>::blank());
        let $name::$variant(inner) = $this else { unreachable!("it was just made so") };
        read::Read::read(inner, $value, $reading)
    }};
    (@read $this:ident, $value:ident, $reading:ident, $name:ident::$variant:ident {
        $(let $field:ident = $blank:expr; $is:expr)*
    }) => {{
        const FIELDS: &[read::Field] = &[$($is),*];
        *$this = $name::$variant { $($field: $blank),* };
        let $name::$variant { $($field),* } = $this else { unreachable!("it was just made so") };
        read::read_object(FIELDS, &mut [$($field),*], $value, $reading)
    }};
}
pub(crate) use spec;
