//! What if: questions about the whole scenario, and their answers.

use super::strings;

strings! {
    what_if = "What if";
    question = "Question";
    without_it = "Without it";
    without_it_asks = "Every fault and every policy taken away in turn, and the other variants, with the same seed: which of them does what?";
    luck = "Luck";
    luck_asks = "The same story with 20 other seeds: how much of it is luck?";
    map = "Map";
    map_asks = "Two knobs against each other: which share of the requests is answered?";
    weak_points = "Weak points";
    weak_points_asks = "Each part down for the middle third of the run, without the scenario's own faults: which one takes everything with it?";
    load = "Load";
    load_asks = "More and more load, without faults: how much does it bear, and which part is full first?";
    too_late = "Too late";
    too_late_asks = "The fault ends earlier or later, with four seeds each: from when on does the system not come back by itself?";

    predict_first = "First say what you think will happen: the answers here would give it away.";
    not_recorded = "What was recorded cannot be run with something different.";
    no_knob = "This scenario has no knob to turn.";
    no_rate = "Nobody here sends at a rate of their own: these users wait for their answers.";
    no_fault = "This scenario has no fault that could end earlier or later.";
    nothing_to_run = "There is nothing to run.";
    run_it = "Run it";
    run_again = "Run it again";
    stop = "Stop";
    runs = "Runs";
    runs_done(done, of) = "{done} of {of} runs";
    runs_all(of) = "{of} runs";
    outdated = "of other settings than those on the stage";
    across = "Across";
    down = "Down";
    put_on_stage = "Put this run on the stage";

    none = "none";
    case = "Case";
    answered = "Answered";
    p99 = "p99";
    case_caption = "Each case with the share of requests that were answered, the difference in percentage points, and the 99th percentile of the latency";
    less(case, points) = "{case}: {points} percentage points less.";
    more(case, points) = "{case}: {points} percentage points more.";
    changes_nothing = "Nothing here changes how many requests are answered; look at the latencies.";
    no_single_point = "No single point of failure: no part alone takes most requests with it.";
    single_point(part) = "A single point of failure: {part}.";
    single_points(count, parts) = "{count} single points of failure: {parts}.";

    last_tenth = "… in the last tenth";
    median = "Median latency";
    from_to(low, high) = "{low} to {high}";
    seeds_caption(count) = "{count} seeds: mean, 95 % confidence interval of the mean, lowest and highest";
    mean = "Mean";
    interval = "95 % interval";
    lowest = "Lowest";
    highest = "Highest";
    goals_reached(reached, of) = "The goals of the challenge are reached with {reached} of {of} seeds.";

    held(load) = "99 % are answered up to {load} × the load.";
    not_held = "Not even the lowest load is answered to 99 %.";
    rate_limit = "429, the rate limit";
    and_refused(busiest, share, kind) = "{busiest}; {share} end with {kind}";
    fails_before_full(load, kind) = "No part is full where requests first fail: they end with {kind}, from {load} × the load on.";
    full_at(part, rate) = "{part} at {rate}/s";
    full(parts) = "Full, if the rest keeps up: {parts}.";
    load_caption = "Load without faults: the share of requests that were answered, the 99th percentile, and the busiest part";
    busiest = "Busiest";

    of_seeds(down, seeds) = "{down} of {seeds}";
    no_return(fault, seconds) = "The point of no return: if “{fault}” lasts until {seconds} s or longer, the system does not come back by itself.";
    comes_back(fault) = "However late “{fault}” ends here, the system comes back by itself.";
    too_late_caption(fault) = "When “{fault}” ends, and with how many seeds the system is still down in the last tenth of the run";
    ends_at = "It ends at";
    still_down = "Still down with";
    map_caption(across, down) = "Percentage of requests answered; across: {across}; down: {down}";
}
