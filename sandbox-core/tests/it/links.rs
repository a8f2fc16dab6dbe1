//! Links and messages: what is written is read, what is not understood is named, and what earlier versions wrote still opens.

use proptest::prelude::*;
use sandbox_core::ids::{IncidentId, RequestId};
use sandbox_core::link::{Digest, Form, LONGEST, Language, Link, PARAMETERS, Resolution, Tab, Theme, escaped, table};
use sandbox_core::message::hear;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use serde_json::{Value, json};

/// Where a course might lie.
const PAGE: &str = "https://lernen.hochschule-beispielstadt.example/kurse/verteilte-systeme/faultline/";

fn read(query: &str) -> Link {
    let (link, problems) = Link::read(query);
    assert_eq!(problems, [], "{query}");
    link
}

/// A value as this form has it.
fn value(form: Form) -> BoxedStrategy<String> {
    let text = "[ -~äß€😀]{1,24}";
    let json = prop_oneof![
        any::<i32>().prop_map(|number| json!(number)),
        (0..1_000_000u32).prop_map(|number| json!(f64::from(number) / 8.0)),
        text.prop_map(|text| json!({ text: [null, true, "=&"] })),
    ];
    match form {
        Form::Text => text.boxed(),
        Form::Whole => any::<u32>().prop_map(|number| number.to_string()).boxed(),
        Form::Seconds => (0..1_000_000_000u32).prop_map(|ms| (f64::from(ms) / 1e3).to_string()).boxed(),
        Form::Change => ("[a-z.{}/ ]{1,30}", json).prop_map(|(path, value)| format!("{path}={value}")).boxed(),
        Form::Resolution => (any::<u16>(), any::<u32>(), any::<u16>())
            .prop_map(|(at, step, incident)| format!("{at}.25,{step},{incident}"))
            .boxed(),
        Form::Digest => "[0-9a-f]{32}".boxed(),
        Form::Switch => Just("1".to_string()).boxed(),
        Form::Word(words) => proptest::sample::select(words).prop_map(str::to_string).boxed(),
    }
}

/// Some parameters with values.
fn pairs() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let some = proptest::sample::subsequence(PARAMETERS[1..].to_vec(), 0..PARAMETERS.len());
    let with_values = |parameters: Vec<sandbox_core::link::Parameter>| {
        let values = parameters.into_iter().flat_map(|parameter| {
            let times = if parameter.many { 3 } else { 1 };
            (0..times).map(move |_| value(parameter.form).prop_map(move |value| (parameter.name, value)))
        });
        values.collect::<Vec<_>>()
    };
    // A link is about one thing.
    let about_one = |mut pairs: Vec<(&'static str, String)>| {
        let mut has_one = false;
        pairs.retain(|(name, _)| {
            !["lesson", "scenario", "document"].contains(name) || !std::mem::replace(&mut has_one, true)
        });
        pairs
    };
    some.prop_flat_map(with_values).prop_map(about_one)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_was_read(pairs in pairs()) {
        let query: String = pairs.iter().map(|(name, value)| format!("&{name}={}", escaped(value))).collect();
        let link = read(&format!("{PAGE}?v=2{query}#anything"));
        let again = link.query();
        prop_assert_eq!(read(&again), link);
        for (name, _) in pairs {
            prop_assert!(again.contains(&format!("&{name}=")), "{} is lost in {}", name, again);
        }
    }

    #[test]
    fn hostile_links_are_read_and_what_is_wrong_has_a_name(text in "[ -~\\x00-\\x1fä😀%&=?+]{0,80}", name in 0..PARAMETERS.len()) {
        let name = PARAMETERS[name].name;
        let (_, problems) = Link::read(&format!("?seed=x&step=-1&{name}={text}"));
        let named = |wanted: &str| problems.iter().any(|problem| problem.path == wanted);
        prop_assert!(named("seed") && named("step"));
        prop_assert!(problems.iter().all(|problem| !problem.what.is_empty() && !problem.hint.is_empty()));
    }
}

/// JSON of any shape, with the words of our messages in it.
fn message() -> impl Strategy<Value = Value> {
    let word = proptest::sample::select(vec![
        "faultline",
        "id",
        "do",
        "seek",
        "step",
        "t",
        "set",
        "path",
        "value",
        "set_state",
        "link",
        "back",
        "play",
        "<script>alert(1)</script>",
        "__proto__",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        (-2..4i64).prop_map(Value::from),
        word.clone().prop_map(Value::from),
        "[ -~ä]{0,300}".prop_map(Value::from),
    ];
    let inside = leaf.prop_recursive(3, 24, 6, move |inside| {
        let fields = proptest::collection::btree_map(word.clone().prop_map(str::to_string), inside.clone(), 0..6);
        prop_oneof![
            proptest::collection::vec(inside, 0..6).prop_map(Value::from),
            fields.prop_map(|fields| json!(fields))
        ]
    });
    (inside, any::<bool>()).prop_map(|(mut message, is_ours)| {
        if let (true, Some(fields)) = (is_ours, message.as_object_mut()) {
            fields.insert("faultline".into(), json!(1));
        }
        message
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_messages_are_heard_and_what_is_wrong_has_a_name(message in message()) {
        let heard = hear(&message.to_string());
        prop_assert_eq!(heard.is_some(), message.get("faultline").is_some(), "only what is meant for us is answered");
        if let Some(Err(problems)) = heard.map(|heard| heard.command) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| !problem.what.is_empty() && !problem.hint.is_empty()));
        }
    }
}

#[test]
fn every_value_that_does_not_fit_is_named_with_a_way_to_mend_it_and_changes_nothing() {
    let nonsense = [
        ("step", "abc"),
        ("t", "x"),
        ("t", "-3"),
        ("t", "1e300"),
        ("seed", "-1"),
        ("seed", "9007199254740992"),
        ("set", "no-path"),
        ("set", "=1"),
        ("resolve", "1,2"),
        ("resolve", "1,2,3,4"),
        ("request", "4294967296"),
        ("digest", "ABC"),
        ("embed", "yes"),
        ("theme", "blue"),
        ("tab", "Log"),
        ("lang", "tlh"),
        ("lesson", ""),
        ("v", "0"),
        ("colour", "blue"),
    ];
    for (name, value) in nonsense {
        let (link, problems) = Link::read(&format!("?v=2&{name}={value}"));
        assert_eq!(link, Link::default(), "{name}={value}");
        let [problem] = &problems[..] else { panic!("{name}={value}: {problems:?}") };
        assert!(problem.path == name && !problem.hint.is_empty(), "{problem}");
    }
    let (link, problems) = Link::read("?seed=1&seed=2&them=dark");
    assert_eq!(link.seed, Some(1));
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "seed: `2` stands there as well. Write it once: the address does not say which is meant.",
            "them: is no parameter of a link. Did you mean `theme`?",
        ]
    );
}

#[test]
fn a_link_is_about_one_thing_and_the_others_are_named() {
    let (link, problems) = Link::read("?v=2&scenario=one-writer&lesson=one-request");
    assert_eq!((link.lesson.as_deref(), link.scenario.as_deref()), (Some("one-request"), None));
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["scenario: stands beside `lesson`, and a link is about one of them. Leave one of them out."]);
}

#[test]
fn the_page_of_a_lesson_is_a_link_to_it() {
    for page in
        ["https://h.example/a/lesson/one-request/?seed=3", "https://h.example/lesson/one-request/index.html?seed=3#x"]
    {
        let link = read(page);
        assert_eq!((link.lesson.as_deref(), link.seed), (Some("one-request"), Some(3)), "{page}");
    }
    assert_eq!(read("https://h.example/lesson/one-request/?scenario=one-writer").lesson, None, "the query counts");
    assert_eq!(read("https://h.example/lesson/?seed=3").lesson, None);
}

#[test]
fn links_of_earlier_versions_still_open() {
    // As the page wrote them before links said their version.
    let link = read(
        "?lesson=the-database-goes-away&variant=A&seed=11&set=nodes.api.routes.GET%20/items/%7Bid%7D.1.read.cache%3Dnull\
         &set=nodes.db.title%3D%2250%20%25%20%26%20more%22&step=1268&embed=1",
    );
    let set = |path: &str, value: Value| (path.to_string(), value);
    assert_eq!(
        link,
        Link {
            lesson: Some("the-database-goes-away".into()),
            variant: Some("A".into()),
            seed: Some(11),
            set: vec![
                set("nodes.api.routes.GET /items/{id}.1.read.cache", Value::Null),
                set("nodes.db.title", "50 % & more".into())
            ],
            step: Some(1268),
            embed: true,
            ..Link::default()
        }
    );
    // What they took for text, and a unit.
    let link = read("?set=nodes.db.title=My+store&t=23.4s");
    assert_eq!(link.set, [set("nodes.db.title", "My store".into())]);
    assert_eq!(link.at, Some(Time::from_seconds(23.4)));
    let (_, problems) = Link::read("?v=2&set=nodes.db.title=My+store");
    assert_eq!(problems[0].path, "set", "version 2 has JSON there and nothing else");
    // A link of the future is read as far as it goes.
    let (link, problems) = Link::read("?v=3&seed=5");
    assert_eq!((link.seed, problems[0].path.as_str()), (Some(5), "v"));
    assert!(problems[0].what.contains("version 3"), "{}", problems[0]);
}

#[test]
fn a_link_to_anything_built_in_is_short_enough_for_every_browser_and_mail_program() {
    let whole = |document: &Document| -> Vec<(String, Value)> {
        let Some(knobs) = document.at("knobs").and_then(Value::as_object) else { return Vec::new() };
        // A number with many digits, for each knob there is.
        let turned = |knob: &Value| (knob["path"].as_str().expect("a path").to_string(), json!(12345.678));
        knobs.values().map(turned).collect()
    };
    let mut longest = (0, String::new());
    for (id, _, text) in lessons::scenarios() {
        let document = Document::parse(text).expect("it is sound");
        for variant in document.variants() {
            let link = Link {
                scenario: Some(id.to_string()),
                variant: Some(variant),
                seed: Some((1 << 53) - 1),
                set: whole(&document),
                resolve: vec![Resolution {
                    at: Time::from_nanos(123_456_789_012),
                    step: 99_999_999,
                    incident: IncidentId(9),
                }],
                answer: Some("a-rather-long-answer".into()),
                beat: Some(4),
                digest: Some(Digest("0123456789abcdef".repeat(2))),
                step: Some(99_999_999),
                request: Some(RequestId(9_999_999)),
                tab: Some(Tab::Requests),
                embed: true,
                theme: Some(Theme::Light),
                lang: Some(Language::English),
                ..Link::default()
            };
            let query = link.query();
            assert_eq!(read(&query), link);
            longest = longest.max((PAGE.len() + query.len(), id.to_string()));
        }
    }
    assert!(longest.0 <= LONGEST, "{longest:?}");
}

#[test]
fn the_documentation_lists_exactly_the_parameters_there_are() {
    let architecture = include_str!("../../../ARCHITECTURE.md");
    assert!(architecture.contains(&table()), "ARCHITECTURE.md, \"Links\", is to hold this table:\n{}", table());
    // What stands there before the program comes must know the same.
    let index = include_str!("../../../index.html");
    for parameter in PARAMETERS.iter().filter(|parameter| !["v", "theme", "lang"].contains(&parameter.name)) {
        assert!(index.contains(&format!("'{}'", parameter.name)), "{} is not in index.html", parameter.name);
    }
}

#[test]
fn the_guide_s_snippets_ask_for_what_there_is() {
    let guide = concat!(
        include_str!("../../../docs/embed-html.md"),
        include_str!("../../../docs/embed-mdbook.md"),
        include_str!("../../../docs/embed-moodle.md")
    );
    let mut links = 0;
    for (start, _) in guide.match_indices("?v=") {
        let link = guide[start..].split(['"', '`', ' ']).next().expect("there is some").replace("&amp;", "&");
        assert!(read(&link).lesson.is_some(), "{link}");
        links += 1;
    }
    let mut elements = 0;
    for tag in guide.split("<faultline-lesson ").skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)) {
        let mut attributes: Vec<String> = tag.split_inclusive("\" ").map(|part| part.trim().replace('"', "")).collect();
        attributes.retain(|attribute| !attribute.starts_with("title="));
        assert!(read(&format!("?v=2&{}", attributes.join("&"))).lesson.is_some(), "{attributes:?}");
        elements += 1;
    }
    assert_eq!((links, elements), (2, 3));
}
