//! The arrows of the design, held as data: who may name whom, and what is nowhere to be found.
//!
//! Each rule brings the texts that it must refuse. It reads the tree as text; what needs types is clippy's.

mod source;

use source::{code_of, rooms, words};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Paths from the root of the project, and the texts of those that are Rust.
type Tree = BTreeMap<String, String>;

/// Something that is never done.
struct Rule {
    name: &'static str,
    /// Which files it looks at, by path.
    files: fn(&str) -> bool,
    /// What it finds in a file, as ends of a sentence that begins with the path.
    refuses: fn(&File<'_>) -> Vec<String>,
    because: &'static str,
    /// Trees that it must refuse, each a list of paths and texts.
    bad: &'static [&'static [(&'static str, &'static str)]],
}

/// A file under a rule.
struct File<'t> {
    path: &'t str,
    text: &'t str,
    /// The text without comments and the content of literals.
    code: String,
    tree: &'t Tree,
}

const ROLES: &[&str] = &["agent", "auth", "client", "gateway", "supervisor"];
const SHARED: &[&str] = &["config", "contract", "http", "net", "telemetry", "token", "wall"];
const LINES_MAX: usize = 500;

const RULES: &[Rule] = &[
    Rule {
        name: "roles meet in the contract",
        files: |path| room(path).is_some_and(|room| ROLES.contains(&room)),
        refuses: |file| foreign_rooms(file, SHARED),
        because: "a role that names another cannot be tested, replaced or moved without it",
        bad: &[
            &[("src/client/machine.rs", "use crate::gateway::Limits;")],
            &[("src/auth.rs", "use crate::{net::Net, supervisor::{self, store}};")],
            &[("src/agent/search.rs", "fn f() { super::super::client::go() }")],
        ],
    },
    Rule {
        name: "the contract names only itself",
        files: |path| room(path) == Some("contract"),
        refuses: |file| foreign_rooms(file, &[]),
        because: "every part depends on it, so it depends on none",
        bad: &[&[("src/contract/frame.rs", "use crate::config::Limits;")]],
    },
    Rule {
        name: "only shells wait",
        files: |path| path.starts_with("src/") && !may_wait(path),
        refuses: |file| found(file, is_waiting),
        because: "a machine that never awaits runs on sockets, in the world and in property tests",
        bad: &[
            &[("src/gateway/machine.rs", "async fn f() {}")],
            &[("src/client/dedup.rs", "fn f() { g().await }")],
            &[("src/supervisor/store.rs", "use tokio::sync::mpsc;")],
            &[("src/lib.rs", "use tokio as runtime;")],
        ],
    },
    Rule {
        name: "oracles never see the world",
        files: |path| path.starts_with("sim/src/oracle"),
        refuses: |file| {
            rooms(&file.code, depth(file.path))
                .into_iter()
                .filter(|room| room == "world")
                .map(|room| format!("names `{room}`"))
                .collect()
        },
        because: "a judgement must hold for any network, and for a trace made by hand",
        bad: &[
            &[("sim/src/oracle/order.rs", "use crate::world::Tap;")],
            &[("sim/src/oracle/mod.rs", "use crate::{trace::Trace, world};")],
            &[("sim/src/oracle/order.rs", "use super::super::world;")],
        ],
    },
    Rule {
        name: "no second build",
        files: |path| path.starts_with("src/"),
        refuses: conditions,
        because: "what is tested must be what is deployed",
        bad: &[
            &[("src/net.rs", "#[cfg(feature = \"sim\")] fn f() {}")],
            &[("src/net.rs", "#[cfg(not(test))] fn f() {}")],
            &[("src/net.rs", "fn f() { if cfg!(debug_assertions) {} }")],
            &[("src/net.rs", "#[cfg_attr(unix, inline)] fn f() {}")],
        ],
    },
    Rule {
        name: "no detached task",
        files: |path| path.starts_with("src/") || path.starts_with("sim/src/"),
        refuses: detached,
        because: "the root future of a role owns its tasks, so that dropping it stops the role",
        bad: &[
            &[("src/gateway/shell.rs", "fn f() { tokio::spawn(g()); }")],
            &[("src/gateway/shell.rs", "fn f() { tokio::task::spawn(g()); }")],
            &[("src/gateway/shell.rs", "fn f() { set.spawn_local(g()); }")],
            &[("src/supervisor/shell.rs", "use tokio::task::spawn_blocking;")],
            &[("src/http/serve.rs", "fn f() { axum::serve(listener, router) }")],
            &[("src/gateway/shell.rs", "fn f() { ws.on_upgrade(g) }")],
            &[("sim/src/world/hosts.rs", "fn f() { task.detach() }")],
        ],
    },
    Rule {
        name: "no orphan snapshot",
        files: |path| path.starts_with("snapshots/") && path.ends_with(".snap"),
        refuses: orphan,
        because: "a snapshot that nothing compares with looks like evidence and is none",
        bad: &[
            &[("snapshots/golden__gone.snap", "")],
            &[("snapshots/golden__gone.snap", ""), ("sessions/not_gone.yaml", "")],
            &[("snapshots/contract__gone.snap", ""), ("tests/contract.rs", "\"there\"")],
            &[("snapshots/stray.snap", "")],
        ],
    },
    Rule {
        name: "a file says why it exists",
        files: is_ours,
        refuses: |file| {
            let silent = !file.text.starts_with("//! ");
            silent.then(|| "does not begin with `//! `".to_owned()).into_iter().collect()
        },
        because: "the first line is what a newcomer reads",
        bad: &[&[("src/net.rs", "use std::fmt;\n//! late")], &[("tests/a.rs", "")]],
    },
    Rule {
        name: "a file is named for what it is",
        files: is_ours,
        refuses: |file| {
            let words = file.path.trim_end_matches(".rs").split(['/', '_', '-']);
            let refused = words.filter(|word| REFUSED.contains(word));
            refused.map(|word| format!("is named `{word}`")).collect()
        },
        because: "such a name says nothing and gathers everything",
        bad: &[
            &[("src/gateway/manager.rs", "//! x")],
            &[("sim/src/utils/mod.rs", "//! x")],
            &[("tests/test_helpers.rs", "//! x")],
        ],
    },
    Rule {
        name: "a file fits in a head",
        files: is_ours,
        refuses: |file| {
            let lines = file.text.lines().count();
            (lines > LINES_MAX).then(|| format!("has {lines} lines")).into_iter().collect()
        },
        because: "beyond that a file holds two topics",
        bad: &[&[("src/net.rs", LONG)]],
    },
];

/// Words that name nothing, and their plurals.
const REFUSED: &[&str] = &[
    "common", "data", "handler", "handlers", "helper", "helpers", "info", "manager", "managers",
    "misc", "util", "utils",
];

/// A text of more lines than are allowed.
const LONG: &str = {
    const BYTES: [u8; LINES_MAX + 1] = [b'\n'; LINES_MAX + 1];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

/// The room of a file of the assistant: the first part of its path below `src`.
fn room(path: &str) -> Option<&str> {
    let below = path.strip_prefix("src/")?;
    below.split('/').next().map(|part| part.trim_end_matches(".rs"))
}

fn is_ours(path: &str) -> bool {
    path.ends_with(".rs")
}

fn may_wait(path: &str) -> bool {
    let in_role = |path: &str| {
        path.split('/').nth(2).is_some_and(|part| part == "shell" || part == "shell.rs")
    };
    ["src/net.rs", "src/main.rs"].contains(&path)
        || path.starts_with("src/http/")
        || path.starts_with("src/cli/")
        || in_role(path)
}

/// How many modules lie between a file and the root of its package.
fn depth(path: &str) -> usize {
    let (_, below) = path.split_once("src/").unwrap_or_default();
    let parts = below.split('/').filter(|part| *part != "mod.rs");
    parts.count()
}

fn foreign_rooms(file: &File<'_>, allowed: &[&str]) -> Vec<String> {
    let own = room(file.path);
    let tree = file.tree.keys().filter_map(|path| room(path));
    let all: Vec<&str> = tree.chain(ROLES.iter().chain(SHARED).copied()).collect();
    rooms(&file.code, depth(file.path))
        .iter()
        .map(String::as_str)
        .filter(|named| all.contains(named) && Some(*named) != own && !allowed.contains(named))
        .map(|named| format!("names `{named}`"))
        .collect()
}

/// The words that are refused where they stand, judged by what is before and after them.
fn found(file: &File<'_>, refused: fn(&str, &str, &str) -> bool) -> Vec<String> {
    let words = words(&file.code).into_iter();
    words
        .filter(|(before, word, after)| refused(before, word, after))
        .map(|(_, word, _)| format!("says `{word}`"))
        .collect()
}

fn is_waiting(before: &str, word: &str, _: &str) -> bool {
    matches!(word, "async" | "tokio") || (word == "await" && before.ends_with('.'))
}

fn conditions(file: &File<'_>) -> Vec<String> {
    let code: String = file.code.split_whitespace().collect();
    // A socket option that only one system has makes no second assistant.
    let code = code.replace("cfg(test)", "").replace("cfg(target_os=\"\")", "");
    let ways = ["cfg(", "cfg!(", "cfg_attr("];
    let found = ways.iter().filter(|way| code.contains(**way));
    found.map(|way| format!("says `{way}` of something else than test")).collect()
}

fn detached(file: &File<'_>) -> Vec<String> {
    let code: String = file.code.split_whitespace().collect();
    let ways = [
        "tokio::spawn",
        "task::spawn",
        "spawn_local",
        "spawn_blocking",
        "axum::serve",
        "on_upgrade(",
        ".detach()",
    ];
    let found = ways.iter().filter(|way| code.contains(**way));
    found.map(|way| format!("says `{way}`")).collect()
}

/// `golden__NAME.snap` belongs to a session, `TEST__NAME.snap` to a test that says "NAME".
fn orphan(file: &File<'_>) -> Vec<String> {
    let name = file.path.trim_start_matches("snapshots/").trim_end_matches(".snap");
    let owned = name.split_once("__").is_some_and(|(test, name)| {
        let quoted = format!("\"{name}\"");
        let session = |path: &String| {
            path.strip_prefix("sessions/").and_then(|path| path.strip_suffix(".yaml")).is_some_and(
                |path| path.replace('/', "__") == name || path.rsplit('/').next() == Some(name),
            )
        };
        let (alone, parts) = (format!("tests/{test}.rs"), format!("tests/{test}/"));
        let mut sources =
            file.tree.iter().filter(|(path, _)| **path == alone || path.starts_with(&parts));
        // A test of several files names the whole snapshot, as no module does it for them.
        let whole = format!("\"{test}__{name}\"");
        (test == "golden" && file.tree.keys().any(session))
            || sources.any(|(_, text)| text.contains(&quoted) || text.contains(&whole))
    });
    (!owned).then(|| "belongs to no session and no test".to_owned()).into_iter().collect()
}

/// What a rule refuses in a tree.
fn check(rule: &Rule, tree: &Tree) -> Vec<String> {
    let files = tree.iter().filter(|(path, _)| (rule.files)(path));
    files
        .flat_map(|(path, text)| {
            let code = code_of(text);
            let refused = (rule.refuses)(&File { path, text, code, tree });
            refused.into_iter().map(move |what| format!("{path} {what}"))
        })
        .collect()
}

/// Adds every file below `folder`; only Rust is read.
fn read(root: &Path, folder: &str, tree: &mut Tree) {
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return;
    };
    for entry in entries {
        let entry = entry.expect("a readable folder");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            read(root, &path, tree);
        } else {
            let rust = path.ends_with(".rs");
            let text = rust.then(|| fs::read_to_string(entry.path()).expect("a text"));
            tree.insert(path, text.unwrap_or_default());
        }
    }
}

#[test]
fn the_tree_keeps_every_rule() {
    let mut tree = Tree::new();
    for folder in ["src", "sim/src", "tests", "sessions", "snapshots"] {
        read(Path::new(env!("CARGO_MANIFEST_DIR")), folder, &mut tree);
    }
    let mut broken = String::new();
    for rule in RULES {
        for what in check(rule, &tree) {
            broken.push_str(&format!("  {what}\n    {}: {}\n", rule.name, rule.because));
        }
    }
    assert!(broken.is_empty(), "the tree is not tidy:\n{broken}");
    assert!(tree.len() > 20, "the tree was not found");
}

/// The named invariants of the study of gateways and clients (its section C).
const INVARIANTS: &[&str] = &[
    "BO-RANGE",
    "BO-JITTER-AT-CAP",
    "BO-NO-RESET-ON-OPEN",
    "BO-RESET-AFTER-STABLE",
    "BO-BOUND",
    "BO-PARK",
    "BO-HERD",
    "BO-ADVICE",
    "CC-TOTAL",
    "CC-NEVER",
    "CC-NO-ILLEGAL-SEND",
    "CC-HANDSHAKE",
    "CC-ERRMAP",
    "CC-1000-INTENT",
    "SW-ONE",
    "SW-STALE",
    "SW-NO-ZOMBIE-TIMER",
    "SW-CLOSE-WINS",
    "SW-OPEN-AGAIN",
    "SW-LIVENESS",
    "DD-EXACT",
    "DD-NO-FALSE-DROP",
    "DD-LRU",
    "OR-THREAD",
    "RC-COMPLETE",
    "RC-ALL-OR-NOTHING",
    "RC-EPOCH",
    "RC-ZERO",
    "RC-AUTHZ",
    "AK-ONCE",
    "AK-FIFO",
    "AK-POISON",
    "HB-DETECT",
    "HB-NO-FALSE",
    "BP-BOUND",
    "PONG",
    "MT-CONSERVE",
    "MT-FRAMES",
    "MT-ADVICE",
    "MT-CARD",
    "MT-DURATION",
    "MT-CLIENT",
    "DR-NONE-LOST",
    "DR-ALL-1012",
    "DR-RATE",
    "DR-DEADLINE",
    "DR-NO-NEW",
    "AU-FRESH",
    "AU-SINGLE-FLIGHT",
    "AU-EXPIRE",
    "AU-REVOKE",
    "AU-ORIGIN",
    "AU-NO-LOOP",
];

/// The invariants that no test and no oracle of a tree names.
fn unheld<'n>(tree: &Tree, names: &[&'n str]) -> Vec<&'n str> {
    let judged = |(path, text): (&'_ String, &'_ String)| {
        let whole = path.contains("tests/") || path.starts_with("sim/src/oracle");
        let test = if whole {
            Some(text.as_str())
        } else {
            text.split_once("#[cfg(test)]").map(|(_, t)| t)
        };
        test.unwrap_or_default().to_owned()
    };
    // Not this file, which names them all.
    let files = tree.iter().filter(|(path, _)| *path != "tests/tidy.rs");
    let tests: String = files.map(judged).collect();
    let functions: String = tests.lines().filter(|line| line.contains("fn ")).collect();
    let is_held = |name: &&str| {
        functions.contains(&name.to_lowercase().replace('-', "_")) || tests.contains(*name)
    };
    names.iter().copied().filter(|name| !is_held(name)).collect()
}

#[test]
fn every_invariant_of_the_study_is_held_by_name() {
    let mut tree = Tree::new();
    for folder in ["src", "sim", "tests"] {
        read(Path::new(env!("CARGO_MANIFEST_DIR")), folder, &mut tree);
    }
    assert_eq!(unheld(&tree, INVARIANTS), [""; 0]);
}

#[test]
fn an_invariant_that_is_only_spoken_of_is_not_held() {
    let tree = |path: &str, text: &str| Tree::from([(path.to_owned(), text.to_owned())]);
    for (path, text, held) in [
        ("src/a.rs", "//! AB-C is important.", false),
        ("src/a.rs", "#[cfg(test)]\nmod tests { fn ab_c_holds() {} }", true),
        ("tests/a.rs", "fn ab_c_holds() {}", true),
        ("tests/a.rs", "let ab_c = 1;", false),
        ("tests/a.rs", "// AB-C: nobody is late.", true),
        ("tests/tidy.rs", "\"AB-C\"", false),
    ] {
        assert_eq!(unheld(&tree(path, text), &["AB-C"]).is_empty(), held, "{path}: {text}");
    }
}

#[test]
fn every_rule_refuses_what_it_is_made_for() {
    for rule in RULES {
        assert!(!rule.bad.is_empty(), "`{}` has no negative case", rule.name);
        for bad in rule.bad {
            let tree =
                bad.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
            assert!(!check(rule, &tree).is_empty(), "`{}` accepts {bad:?}", rule.name);
        }
    }
}

#[test]
fn no_rule_refuses_what_is_only_said_or_allowed() {
    let good = [
        (
            "src/client/machine.rs",
            "//! No tokio::spawn here.\nuse crate::contract::frame::ServerFrame;\n\
            use super::backoff;\n#[cfg(test)]\nmod tests { const S: &str = \"async crate::gateway\"; }",
        ),
        ("src/client/shell.rs", "//! Waits.\nasync fn f() { g().await; set.spawn(h()); }"),
        (
            "src/gateway/shell/read.rs",
            "//! Waits too.\nuse tokio::io;\nuse crate::{config, net::Net};",
        ),
        (
            "sim/src/oracle/quiet.rs",
            "//! Not of this world.\nfn f() { let world = scenario.world.limit; }",
        ),
        ("sessions/faults/cut.yaml", ""),
        ("snapshots/golden__cut.snap", ""),
        ("snapshots/golden__faults__cut.snap", ""),
        ("tests/contract.rs", "//! Locks.\nconst A: &str = \"ack\";"),
        ("snapshots/contract__ack.snap", ""),
    ];
    let tree = good.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    for rule in RULES {
        assert_eq!(check(rule, &tree), [""; 0], "`{}`", rule.name);
    }
}
