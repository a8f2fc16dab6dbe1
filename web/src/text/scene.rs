//! The pictures of the stage besides the system: messages, workers.

use super::strings;

strings! {
    picture = "Picture";
    system = "System";
    messages = "Messages";
    workers = "Workers";
    stretch = "Stretch of time";
    this_request(number) = "request #{number}";
    too_fast = "Time passes too fast to tell messages apart. Pause, or play more slowly.";

    all_requests(from, count) = "From {from} on. Requests: {count}.";
    some_requests(from, count, left_out) = "From {from} on. Requests: {count}; {left_out} more are left out.";
    nothing_sent(from) = "From {from} on no message is under way.";
    all_workers(from) = "From {from} on.";
    some_workers(from, left_out) = "From {from} on. There is no room for {left_out} more rows.";
    goes(from, to, at) = "{from} to {to} at {at}";
    goes_on(from, at) = "from {from} at {at}, still under way";
    goes_lost(from, at) = "from {from} at {at}, never arrived";
    request_ended(number, end, time, ways) = "#{number}, {end} after {time}: {ways}.";
    request_goes(number, ways) = "#{number}: {ways}.";
    node_did(node, calls, most, waited) = "{node}: {calls} calls, at most {most} at once; {waited} waited.";

    works = "works";
    holds = "waits for others";
    for_nobody = "for nobody";
    call = "call";
    answer = "answer";
    failed = "failed";
}
