//! The story: steps, prediction, challenge, incident sheet, knobs, a recorded run.

use super::strings;

strings! {
    lesson = "Lesson";
    steps = "Steps of the lesson";
    next(beat) = "Next: {beat}";
    to_playground = "Open in the playground";
    to_change = "to change anything.";
    on_a_server = "Run on a real server?";
    open_recording = "Open a recording…";

    prediction = "Prediction";
    your_prediction = "Your prediction.";
    hidden_until = "What comes after the cursor stays hidden until then.";
    skip = "Go on without a prediction";
    said_and_was(measured) = "you said; it was {measured}";
    it_was(measured) = "it was {measured}";
    you_said = "you said";
    said_and_own = "you said; so it is without changes";
    of_own_run = "so it is without changes";

    challenge = "Challenge";
    reached = "✓ Reached";
    not_yet = "✗ Not yet";
    goal_reached = "reached:";
    goal_missed = "not yet:";
    one_solution = "One solution:";
    give_up = "Give up and show a solution";

    sheet = "Incident sheet";
    not_in_run = "not in this run";
    none_asked = "none asked";
    trigger = "Trigger";
    lasted = "Lasted";
    detected_after = "Detected after";
    reads_failed = "Reads failed";
    writes_failed = "Writes failed";
    reads_stale = "Reads answered stale";
    recovered_after = "Recovered after";

    knobs = "Knobs";
    variant = "Variant";
    thin_line(what) = "thin line: {what}";
    turn_back = "turn back";
    not_in_variant = "not in this variant";
    ghost_of(what) = "the run before, {what}";
    ghost_variant(variant) = "variant {variant}";
    ghost_before_edit = "the run before the last edit";
    ghost_unchanged = "without these changes";
    ghost_same = "the same settings";
    without(what) = "without {what}";
    quoted(title) = "“{title}”";
    seed(seed) = "seed {seed}";

    recorded_run = "Recorded run";
    a_recorded_run = "A recorded run";
    is_fixed = "What came in over HTTP and what real parts answered is fixed; everything else follows from it. Step back, seek, ask why, as in a simulated run. There is nothing to turn.";
    back_to_lesson = "Back to the lesson";
    open_another = "Open another recording…";
    reading = "Reading the recording.";
    cannot_be_opened = "This recording cannot be opened";
    recorded(scenario, variant, parts, requests, seconds) = "Recorded run of {scenario}, variant {variant}: {parts}, {requests} requests in {seconds} s.";
    brought_along(scenario) = "The scenario {scenario} is none of this page's: the recording brought it along.";
    same_digest(digest) = "Digest {digest}, same as recorded.";
    other_digest(digest, recorded, version, own) = "Digest {digest}, recorded {recorded}. What you see need not be what happened: version {version} recorded it, this is {own}.";
    no_digest(digest) = "Digest {digest}. None was recorded: the server was killed, or it still runs.";
    all_modelled = "every part modelled";
    real(parts) = "real {parts}";
    both(one, other) = "{one} and {other}";
}
