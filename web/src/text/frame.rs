//! The head of the page, its dialogs, and notices.

use super::strings;

strings! {
    course = "How API systems bend and break";
    page_of(what) = "{what} · Faultline";
    page_of_course = "Faultline: how API systems bend and break";
    to_all_lessons = "Faultline: all lessons";
    all_lessons = "All lessons";
    switch_theme = "Switch between light and dark";
    light_or_dark = "Light or dark";
    share = "Share";
    embed = "Embed";
    help = "Help: keys";
    help_key = "Keys (?)";
    seed = "seed";
    seed_means = "Seed of all randomness";
    run = "run";
    digest_is(digest) = "Digest of the run: {digest}";

    keys = "Keys";
    keys_work = "They work while the stage or the heading of the lesson has the focus; those that write nothing also while nothing has it. Every key has a button or a slider as well.";
    key_play = "play or pause";
    key_step = "one event back or on";
    key_second = "one second back or on";
    key_failure = "previous or next failure";
    key_milestone = "next milestone";
    key_ends = "start or end of the run";
    key_why = "why did this request end so";
    key_help = "this list";
    key_close = "close";
    one_run = "Everything you see is computed from one run: the same scenario and the same seed give the same run everywhere, and its digest proves it.";
    space_bar = "Space";
    close = "Close";

    dismiss = "Dismiss";
    and_more(count) = "And {count} more.";
    unread = "Not everything in the address was understood";
    unheard = "A message from the page around was not understood";

    cannot_run(what) = "{what} cannot run";
    the_lesson = "The lesson";
    lesson_named(title) = "Lesson: {title}";
    the_scenario = "The scenario";
    one_is_wrong = "One thing is wrong with it. Nothing was changed or run.";
    some_are_wrong(count) = "{count} things are wrong with it. Nothing was changed or run.";
    whole_document = "(document)";

    shown_in_frame(what) = "Faultline: {what}";
    open_whole = "open the whole lesson";
    if_not_opened = "If no page opened, this is its address:";
    open_playground = "open in the playground";
}
