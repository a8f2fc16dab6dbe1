//! What of an address, a file or a message was not understood: what is wrong, and how to mend it.

use super::strings;

strings! {
    no_lesson(id) = "there is no lesson `{id}`";
    no_course_file(name, why) = "course/{name} cannot be read: {why}";
    beside_the_program = "Reload the page; the file lies beside the program.";
    no_starts = "it has no scenarios";
    no_lesson_in_it = "it has no lesson";
    a_scenario = "A scenario";
    no_variant(id) = "there is no variant `{id}`";
    known(ids) = "Known: {ids}.";
    cannot_be_set(change, what) = "`{change}` cannot be set: {what}";
    no_lesson_plays(scenario) = "no lesson plays on a scenario `{scenario}`";
    on_command_line = "Give the whole link to `faultline run` on a command line.";

    no_option(answer) = "`{answer}` is no option of the prediction";
    options(options) = "Options: {options}.";
    no_beat(beat) = "there is no step {beat} in this lesson";
    beats(count) = "It has steps 1 to {count}.";
    other_digest(digest, other) = "this run's digest is {digest}, and the link was made of {other}";
    changed_since = "The lesson or the program has changed since, so what you see may differ from what was meant.";
    something_else = "Something else in the link was not understood, so this is another run.";
    no_request(number) = "there is no request {number} in this run";
    requests(count) = "It has requests 1 to {count}.";

    no_window = "there is no window";
    server_answered(status) = "the server answered {status}";
    choose_recording = "Choose a file that `faultline serve --record FILE` wrote, or start the server so.";
    unreadable(why) = "cannot be read: {why}";
    no_text = "it is no text";
    browser_refused = "the browser refused";
    choose_exported = "Choose a file that this page exported.";
    too_long_progress = "is too long for a file of progress";
    not_version_1 = "is not 1";
    missing = "is missing";
    no_progress = "does not say what was predicted and passed";
    too_long_scenario = "is too long for a scenario";
    no_object = "is no JSON object";
    nothing_changed = "Nothing was changed.";

    no_link = "is no link";
    link_of_a_state = "Send the `link` of a state.";
    step_or_instant = "Give a step or an instant.";
    beside_step = "stands beside step";
    one_of_them = "Give one of them.";
    before_run = "is before the run begins";
    from_0 = "Give seconds from 0 on.";
    while_recorded = "cannot be done while a recorded run is open";
    open_without = "Open the lesson without `recording`.";
    unknown(what) = "`{what}` is not known";
    themes = "Write light, dark or auto.";
    motions = "Write auto, reduce or full.";
    speaks(languages) = "This page speaks {languages}.";
    not_spoken(language) = "`{language}` is not spoken here";
    still_computing = "the run is still being computed";
    wait = "Wait for a state that is not `computing`.";
    past_prediction = "leads past the prediction";
    predict_first = "The learner predicts first; frames with embed=1 do not ask.";
    other_lesson(lesson, other) = "this is the lesson `{lesson}`, not `{other}`";
    frame_of_its_own = "Open the link in a frame of its own.";
}
