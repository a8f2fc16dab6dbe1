//! The stage: the state of the system, what its parts say, what changes it.

use super::strings;

strings! {
    stage = "Stage";
    computing = "Computing";
    computed(percent) = "{percent} % of the run";
    of = "of";
    per_second = "/s";
    answered = "answered";
    none_in_last_second = "no request ended in the last second";
    nothing_ended = "no request has ended yet";

    healthy = "Healthy";
    degraded = "Degraded";
    down = "Down";
    all_stale = "all stale";
    some_stale(percent) = "{percent} % stale";
    fault_for(fault, time) = "{fault}, {time}";
    breaker_tries(node) = "the breaker of {node} is trying again";
    breaker_still_open(node) = "the breaker of {node} is still open";
    breakers_unsettled(count) = "{count} breakers are not closed yet";
    leaves_out(node, instance) = "{node} leaves out {instance}";
    incident_open(number) = "incident {number} is open";
    incident_recovered(number) = "incident {number} recovered, still open";
    all_answer = "all parts answer";
    nobody_answered = "nobody is answered in time";
    some_fail = "some requests fail";

    parts = "Parts of the system";
    busy(busy, capacity) = "{busy} of {capacity} busy";
    busy_and_waiting(busy, capacity, waiting) = "{busy}/{capacity} busy, {waiting} wait";
    waiting(waiting) = "{waiting} wait";
    at_work(busy) = "{busy} at work";
    at_work_and_waiting(busy, waiting) = "{busy} at work, {waiting} wait";
    no_answer = "no answer";
    begins_nothing = "begins nothing";
    asleep = "asleep";
    rate(rate) = "{rate} req/s";
    in_a_loop(clients) = "{clients} in a loop";
    rate_and_loop(rate, clients) = "{rate} req/s, {clients} in a loop";
    limit_and_token = "rate limit · JWT";
    limit = "rate limit";
    token = "JWT";
    passes_on = "passes on";
    over_http = "over HTTP";
    items(count) = "{count} items";
    says(part, what) = "{part}: {what}";
    says_and(part, what, more) = "{part}: {what}, {more}";
    badge_open = "breaker open";
    badge_tries = "breaker tries";
    badge_left_out(instance) = "{instance} left out";
    badge_slower(factor) = "{factor} times slower";
    badge_errors(share) = "{share} errors";
    request = "request";
    stale = "stale";
    failed = "failed";
    last_requests = "the last 30 requests, slowed to half a second a link";
    last_requests_narrow = "last 30, slowed";

    fault_begins(fault) = "the fault begins: {fault}";
    fault_ends(fault) = "the fault ends: {fault}";
    a_fault = "a fault";
    breaker_opens(node, to) = "{node} opens its breaker towards {to}";
    breaker_half_opens(node, to) = "{node} lets trial calls through to {to}";
    breaker_closes(node, to) = "{node} closes its breaker towards {to}";
    ejects(node, instance) = "{node} leaves {instance} out";
    restores(node, instance) = "{node} sends to {instance} again";
    crashes(node) = "{node} crashes";
    rollout(rollout) = "rollout: {rollout}";
    taken_back(rollout) = "taken back: {rollout}";
    incident_opens(number) = "incident {number} is opened";
    alert_goes_out(number) = "an alert goes out for incident {number}";
    incident_recovers(number) = "incident {number} has recovered";
    incident_relapses(number) = "incident {number} relapses";
    incident_is_resolved(number) = "incident {number} is resolved";
    first_stale = "the first stale answer";
    first_failed = "the first failed request";
    places_taken(node) = "all places of {node} are taken";
    refuses(node) = "{node} refuses a call";
    something(node) = "something happens at {node}";
    mark_opened = "incident opened";
    mark_recovered = "recovered";
    mark_relapsed = "relapsed";
    mark_resolved = "resolved";

    second_idle = "no answers";
    second_ok = "all answered";
    second_pressure = "under pressure";
    second_stale = "many stale answers";
    second_fail = "many failed";
    second_lost = "many unanswered";

    under(share) = "under {share}";
    over(share) = "over {share}";
    rate_of(number) = "{number}/s";
    with_unit(number, unit) = "{number} {unit}";
}
