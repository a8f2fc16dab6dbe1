//! Charts.

use super::strings;

strings! {
    answers = "Answers per second";
    latency = "Latency of answers, ms";
    errors = "Errors per second, by kind";
    waiting = "Calls waiting, mean";
    latency_map = "Answers by latency, ms";
    as_map = "map";
    p50 = "p50";
    p95 = "p95";
    p99 = "p99";
    system_errors = "5xx";
    client_errors = "4xx";
    ok = "ok";
    stale = "stale";
    no_answer = "no answer";

    second(from, to) = "{from} to {to} s";
    samples_in(count, from, to) = "n {count}, {from} to {to} s";
    no_second = "no second is over yet";
    range(line, least, most) = "{line} from {least} to {most}";
    nothing(title) = "{title}: nothing so far.";
    finding(title, ranges) = "{title}: {ranges}.";
    map_finding(title, count, all, common, slowest, most) = "{title}: {count} of {all} took {common} ms, the slowest {slowest} ms. The darkest cell has {most}.";
    click_a_second = "Click a second: the requests behind it";
    requests_of(from, to) = "The requests that ended from {from} to {to} s";
    none_so_far = "none so far";
    data_of(title) = "Data: {title}";
    data = "data";
    from = "from";
}
