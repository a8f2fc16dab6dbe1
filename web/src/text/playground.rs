//! The playground: the document in work.

use super::strings;

strings! {
    playground = "Playground";
    document = "The document";
    edit_as = "Edit as";
    system = "System";
    json = "JSON";
    undo = "Undo";
    undo_key = "Ctrl+Z";
    redo_key = "Ctrl+Shift+Z";
    redo = "Redo";
    stale = "The document cannot run as it is now. This is the last run that it gave.";
    fields_coming = "The fields are on their way.";
    no_fields(file, why) = "The fields cannot be shown: {file} cannot be read ({why}). The JSON can be edited.";
    no_schema = "it is no schema";

    files = "Start, open, keep";
    start_from = "Start from";
    templates = "Templates";
    lessons = "Lessons";
    start = "Start";
    import = "Import a file…";
    export = "Export as a file";
    keep_as = "Keep this version as";
    a_name = "a name";
    keep = "Keep";
    restore = "Restore";
    restore_what(name) = "Restore {name}";
    delete = "Delete";
    delete_what(name) = "Delete {name}";
    versions = "Versions kept in this browser";
    version(number) = "Version {number}";

    what_is_wrong = "What is wrong";
    one_is_wrong = "One thing is wrong";
    some_are_wrong(count) = "{count} things are wrong";
    whole_document = "(document)";
    as_json = "The document as JSON";
    json_text = "JSON of the document";
    choose_node = "The system: choose a node";
    calls(nodes) = ", calls {nodes}";
    called_by(nodes) = ", called by {nodes}";
    new_kind = "Kind of the new node";
    kind(kind, about) = "{kind}: {about}";
    client = "people or programs that send requests";
    gateway = "the entrance: tokens and quotas";
    service = "workers that do steps for each route";
    cache = "copies of rows";
    store = "rows, in the manner of SQLite";
    queue = "messages between services";
    database = "tables, transactions, locks";
    add_node = "Add node";
    connect_from = "Connect from";
    to = "to";
    connect = "Connect";
    scenario_itself = "the scenario itself";
    scenario_fields = "title, seed, length";
    add_a(what) = "Add a {what}";
    no_such_part = "The format has no such part: look at it as JSON.";
    the_scenario = "The scenario";

    name = "Name";
    calls_of_node = "Calls";
    calls_node(node) = "calls {node}";
    disconnect = "Disconnect";
    and_disconnect = ": disconnect";
    take_out(field) = "Take out {field}";
    choose = "choose";
    something_to_add = "Something to add";
    add = "Add";
    add_at_end = "Add one at the end";
    new_name = "Name of the new entry";
    one_more = "name of one more";
    per_second = "per s";
    bytes = "bytes";

    kept_before(name) = "What you worked on before is kept as {name}.";
    started(scenario, variant) = "Started from {scenario}, variant {variant}.";
    no_scenario(scenario) = "There is no scenario `{scenario}` to start from.";
    nothing_to_undo = "Nothing to undo.";
    nothing_to_redo = "Nothing to do again.";
    kept(name) = "Kept as {name}.";
    is_back(name) = "{name} is back.";
    is_forgotten(name) = "{name} is forgotten.";
    no_json = "The text is no JSON: mend it first, or undo.";
    cannot_be_done(why) = "That cannot be done: {why}.";
    cannot_be_opened(file, why) = "{file} cannot be opened, and nothing was changed. {why}";
    is_open(file) = "{file} is open.";
    keeps_nothing = "This browser keeps nothing for this page: export a file to keep your work.";
    unreadable = "What this browser kept of the playground cannot be read, so it begins anew.";
    not_kept = "This browser did not keep that: its storage for this page is blocked or full. Export a file to keep your work.";

    no_place(place) = "there is no place `{place}`";
    no_part(part) = "there is no `{part}`";
    whole_stays = "the whole document cannot be taken out";
    document_has_no_name = "the document itself has no name";
    name_is_empty = "a name has at least one letter";
    only_entries = "only entries have names";
    is_taken(name) = "there is a `{name}` already";
    calls_itself = "a node cannot call itself";
    no_route(node) = "`{node}` has no route";
    no_routes(node) = "`{node}` has no routes";
    cache_needs_store(node) = "a cache keeps copies of rows: let `{node}` call a store first";
    no_call(caller, callee) = "a {caller} does not call a {callee}";
    must_pass_on(node) = "`{node}` must pass on to something: connect it to something else";
}
