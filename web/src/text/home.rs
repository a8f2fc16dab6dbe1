//! The page with all lessons, and the learner's progress.

use super::strings;

strings! {
    lede = "Each lesson is a small system under load, simulated in this page. Say what you think will happen, watch it event by event, ask why a request failed, and mend it.";
    begin(lesson) = "Begin: {lesson}";
    go_on(lesson) = "Go on: {lesson}";
    build = "Build your own";
    passed_of(passed, all) = "{passed} of {all} lessons passed";
    glossary = "Glossary";
    minutes(minutes) = "{minutes} min";
    passed = "passed";
    begun = "begun";
    not_begun = "not begun";

    stays_here = "Nothing that you do here leaves this page.";
    privacy = "Privacy";
    right = "How right the simulation is";
    licences = "The program is free under MIT or Apache-2.0, the text of the lessons under";

    progress = "Your progress";
    stays = "It stays in this browser; nothing leaves the page. To take it to another one, export it there as a file and import it here.";
    export = "Export";
    import = "Import…";
    forget = "Forget all of it";
    really = "What you predicted and passed cannot be brought back.";
    forget_now = "Forget it";
    keep_it = "Keep it";
    forgotten = "Your progress is forgotten.";
    not_imported = "This file cannot be imported, and nothing was changed.";
    imported(file) = "{file} was added to your progress.";
    not_kept = "This browser keeps nothing for this page, so your progress is forgotten when you leave it.";
    unreadable(why) = "What this browser kept of your progress cannot be read, so it begins anew. {why}";
}
