//! Beside the stage: events, the request looked at, log, health, what can be saved.

use super::strings;

strings! {
    evidence = "Evidence";
    charts = "Charts";
    requests = "Requests";
    log = "Log";
    health = "Health";
    what_if = "What if";

    back_to_charts = "Back to the charts";
    why_failed = "Why did it fail?";
    where_time = "Where did its time go?";
    choose_event = "Choose an event to look at its request, or go to the next failure and ask why.";
    request_number = "Request number";
    of_second(from, to, ended, failed, listed) = "{ended} requests ended from {from} to {to} s, {failed} failed. Listed are {listed}: first those that failed, then the slowest.";
    no_such_request(number, count) = "There is no request {number}; this run has 1 to {count}.";
    not_sent = "It is not sent yet at the cursor.";
    then_enter = "then Enter";
    events = "Events around the cursor";
    to_events = "Events around the cursor instead";

    inspector = "Request inspector";
    under_way(asked) = "{asked}: still under way at the cursor.";
    request(number) = "Request #{number}";
    why_did_it_fail(number) = "Why did request #{number} fail?";
    where_did_time_go(number) = "Where did request #{number} spend its time?";
    asked_and_took(asked, total) = "{asked}, {total}";
    asked_ended_took(asked, end, total) = "{asked}, {end}, {total}";
    causes = "Causes, from the answer to the root";
    go_there = "Go there";
    go_to_answer = "Go to the answer";
    go_to_root = "Go to the root";
    without_cause = "Run without this cause";
    time_went = "Where the time went";
    total = "total";
    part_at(part, node) = "{part} at {node}";
    part_of(part, node) = "{part}, {node}";
    way(parts, time) = "Its way: {parts}, in {time}.";

    network = "network";
    handshake = "handshake";
    throttled = "throttled";
    queue = "queue";
    service = "service";
    failed_attempt = "failed attempt";
    back_off = "back-off";
    pool_wait = "pool wait";
    lock_wait = "lock wait";
    coalesced_wait = "coalesced wait";
    timeout = "timeout";

    stale = "stale 200";
    timed_out = "timed out";
    refused = "refused";
    hung_up = "hung up";
    mark_down = "down";
    mark_line_full = "line full";
    mark_not_sent = "not sent";
    mark_no_instance = "no instance";
    mark_no_token = "no valid token";
    mark_over_quota = "over quota";
    mark_error = "error";
    mark_not_found = "not found";
    mark_left_line = "left the line";
    mark_bulkhead = "bulkhead full";
    mark_too_late = "too late";
    mark_held_back = "held back";
    mark_lock_held = "lock held";
    mark_deadlock = "deadlock";
    mark_outdated = "outdated";
    mark_shed = "shed";
    mark_no_key = "no key";
    mark_key_in_use = "key in use";
    mark_key_reused = "key reused";
    mark_no_version = "no version";
    mark_refused = "refused";
    mark_lost = "lost";
    mark_reset = "connection reset";
    mark_no_port = "no port";

    nothing_logged = "Nothing to warn of up to this moment.";
    log_newest_first = "Log up to the cursor, newest first";
    lines_before(count) = "and {count} lines before";

    parts = "Parts";
    ok = "ok";
    degraded = "degraded";
    down = "down";
    breaker_until(health, time) = "{health}, breaker open until {time}";
    breaker_half_open(health) = "{health}, breaker half-open";
    no_incident = "No incident up to this moment.";
    incident(number) = "Incident {number}";
    incident_of(number, what) = "Incident {number}: {what}";
    resolved = "resolved";
    recovered_open = "recovered, open";
    failing = "failing";
    resolve = "Resolve at this moment";

    save = "Save";
    svg = "SVG";
    svg_says = "The picture as a drawing";
    png = "PNG";
    png_says = "The picture in the pixels of this screen";
    may_not_come = "This page stands in a frame that may not allow files to be saved. If none came, open the page by itself.";
    numbers = "CSV";
    numbers_say = "What the charts show, second by second, as comma-separated values";
    trace = "Trace";
    trace_says = "The requests of this second as JSON, for chrome://tracing or Perfetto";
}
