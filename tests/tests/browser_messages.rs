//! A page that embeds lessons and speaks with them: by the element, by plain messages, and with hostile ones.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::course;
use tests::server::Server;
use tests::tools::root;

/// The largest that the script of a course page may be, in bytes.
const HOST_SCRIPT: usize = 3_000;

/// A course page with a lesson in a frame, which keeps all that it is told and can send anything.
fn frame(address: &str) -> String {
    format!(
        "<iframe id=lesson width=750 height=300 sandbox=allow-scripts title=Lesson></iframe><script>
         const told = [], frame = document.getElementById('lesson');
         addEventListener('message', ({{ source, data }}) => source === frame.contentWindow && told.push(data));
         const of = (is) => told.filter(is), last = (news) => of((data) => data.news === news).at(-1);
         const say = (message) => frame.contentWindow.postMessage(message, '*');
         frame.src = '{address}';</script>"
    )
}

#[tokio::test]
async fn the_course_page_starts_lessons_on_click_and_steers_them() {
    let server = Server::of_site();
    let script = std::fs::read(root().join("web/host/faultline.js")).expect("the script is there");
    assert!(script.len() <= HOST_SCRIPT, "{} bytes", script.len());
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&format!("{}/demo/course.html", server.url)).await;
    browser.until("document.querySelectorAll('faultline-lesson').length === 3").await;
    let frames = "return [...document.querySelectorAll('faultline-lesson')]\
                  .filter((lesson) => lesson.shadowRoot.querySelector('iframe')).length;";
    assert_eq!(browser.run(frames, vec![]).await, json!(0), "nothing is loaded before the click");
    browser.picture("course").await;
    browser.click("#outage").await;
    browser.until("document.getElementById('told').innerText.includes('state: 21.000 s')").await;
    assert_eq!(browser.run(frames, vec![]).await, json!(1), "and then only what was asked for");
    let sent = "const done = arguments[2]; \
                document.getElementById('driven').send(arguments[0], arguments[1]).then(done, (error) => done(error.message));";
    let send = |command: &'static str, fields: Value| browser.run_async(sent, vec![json!(command), fields]);
    let state = send("get_state", json!({})).await;
    assert_eq!((state["seed"].as_u64(), state["t"].as_f64()), (Some(11), Some(21.0)), "{state}");
    let back = send("step", json!({ "back": true })).await;
    assert_eq!(back["step"].as_u64(), state["step"].as_u64().map(|step| step - 1));
    let again = send("set_state", json!({ "link": state["link"] })).await;
    assert_eq!(again["computing"], json!(true), "{again}");
    browser.until("document.getElementById('told').innerText.includes('state: 21')").await;
    let refused = send("seek", json!({ "to": 3 })).await;
    assert!(refused.as_str().is_some_and(|why| why.contains("to: is not a field")), "{refused}");
    for link in ["", "javascript:alert(1)"] {
        let refused = send("set_state", json!({ "link": link })).await;
        assert!(refused.as_str().is_some_and(|why| why.contains("link: is no link")), "{refused}");
    }
    let high = "const lesson = document.getElementById('driven'); \
                return lesson.shadowRoot.querySelector('iframe').getBoundingClientRect().height;";
    assert!(browser.run(high, vec![]).await.as_f64().is_some_and(|px| px > 650.0), "the frame follows its content");
    browser.picture("course-driven").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_frame_tells_its_height_and_news_in_every_dialect_and_only_its_parent() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 900, false).await;
    let address = format!("{}/?lesson=the-database-goes-away&embed=1&t=19.9", server.url);
    browser.open(&course::page(&frame(&address)).await).await;
    browser.until("last('ready')").await;
    let ready = browser.run("return last('ready');", vec![]).await;
    assert_eq!(ready["state"]["lesson"], "the-database-goes-away");
    browser.until("of((data) => data.subject === 'SPLICE.getState' && data.message_id).length === 1").await;
    browser.until("last('resize')?.height > 400").await;
    browser.until("of((data) => data.subject === 'lti.frameResize').at(-1).height === last('resize').height").await;
    browser.until("of((data) => data.context === 'h5p').at(-1).scrollHeight === last('resize').height").await;
    browser.run("say({ faultline: 1, id: 'go', do: 'play' });", vec![]).await;
    browser.until("last('event')?.text").await;
    browser.until("of((data) => data.subject === 'SPLICE.sendEvent' && data.name === 'milestone').length > 0").await;
    browser.run("say({ faultline: 1, id: 'stop', do: 'pause' });", vec![]).await;
    browser.until("of((data) => data.id === 'stop' && data.ok).length === 1").await;
    // The theme comes by message, and goes again.
    browser.run("say({ faultline: 1, id: 'dark', do: 'set_theme', theme: 'dark' });", vec![]).await;
    browser.until("of((data) => data.id === 'dark' && data.ok).length === 1").await;
    browser.enter("#lesson").await;
    browser.until("document.documentElement.dataset.theme === 'dark'").await;
    browser.leave().await;
    // So does the language; the frame is drawn anew in it.
    browser.run("say({ faultline: 1, id: 'twice', do: 'set_language', language: 'x-doubled' });", vec![]).await;
    browser.until("of((data) => data.id === 'twice' && data.ok).length === 1").await;
    browser.enter("#lesson").await;
    browser.until("document.querySelector('[aria-label=\"⟦Play Play⟧\"]') && document.querySelector('.chart h2').innerText.includes('⟦')").await;
    browser.leave().await;
    // What another window says is none of its business, and a page of its own says nothing to anybody.
    let stranger = "const other = document.createElement('iframe'); other.srcdoc = '<script>\
                    parent.frames[0].postMessage({ faultline: 1, id: \"stranger\", do: \"pause\" }, \"*\")</' + 'script>'; \
                    document.body.append(other);";
    browser.run(stranger, vec![]).await;
    browser.run("say({ faultline: 1, id: 'after', do: 'get_state' });", vec![]).await;
    browser.until("of((data) => data.id === 'after').length === 1").await;
    assert_eq!(browser.run("return of((data) => data.id === 'stranger').length;", vec![]).await, json!(0));
    browser.close().await;
}

#[tokio::test]
async fn a_lesson_that_cannot_start_says_so_and_why_whoever_asks() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 900, false).await;
    for (query, named, starts) in [
        ("lesson=nope", "nope", false),
        ("document=%7B%7D", "format_version", false),
        // What does not fit is left out.
        ("lesson=the-database-goes-away&set=nodes.api.workers%3D-4", "nodes.api.workers", true),
    ] {
        let address = format!("{}/?{query}&embed=1", server.url);
        browser.open(&course::page(&frame(&address)).await).await;
        browser.until("last('error')?.problems.length > 0").await;
        let problems = browser.run("return last('error').problems.join();", vec![]).await;
        assert!(problems.as_str().is_some_and(|problems| problems.contains(named)), "{query}: {problems}");
        browser.run("say({ faultline: 1, id: 'state', do: 'get_state' });", vec![]).await;
        browser.until("of((data) => data.id === 'state').length === 1").await;
        let answer = browser.run("return of((data) => data.id === 'state')[0];", vec![]).await;
        assert_eq!((&answer["ok"], answer["problems"][0].is_string()), (&json!(starts), !starts), "{query}: {answer}");
        let is_first =
            "return told.findIndex((data) => data.news === 'error') < told.findIndex((data) => data.news === 'ready');";
        assert_eq!(browser.run(is_first, vec![]).await, json!(false), "an error before ready is the end: {query}");
    }
    browser.close().await;
}

#[tokio::test]
async fn what_was_kept_for_a_learner_comes_back_by_splice() {
    let server = Server::of_site();
    let browser = Browser::start(1200, 900, false).await;
    let address = format!("{}/?lesson=the-database-goes-away", server.url);
    let keeper = "<script>addEventListener('message', ({ source, data }) => data.subject === 'SPLICE.getState' && \
                  source.postMessage({ subject: 'SPLICE.getState.response', message_id: data.message_id, \
                  state: { link: '?v=2&lesson=the-database-goes-away&answer=nearly-all&beat=3&t=30' } }, '*'));</script>";
    browser.open(&course::page(&format!("{keeper}{}", frame(&address))).await).await;
    browser.until("last('state')?.state.t === 30 || last('ready')?.state.t === 30").await;
    browser.until("of((data) => data.subject === 'SPLICE.reportScoreAndState').length > 0 || last('ready')").await;
    browser.enter("#lesson").await;
    browser.until("document.querySelector('[data-player][data-predicted=true]')").await;
    browser.leave().await;
    browser.run("say({ faultline: 1, id: 'state', do: 'get_state' });", vec![]).await;
    browser.until("of((data) => data.id === 'state').length === 1").await;
    let state = browser.run("return of((data) => data.id === 'state')[0].state;", vec![]).await;
    assert_eq!(state["score"], json!(0.5), "the right prediction is half of it: {state}");
    let link = state["link"].as_str().expect("a link");
    assert!(link.contains("answer=nearly-all") && link.contains("beat=3") && link.len() < 4_096, "{link}");
    browser.close().await;
}

/// A page that keeps score and state as SPLICE describes it, and minds every word of a message that is not as described there.
const KEEPER: &str = "<script>
    const faults = [], reports = [], events = [], asked = [], ids = new Set();
    let answers = () => [];
    addEventListener('message', ({ source, data }) => {
      const subject = data?.subject;
      if (typeof subject !== 'string' || !/^(SPLICE|lti)[.]/.test(subject)) return;
      const mind = (holds, what) => holds || faults.push([what, data]);
      mind(typeof data.message_id === 'string' && data.message_id && !ids.has(data.message_id), 'an id of its own');
      ids.add(data.message_id);
      const only = (...names) => mind(Object.keys(data).every((name) => ['subject', 'message_id', ...names].includes(name)), 'no other field');
      if (subject === 'SPLICE.getState') {
        only('domain_id', 'content_id');
        asked.push(data.message_id);
        for (const answer of answers(data.message_id)) source.postMessage({ subject: 'SPLICE.getState.response', ...answer }, '*');
      } else if (subject === 'SPLICE.reportScoreAndState') {
        only('score', 'state');
        mind(typeof data.score === 'number' && data.score >= 0 && data.score <= 1, 'a score from 0 to 1');
        mind(data.state && JSON.stringify(structuredClone(data.state)).length < 4096, 'a state that can be kept');
        reports.push(data);
      } else if (subject === 'SPLICE.sendEvent') {
        only('name', 'data', 'error');
        mind(typeof data.name === 'string', 'a name');
        events.push(data);
      } else if (subject === 'lti.frameResize') {
        only('height', 'width');
        mind(data.height > 0, 'a height');
      } else faults.push(['a subject that is known', data]);
    });</script>";

#[tokio::test]
async fn a_strict_keeper_of_scores_is_told_all_by_splice_and_nothing_else() {
    let server = Server::of_site();
    let browser = Browser::start(1200, 1400, false).await;
    let address = format!("{}/?lesson=the-database-goes-away", server.url);
    browser.open(&course::page(&format!("{KEEPER}{}", frame(&address))).await).await;
    // Nobody answers, and the lesson starts all the same; it asks once.
    browser.until("last('ready')").await;
    assert_eq!(browser.run("return asked.length;", vec![]).await, json!(1));
    browser.run("frame.style.height = '1300px';", vec![]).await;
    browser.enter("#lesson").await;
    browser.settled().await;
    browser.click("[data-option='nearly-all']").await;
    browser.leave().await;
    browser.until("reports.at(-1)?.score === 0.5").await;
    // What was kept comes back on another day, with the lesson's own id; what else is said of it counts for nothing, not even a
    // second answer.
    let again = "window.stored = structuredClone(reports.at(-1).state); reports.length = 0; told.length = 0; asked.length = 0;
         const other = { link: '?v=2&lesson=the-database-goes-away&answer=half&beat=2' };
         answers = (message_id) => [{ message_id: 'another', state: other }, { message_id, state: stored, user_id: 'u' }, { message_id, state: other }];
         frame.src = frame.src + '&seed=11';";
    browser.run(again, vec![]).await;
    browser.until("last('ready')").await;
    browser.run("say({ faultline: 1, id: 'state', do: 'get_state' });", vec![]).await;
    browser.until("of((data) => data.id === 'state').length === 1").await;
    let state = browser.run("return of((data) => data.id === 'state')[0].state;", vec![]).await;
    assert_eq!(state["score"], json!(0.5), "{state}");
    assert!(state["link"].as_str().is_some_and(|link| link.contains("answer=nearly-all")), "{state}");
    // A keeper that kept nothing, or cannot say, leaves a lesson at its beginning.
    for nothing in ["{ message_id, state: null }", "{ message_id, error: { code: 'storage', message: 'It is full.' } }"]
    {
        let again = format!(
            "told.length = 0; answers = (message_id) => [{nothing}]; frame.src = frame.src.replace(/seed=\\d+/, (it) => it + '1');"
        );
        browser.run(&again, vec![]).await;
        browser.until("last('ready')").await;
        browser.enter("#lesson").await;
        browser.settled().await;
        assert!(!browser.has("[data-notice]").await && browser.has("[data-predicted=false]").await, "{nothing}");
        browser.leave().await;
    }
    assert_eq!(browser.run("return faults;", vec![]).await, json!([]));
    browser.close().await;
}

#[tokio::test]
async fn a_thousand_hostile_messages_leave_a_working_page_and_a_notice_that_names_the_field() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&course::page(&frame(&format!("{}/?lesson=the-database-goes-away&embed=1", server.url))).await).await;
    browser.until("last('ready')").await;
    let hostile = "let seed = 1; const random = (n) => (seed = seed * 16807 % 2147483647) % n;
        const words = ['play', 'seek', 'step', 'set', 'set_state', 'get_state', 'set_theme', '', 'constructor', null, 7, {}];
        const loop = {}; loop.self = loop;
        const values = [0, -1, 1e308, NaN, Infinity, null, undefined, true, [], {}, 'x'.repeat(70000), '<img src=x onerror=hacked=1>',
          '?lesson=nothing', '?v=9&seed=%', loop, new Date(), new Map([[1, 2]]), 123n, '\\ud800', ['set']];
        const value = () => values[random(values.length)];
        for (let i = 0; i < 1000; i++) {
          const message = random(8) === 0 ? value() : { do: words[random(words.length)], id: random(3) ? i : value(),
            faultline: random(5) ? 1 : value(), t: value(), path: random(2) ? 'nodes.db.readers' : value(), value: value(),
            link: value(), theme: value() };
          if (message && typeof message === 'object') for (const name of Object.keys(message)) if (random(2) && name !== 'faultline') delete message[name];
          say(message);
        }
        say({ faultline: 1, id: 'bad', do: 'set', path: 'nodes.db.reders', value: 4 });
        say({ faultline: 1, id: 'end', do: 'get_state' });";
    browser.run(hostile, vec![]).await;
    browser.until("of((data) => data.id === 'end' && data.ok).length === 1").await;
    browser.until("of((data) => data.id === 'bad' && !data.ok && data.problems[0].startsWith('nodes.db.reders')).length === 1").await;
    browser.run("say({ faultline: 1, id: 'typo', do: 'seek', tt: 4 });", vec![]).await;
    browser.until("of((data) => data.id === 'typo').length === 1").await;
    browser.enter("#lesson").await;
    browser.until("document.querySelector('[data-notice=message]').innerText.includes('tt:')").await;
    assert!(!browser.has("#crash").await, "{}", browser.text("body").await);
    assert_eq!(
        browser.run("return window.hacked === undefined;", vec![]).await,
        json!(true),
        "no script of theirs ran"
    );
    browser.leave().await;
    browser.run("say({ faultline: 1, id: 'works', do: 'seek', t: 21 });", vec![]).await;
    browser.until("last('state')?.state.t === 21").await;
    browser.close().await;
}
