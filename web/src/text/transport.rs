//! The transport: its buttons, what comes next, the time line.

use super::strings;

strings! {
    transport = "Transport";
    play = "Play";
    pause = "Pause";
    step = "Step";
    step_back = "Step back";
    previous_failure = "Previous failure";
    next_failure = "Next failure";
    with_key(button, key) = "{button} ({key})";
    left_arrow = "left arrow";
    right_arrow = "right arrow";
    space_bar = "Space";
    event = "event";
    speed = "Speed";
    tour = "Tour";
    predict = "predict";
    jump = "jump";

    playing = "Playing:";
    times_real(speed) = "{speed} times as fast as real time";
    step_in(span) = "Step, in {span}:";
    step_next = "Step:";
    run_is_over = "the run is over";
    first = "First:";
    say_first = "say what you think will happen";
    milestone_in(span) = "Milestone in {span}:";
    milestone = "Milestone:";
    no_milestone = "none any more";
    moment(clock, event, state, what) = "{clock}, event {event}, {state}, {what}";
    moment_playing(clock, state, what) = "{clock}: {state}, {what}";
    moment_next(moment, next) = "{moment}. Next: {next}";

    time = "Time in the run";
    time_in_words = "The time line in words";
    stretch(from, to, how) = "{from} s to {to} s: {how}";
    fault_from_to(from, to, fault) = "{from} s to {to} s, fault: {fault}";
    mark_at(at, what) = "{at} s: {what}";
    fault_lasts(fault, seconds) = "{fault}, {seconds} s";
}
