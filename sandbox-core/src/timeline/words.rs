//! Records and coming events in words: short sentences in the field's terms.

use crate::engine::{Reason, Upcoming};
use crate::ids::{NodeId, RequestId};
use crate::scenario::{AlertNumber, Judges, Kind, MonitorPlan, Plan, Watched};
use crate::time::{Span, Time};
use crate::trace::{AttemptEnd, CacheFallback, CacheResult, Closing, Outcome, Record, Refusal, Status, What};

/// A record in words.
#[inline]
pub fn record(plan: &Plan, record: &Record) -> String {
    let here = name(plan, record.node);
    let who = request(record.request);
    match record.what {
        What::Intended { route, key, user } => {
            format!("user {user} sends {who}: {}", route_of(plan, route, key))
        }
        What::Called { to, attempt: 1 } => format!("{here} sends {who} to {}", name(plan, to)),
        What::Called { to, attempt } => format!("{here} sends {who} to {}, attempt {attempt}", name(plan, to)),
        What::Arrived { .. } => format!("{who} reaches {here}"),
        What::Queued { ahead: 0 } => format!("{who} waits at {here}, first in line"),
        What::Queued { ahead } => format!("{who} waits at {here} behind {ahead}"),
        What::Saturated { in_service } => format!("{here} is fully busy with {in_service}"),
        What::Started => format!("{here} takes {who} up from the line"),
        What::Worked => format!("{here} has done its work on {who}"),
        What::Refused { refusal } => refused(here, &who, refusal),
        What::Replied { status, .. } => format!("{here} answers {who} with {}", status_words(status)),
        What::Received { status } => format!("{here} has the answer for {who}: {}", status_words(status)),
        What::TimedOut { to, after } => {
            format!("{here} stops waiting for {} after {}, {who}", name(plan, to), span(after))
        }
        What::BackedOff { delay } => format!("{here} will try {who} again in {}", span(delay)),
        What::GaveUp { end } => format!("{here} gives {who} up: {}", end_words(end)),
        What::CameLate => format!("the answer of {here} for {who} comes too late"),
        What::CacheAsked { key, result } => match result {
            CacheResult::Failure => format!("{here} has kept that item {key} could not be loaded"),
            CacheResult::Fresh => format!("{here} has item {key}, fresh"),
            CacheResult::Stale => format!("{here} has item {key}, but expired"),
            CacheResult::TooOld => format!("{here} has item {key}, too old to serve"),
            CacheResult::Miss => format!("{here} does not have item {key}"),
            CacheResult::Revalidate => {
                format!("{here} has item {key}, expired a moment ago: served while it is loaded again")
            }
            CacheResult::Early => format!("{here} has item {key}, fresh, and has it loaded again early"),
            CacheResult::Coalesced => format!("{here} does not have item {key}: {who} waits for the load under way"),
        },
        What::CacheStored { key, version } => format!("{here} keeps item {key}, version {version}"),
        What::FellBack { fallback } => match fallback {
            CacheFallback::Served { expired_for } => {
                format!("{here} falls back to a copy that expired {} ago", span(expired_for))
            }
            CacheFallback::NoCopy => format!("{here} has no copy to fall back on"),
            CacheFallback::TooOld => format!("{here} has only a copy that is too old to serve"),
        },
        What::RowRead { key, version } => format!("{here} read row {key}, version {version}"),
        What::RowWritten { key, version } => format!("{here} wrote row {key}, now version {version}"),
        What::Answered { outcome, latency } => format!("{who}: {} after {}", outcome_words(outcome), span(latency)),
        What::BreakerOpened { to, failures, calls, slow: 0 } => {
            format!("breaker of {here} to {} opened: {failures} of {calls} calls failed", group(plan, to))
        }
        What::BreakerOpened { to, calls, slow, .. } => {
            format!("breaker of {here} to {} opened: {slow} of {calls} calls were slow", group(plan, to))
        }
        What::BreakerHalfOpened { to } => format!("breaker of {here} to {} lets trial calls through", group(plan, to)),
        What::BreakerClosed { to } => format!("breaker of {here} to {} closed", group(plan, to)),
        What::InstanceEjected { instance } => format!("{here} stops sending to {}", name(plan, instance)),
        What::InstanceRestored { instance } => format!("{here} sends to {} again", name(plan, instance)),
        What::FaultBegan { fault } => format!("fault: {}", plan.faults[fault as usize].title),
        What::FaultEnded { fault } => format!("fault over: {}", plan.faults[fault as usize].title),
        What::Probed { ok: true } => format!("{here}: probe answered"),
        What::Probed { ok: false } => format!("{here}: probe failed"),
        What::BudgetBurning { long_milli, short_milli } => {
            let times = |milli: u32| f64::from(milli) / 1e3;
            format!(
                "{here}: the error budget burns {:.1} times as fast as it may, in the last moments {:.1} times",
                times(long_milli),
                times(short_milli)
            )
        }
        What::RuleBroken { number } => format!("{here}: {}", rule_words(plan, record.node, number)),
        What::AlertDelivered { incident } => format!("the alert for incident {} has reached somebody", incident.0),
        What::AlertLost { incident } => format!("the alert for incident {} reaches nobody", incident.0),
        What::IncidentOpened { incident, failed_probes: 0 } => format!("incident {} opened", incident.0),
        What::IncidentOpened { incident, failed_probes } => {
            format!("incident {} opened after {failed_probes} failed probes", incident.0)
        }
        What::AlertRaised { incident } => format!("alert for incident {}", incident.0),
        What::IncidentRecovered { incident } => format!("incident {}: the target is well again", incident.0),
        What::IncidentRelapsed { incident } => format!("incident {}: the target fails again", incident.0),
        What::IncidentResolved { incident } => format!("incident {} resolved", incident.0),
        What::Disconnected => format!("the client of {who} hung up"),
        What::ProbeBegan => format!("{here} sends a probe"),
        What::Withdrawn => format!("{here} drops {who}: its caller has withdrawn it"),
        What::Paused => format!("{here} goes on with {who} after a pause"),
        What::Forked { branches } => format!("{here} works on {who} in {branches} branches"),
        What::Joined => format!("{here} has enough branches of {who} done"),
        What::CacheInvalidated { key } => format!("{here} forgets item {key}"),
        What::CacheRefused { key, version } => {
            format!("{here} does not keep version {version} of item {key}: it was invalidated meanwhile")
        }
        What::CommitLost => format!("what {who} had committed at {here} is gone"),
        What::MessageLost => format!("{here} loses the message of {who}"),
        What::DeadLettered => format!("{here} puts the message of {who} to the dead letters"),
        What::Admitted => format!("{here} lets {who} past the bulkhead"),
        What::InstanceStarting => format!("{here} starts"),
        What::InstanceUp => format!("{here} is up"),
        What::InstanceStopping => format!("{here} is told to stop"),
        What::InstanceStopped => format!("{here} has stopped"),
        What::OutOfMemory => format!("{here} needs more memory than it has"),
        What::InstanceCrashed => format!("{here} crashes: what it had begun is lost"),
        What::Fleet { running, up, listed } => {
            format!("{}: {running} instances run, {up} take calls, {listed} are listed", group(plan, record.node))
        }
        What::RolloutBegan { rollout } => format!("rollout: {}", plan.rollouts[usize::from(rollout)].title),
        What::CanaryFailed { rollout } => {
            format!(
                "the first instances of \"{}\" are worse than the others",
                plan.rollouts[usize::from(rollout)].title
            )
        }
        What::RolledBack { rollout } => format!("taken back: {}", plan.rollouts[usize::from(rollout)].title),
        What::Retransmitted { times: 1, after } => {
            format!("a message of {here} for {who} is lost, and sent again after {}", span(after))
        }
        What::Retransmitted { times, after } => {
            format!("a message of {here} for {who} is lost {times} times, and arrives {} later", span(after))
        }
        What::ConnectionOpened { to, took } => {
            format!("{here} has a connection to {} for {who} after {}", name(plan, to), span(took))
        }
        What::ConnectionClosed { to, why, .. } => closed(here, name(plan, to), why),
        What::CpuThrottled => format!("{here} has used up the CPU time of this period"),
        What::WorkStopped => format!("{here} stops its work on {who} until the next period"),
        What::WorkResumed => format!("{here} goes on with its work on {who}"),
        What::Transferred { bytes, whole: true } => {
            format!("{here} has sent {} bytes of {who}", number(bytes))
        }
        What::Transferred { bytes, whole: false } => {
            format!("the connection of {here} breaks after {} bytes of {who}", number(bytes))
        }
        What::FirstToken => format!("{here} has written the first token of {who}"),
        What::Generated { tokens, .. } => format!("{here} has written {} tokens for {who}", number(tokens.into())),
        What::Preempted { tokens } => {
            format!("{here} throws {who} out: {} tokens are to be computed again", number(tokens.into()))
        }
        What::Iterated { sequences, held, .. } => {
            format!("{here} has written {sequences} tokens in an iteration, {} are in memory", number(held.into()))
        }
        What::Unresponsive => format!("{here} has not answered its liveness probes: it is started anew"),
        What::Vanished => format!("what {here} has of {who} goes into a dead connection, and never arrives"),
        What::PortsExhausted { to, time_wait } => format!(
            "{here} has no port left for {}: {} are taken by closed connections",
            name(plan, to),
            number(time_wait.into())
        ),
        What::Scaled { from, to } => format!("{} is scaled from {from} to {to} instances", group(plan, record.node)),
        What::BrokeDown => format!("{here} breaks down by chance"),
        What::Blocked => format!("{who} waits at {here} for another who holds what it needs"),
        What::Replayed => format!("{here} answers {who} with what it stored under the key"),
        What::Repaired => format!("{here} works again"),
        What::Observed { signal, value } => {
            let declared = plan.signals.declared.get(usize::from(signal));
            let name = declared.map_or("an unknown signal", |signal| &signal.name);
            format!("{here} observes {name} = {value} on {who}")
        }
    }
}

/// A coming event in words.
#[inline]
pub fn upcoming(plan: &Plan, next: &Upcoming) -> String {
    let here = name(plan, next.node);
    let who = request(next.request);
    match next.reason {
        Reason::Sends => format!("a user sends {who}"),
        Reason::CallArrives { from: Some(from), attempt: 1 } => {
            format!("{who} reaches {here} from {}", name(plan, from))
        }
        Reason::CallArrives { from: Some(from), attempt } => {
            format!("{who} reaches {here} from {}, attempt {attempt}", name(plan, from))
        }
        Reason::CallArrives { from: None, .. } => format!("a copy for {who} reaches {here}"),
        Reason::Connected { to } => format!("{here} has a connection to {} for {who}", name(plan, to)),
        Reason::IdleConnections => format!("{here} looks at its idle connections"),
        Reason::WorkDone => format!("{here} finishes its work on {who}"),
        Reason::AnswerArrives { from, status } => format!("{} sends {who} back to {here}: {status}", name(plan, from)),
        Reason::LateAnswer { from } => format!("the late answer of {} for {who}", name(plan, from)),
        Reason::TimesOut { to, after } => format!("{here} stops waiting for {} after {}", name(plan, to), span(after)),
        Reason::RetryDue { attempt } => format!("attempt {attempt} of {who} at {here} is due"),
        Reason::HedgeDue => format!("{here} sends a further copy of {who}"),
        Reason::LeavesLine => format!("{who} has waited long enough at {here} and leaves"),
        Reason::PauseOver => format!("{here} goes on with {who}"),
        Reason::Withdrawn => format!("{here} learns that the caller of {who} has gone"),
        Reason::Chance => format!("{here} breaks down by chance or works again"),
        Reason::LifeGoesOn => format!("the life of {here} goes on"),
        Reason::QuotaTurns => format!("the CPU time of {here} is used up, or there is some again"),
        Reason::TransferOver => format!("a message of {who} from or to {here} is over its link, or broken"),
        Reason::IterationOver => format!("{here} writes a token of each answer in its batch"),
        Reason::BatchDue => format!("{here} starts the batch with whoever is there"),
        Reason::Audit => format!("the rows of {here} are looked over"),
        Reason::ProbeDue => format!("{here} probes"),
        Reason::Sweep => format!("{here} looks at whom it left out"),
        Reason::FaultBegins { fault } => format!("fault: {}", plan.faults[fault as usize].title),
        Reason::FaultEnds { fault } => format!("fault over: {}", plan.faults[fault as usize].title),
        Reason::Outside => "something comes in from outside".to_string(),
        Reason::RunEnds => "the run ends".to_string(),
    }
}

/// A length with a fitting unit, three significant digits.
#[inline]
pub fn span(span: Span) -> String {
    let ns = span.as_nanos() as f64;
    let (value, unit) = match ns {
        _ if ns >= 1e9 => (ns / 1e9, "s"),
        _ if ns >= 1e6 => (ns / 1e6, "ms"),
        _ => (ns / 1e3, "µs"),
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

/// An instant in seconds, to the tenth of a millisecond.
#[inline]
pub fn instant(at: Time) -> String {
    format!("{:.4} s", at.as_seconds())
}

/// A number with thin separators between thousands.
#[inline]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How a request ended, in words.
#[inline]
pub fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "answered 200",
        Outcome::OkStale => "answered 200 with an expired copy",
        Outcome::Unauthorized401 => "refused 401: no valid token",
        Outcome::NotFound404 => "refused 404: not found",
        Outcome::RateLimited429 => "refused 429: too many requests",
        Outcome::InternalError500 => "failed 500: internal error",
        Outcome::Unavailable503 => "failed 503: unavailable",
        Outcome::GatewayTimeout504 => "failed 504: no answer in time",
        Outcome::ClientTimeout => "the user stopped waiting",
        Outcome::Refused => "the user could not connect",
        Outcome::Cancelled => "the user hung up",
        Outcome::BadRequest400 => "refused 400: bad request",
        Outcome::Forbidden403 => "refused 403: not allowed",
        Outcome::Conflict409 => "refused 409: conflict",
        Outcome::PreconditionFailed412 => "refused 412: changed since it was read",
        Outcome::UnprocessableContent422 => "refused 422: cannot be processed",
        Outcome::PreconditionRequired428 => "refused 428: no condition given",
        Outcome::BadGateway502 => "failed 502: the connection broke",
    }
}

#[inline]
fn status_words(status: Status) -> String {
    match status {
        Status::Stale => "200 stale".to_string(),
        _ => status.code().to_string(),
    }
}

#[inline]
fn refused(here: &str, who: &str, refusal: Refusal) -> String {
    match refusal {
        Refusal::Down => format!("{here} is down and refuses {who}"),
        Refusal::QueueFull => format!("{here} refuses {who}: its line is full"),
        Refusal::BreakerOpen => format!("breaker of {here} is open: {who} not sent"),
        Refusal::BreakerHalfOpen => format!("breaker of {here} waits for its trial calls: {who} not sent"),
        Refusal::NoInstance => format!("{here} has no healthy instance for {who}"),
        Refusal::Unauthorized => format!("{here} refuses {who}: no valid token"),
        Refusal::RateLimited => format!("{here} refuses {who}: its rate limit is used up"),
        Refusal::Fault => format!("{here} fails {who}"),
        Refusal::RealError => format!("the real {here} reports an error for {who}"),
        Refusal::NotFound => format!("{here} has no such route for {who}"),
        Refusal::QueueTimeout => format!("{who} has waited long enough at {here} and leaves the line"),
        Refusal::BulkheadFull => format!("{here} refuses {who}: the bulkhead of its route is full"),
        Refusal::DeadlinePassed => format!("{here} drops {who}: its caller's deadline has passed"),
        Refusal::Throttled => format!("the throttle of {here} holds {who} back: not sent"),
        Refusal::Busy => format!("{here} is busy: another transaction holds the lock that {who} needs"),
        Refusal::Deadlock => format!("{here} rolls {who} back: it waited in a circle with others"),
        Refusal::TooLong => format!("{here} refuses {who}: it is longer than the memory"),
        Refusal::LockTimeout => format!("{here} rolls {who} back: it has waited long enough for a lock"),
        Refusal::SerializationFailure => format!("{here} rolls {who} back: others changed what it had read"),
        Refusal::Shed => format!("{here} sheds {who}, so that others do not wait too long"),
        Refusal::KeyMissing => format!("{here} refuses {who}: it has no idempotency key"),
        Refusal::KeyInProgress => format!("{here} refuses {who}: the first one with its key is under way"),
        Refusal::KeyReused => format!("{here} refuses {who}: its key belongs to another payload"),
        Refusal::PreconditionFailed => format!("{here} refuses {who}: the row has changed since it was read"),
        Refusal::PreconditionRequired => format!("{here} refuses {who}: it does not say which version it has seen"),
        Refusal::ConnectionReset => format!("{here} had closed the connection that {who} comes over: reset"),
        Refusal::NoPort => format!("{here} has no port to send {who} from"),
        Refusal::Lost => format!("{who} is lost with {here}"),
        Refusal::Program => format!("{here} answers {who} with a failure"),
    }
}

#[inline]
fn closed(here: &str, to: &str, why: Closing) -> String {
    match why {
        Closing::Surplus => format!("{here} closes its connection to {to}: enough of them are idle"),
        Closing::Idle => format!("{here} closes its connection to {to}: it was idle for long"),
        Closing::KeepAlive => format!("{here} learns that {to} has closed a connection that was idle for long"),
        Closing::Age => format!("{here} closes its connection to {to}: it is too old"),
        Closing::Abandoned => format!("{here} closes its connection to {to}: no answer came in time"),
        Closing::Broken => format!("a connection of {here} to {to} is broken"),
    }
}

#[inline]
fn end_words(end: AttemptEnd) -> &'static str {
    match end {
        AttemptEnd::Attempts => "all attempts are used up",
        AttemptEnd::Budget => "the retry budget is empty",
        AttemptEnd::Deadline => "the deadline is too close",
    }
}

#[inline]
fn name(plan: &Plan, node: NodeId) -> &str {
    &plan.nodes[node.index()].title
}

#[inline]
fn group(plan: &Plan, node: NodeId) -> &str {
    &plan.nodes[node.index()].group
}

#[inline]
fn request(request: RequestId) -> String {
    match request {
        RequestId::NONE => "a probe".to_string(),
        RequestId(number_of) => format!("#{}", number(u64::from(number_of))),
    }
}

/// A route with the row it asks for.
#[inline]
pub fn route_of(plan: &Plan, route: crate::ids::RouteId, key: u32) -> String {
    plan.routes.get(route.index()).map_or("an unknown route", |route| &route.name).replace("{id}", &key.to_string())
}

/// What an alert rule looks at, and that it is beyond its threshold.
#[inline]
fn rule_words(plan: &Plan, monitor: NodeId, number: f64) -> String {
    let Kind::Monitor(MonitorPlan { judges: Judges::Alert { watched, number: reduced, .. }, .. }) =
        &plan.nodes[monitor.index()].kind
    else {
        return format!("the number {number} is beyond its threshold");
    };
    let of = match &plan.watched[*watched] {
        Watched::Failures(_) => "failures".to_string(),
        Watched::Latency(_) => "the time of requests".to_string(),
        Watched::Observed(signal) => plan.signals.declared[usize::from(*signal)].name.clone(),
    };
    let reduced = match reduced {
        AlertNumber::Mean => "the mean".to_string(),
        AlertNumber::Sum => "the sum".to_string(),
        AlertNumber::Count => "the number".to_string(),
        AlertNumber::Quantile(thousandths) => format!("p{}", thousandths / 10),
    };
    format!("{reduced} of {of} is {number:.3}, beyond the threshold")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_unit_and_no_more_digits_than_they_deserve() {
        assert_eq!(span(Span::from_nanos(2_131_000)), "2.13 ms");
        assert_eq!(span(Span::from_nanos(340)), "0.34 µs");
        assert_eq!(span(Span::from_millis(250)), "250 ms");
        assert_eq!(span(Span::from_millis(15_000)), "15.0 s");
        assert_eq!(number(11_702), "11,702");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000_000), "1,000,000");
    }
}
