//! Breakpoints: they stop where it happened, forwards and backwards, and nowhere else.

use sandbox_core::Run;
use sandbox_core::breakpoint::{Breakpoint, Stop};
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use std::sync::Arc;

fn run() -> Run {
    let document = Document::parse(include_str!("../../../lessons/scenarios/database-outage.json")).unwrap();
    let mut run = Run::new(Arc::new(document.plan("B", &[("duration_s".into(), 40.into())]).unwrap()));
    run.run_to_end();
    run
}

fn parse(run: &Run, text: &str) -> Breakpoint {
    Breakpoint::parse(run.plan(), text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

/// All stops from the start on. From the end back there are the same.
fn stops(run: &mut Run, breakpoint: &Breakpoint) -> Vec<Stop> {
    let go = |run: &mut Run, stop: Stop| match stop {
        Stop::Step(step, _) => {
            run.seek(step);
            run.position().at
        }
        Stop::Second(at) => {
            run.seek_time(at);
            at
        }
    };
    let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
    let mut now = go(run, Stop::Second(Time::ZERO));
    while let Some(stop) = breakpoint.next(run, now) {
        forwards.push(stop);
        now = go(run, stop);
    }
    // From the last one back: the one that is looked at is not found again.
    backwards.extend(forwards.last());
    while let Some(stop) = breakpoint.previous(run, now) {
        backwards.push(stop);
        now = go(run, stop);
    }
    backwards.reverse();
    assert_eq!(forwards.len(), backwards.len());
    assert!(forwards.iter().zip(&backwards).all(|pair| match pair {
        (Stop::Step(a, _), Stop::Step(b, _)) => a == b,
        (a, b) => a == b,
    }));
    forwards
}

#[test]
fn it_stops_at_each_record_that_is_meant() {
    let mut run = run();
    let breakpoint = parse(&run, "node=api, event=breaker_opened");
    let opened = run.folds().milestones().iter().filter(|stone| stone.record.what.code() == 21).map(|stone| stone.step);
    let opened: Vec<u64> = opened.collect();
    assert!(!opened.is_empty());
    let met = stops(&mut run, &breakpoint);
    let met: Vec<u64> = met.iter().map(|stop| if let Stop::Step(step, _) = stop { *step } else { 0 }).collect();
    assert_eq!(met, opened);
}

#[test]
fn it_stops_at_every_step_of_a_request_and_of_no_other() {
    let mut run = run();
    let summary = run.folds().request(sandbox_core::ids::RequestId(12_000)).unwrap();
    let (request, end) = (summary.request, summary.end.unwrap().step);
    let mut steps: Vec<u64> = run.request_records(request, 0..end + 1).iter().map(|logged| logged.step).collect();
    steps.dedup();
    let breakpoint = parse(&run, "request=12000");
    let mut met = stops(&mut run, &breakpoint);
    met.retain(|stop| matches!(stop, Stop::Step(step, _) if *step <= end));
    assert_eq!(met, steps.iter().map(|step| Stop::Step(*step, request)).collect::<Vec<_>>());
}

#[test]
fn it_stops_where_a_number_is_reached() {
    let mut run = run();
    let breakpoint = parse(&run, "http_error_ratio.mean > 0.01");
    assert_eq!(stops(&mut run, &breakpoint), [Stop::Second(Time::from_seconds(20.0))], "the outage begins at 20 s");
    let never = parse(&run, "http_error_ratio.mean > 2");
    assert_eq!(stops(&mut run, &never), []);
}

#[test]
fn what_is_not_understood_is_named_with_what_there_is() {
    let run = run();
    for (text, said) in [
        ("node=apy", "there is no node `apy`. Did you mean `api`?"),
        ("route=GET /item", "there is no route `GET /item`"),
        ("event=timedout", "there is no event `timedout`. Did you mean `timed_out`?"),
        ("request=0", "`0` is no number of a request"),
        ("nod=api", "`nod` is not known. Did you mean `node`?"),
        ("", "is not understood: write `node=`"),
        ("event=timed_out node=api", "put a comma between them"),
        ("http_errors_total.max > 5", "sum, rate"),
        ("1 > 0", "name a signal"),
        ("http_error_ratio.mean[3:5] > 0", "leave variant and window out"),
        ("http_eror_ratio.mean > 0", "http_error_ratio"),
    ] {
        let why = Breakpoint::parse(run.plan(), text).expect_err(text);
        assert!(why.contains(said), "{text}: {why}");
    }
}
