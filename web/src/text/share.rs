//! The dialog in which a link is set and handed on. What each parameter asks for is said by the core's table.

use super::strings;

strings! {
    written_as = "As";
    link = "Link";
    link_is = "Whoever opens it sees this very run at this very event; a lesson asks its question first.";
    frame = "Frame";
    frame_is = "For a page of your course. The frame needs no script, no cookies and no storage.";
    element = "Element";
    element_is = "For a page of your course that may load a script: nothing is loaded before the reader starts it, and the height follows.";
    markdown = "Markdown";
    markdown_is = "A link for a text in Markdown.";
    long_link(length, longest) = "The link has {length} characters, and some programs cut off links of more than {longest}: an exported file is safer.";
    to_copy = "What to copy";
    copy = "Copy";
    copied = "Copied.";
    selected = "Selected: copy it with Ctrl+C.";
    what_it_opens = "What it opens";
    the_run = "The run";
    where_it_looks = "Where it looks";
    how_it_looks = "How it looks";
    each_in_a_line = "Each in a line of its own.";
}
