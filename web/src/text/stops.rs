//! What to stop at.

use super::strings;

strings! {
    breakpoint = "Breakpoint";
    stop_at = "Stop at";
    previous = "Previous";
    next = "Next";
    explained = "Play stops there too. Names of node, route, request and event, with commas between, or a signal: queue_depth.max > 50.";
    nothing = "Say what to stop at.";
    none_later = "It does not happen after this moment.";
    hidden = "It happens later, and that is hidden until you say what you think will happen.";
    none_before = "It did not happen before this moment.";
}
