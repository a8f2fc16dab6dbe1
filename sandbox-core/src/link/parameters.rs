//! The parameters of a link: the one place that names them.

use super::form::{Digest, Field, Form, Formed, Language, Motion, Resolution, Tab, Theme};
use crate::ids::RequestId;
use crate::time::Time;
use serde_json::Value;

/// What a parameter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// How the others are written.
    Format,
    /// Which run.
    Run,
    /// Where to look in it.
    Place,
    /// How the page looks.
    Look,
    /// For tests of the page.
    Test,
}

/// A parameter of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the address.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// How its value is written.
    pub form: Form,
    /// Whether it may stand there any number of times.
    pub many: bool,
    /// What it asks for.
    pub about: &'static str,
}

macro_rules! parameters {
    ($($group:ident { $( $(#[doc = $about:literal])* $field:ident $(as $name:literal)?: $ty:ty ),* $(,)? })*) => {
        /// What an address asks for; the default asks for nothing.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Link { $($( $(#[doc = $about])* pub $field: $ty, )*)* }

        /// Every parameter, in the order in which links are written.
        pub const PARAMETERS: &[Parameter] = &[
            Parameter {
                name: "v",
                group: Group::Format,
                form: Form::Whole,
                many: false,
                about: "version of the link's format; without it 1, as links were before they said so",
            },
            $($( Parameter {
                name: parameters!(@name $field $($name)?),
                group: Group::$group,
                form: <$ty as Formed>::FORM,
                many: <$ty as Formed>::MANY,
                about: concat!($($about),*).trim_ascii_start(),
            }, )*)*
        ];

        impl Link {
            /// Puts a value where it belongs; false if it is not understood.
            #[inline]
            pub(super) fn put(&mut self, name: &str, value: &str) -> bool {
                let place: &mut dyn Field = match name {
                    $($( parameters!(@name $field $($name)?) => &mut self.$field, )*)*
                    _ => return false,
                };
                place.put(value)
            }

            /// Names and values of everything that is asked for, each value as it is written.
            #[inline]
            pub fn pairs(&self) -> Vec<(&'static str, String)> {
                let places: &[(&'static str, &dyn Field)] =
                    &[$($( (parameters!(@name $field $($name)?), &self.$field), )*)*];
                let written = |(name, place): &(&'static str, &dyn Field)| {
                    let name = *name;
                    place.written().into_iter().map(move |value| (name, value)).collect::<Vec<_>>()
                };
                places.iter().flat_map(written).collect()
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
}

parameters! {
    Run {
        /// id of a lesson
        lesson: Option<String>,
        /// id of a scenario, in the place of a lesson
        scenario: Option<String>,
        /// a whole scenario as JSON, in the place of a lesson
        document: Option<String>,
        /// address of a recorded run, in the place of the lesson's, such as `/api/recording`
        recording: Option<String>,
        /// variant of the scenario; without it the lesson's own, or A
        variant: Option<String>,
        /// seed of all randomness; without it the scenario's
        seed: Option<u64>,
        /// a change of the scenario: a dotted path and a JSON value
        set: Vec<(String, Value)>,
        /// an incident that was resolved in the run, in order
        resolve: Vec<Resolution>,
        /// progress: id of the option that was chosen as the prediction
        answer: Option<String>,
        /// progress: which part of the story is open, from 1
        beat: Option<u64>,
        /// digest of the run that the link was made of: whoever opens the link is told if the run is another one there
        digest: Option<Digest>,
    }
    Place {
        /// the instant to look at first
        at as "t": Option<Time>,
        /// the event to look at first, by its number: several may share an instant
        step: Option<u64>,
        /// the request to look at
        request: Option<RequestId>,
        /// what stands beside the stage
        tab: Option<Tab>,
    }
    Look {
        /// the playground, in which the scenario can be changed
        playground: bool,
        /// only stage and evidence, for a frame in another page
        embed: bool,
        /// light or dark, in the place of the system's
        theme: Option<Theme>,
        /// whether things move by themselves; without it as the reader's system has it
        motion: Option<Motion>,
        /// language of the page
        lang: Option<Language>,
    }
    Test {
        /// measure in the page, and show the measurements
        bench: bool,
        /// the first step breaks the program
        panic: bool,
    }
}
