//! The component that the programs are played in: the guest, and the driver around it.

use crate::instrument::{What, report};
use anyhow::{Context, Result};
use std::fmt::Write;
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::{component, places};
use wit_component::StringEncoding;

/// Builds the guest and the driver. Returns them as one component, and what the guest's reports mean.
pub(crate) fn build() -> Result<(Vec<u8>, Vec<What>)> {
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--release", "--example=differential"])?;
    let (_, module) = guests.iter().find(|(name, _)| name == "differential").context("no guest was built")?;
    let (module, reports) = report(&std::fs::read(module)?, "trace")?;
    let components = [
        ("test:guest".to_owned(), component::encode(&module, None)?),
        ("test:outside".to_owned(), by_hand(&driver_text()?, "outside")?),
        ("test:callee".to_owned(), by_hand(CALLEE, "answerer")?),
    ];
    Ok((component::compose_by_script(SCRIPT, &components)?, reports))
}

/// Makes a component of a module that no generator has a part in.
fn by_hand(text: &str, world: &str) -> Result<Vec<u8>> {
    let mut module = wat::parse_str(text)?;
    let wit = places::workspace().join("tests/guests/differential/differential.wit");
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str(&wit, &std::fs::read_to_string(&wit)?)?;
    let world = resolve.select_world(&[package], Some(world))?;
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    component::encode(&module, None)
}

const SCRIPT: &str = r#"
package test:composed;
let callee = new test:callee { ... };
let guest = new test:guest { "wasp:differential/callee": callee["wasp:differential/callee"], ... };
let outside = new test:outside {
    "wasp:differential/guest": guest["wasp:differential/guest"],
    "wasp:differential/control": callee["wasp:differential/control"],
    ...
};
export outside["wasp:differential/driver"];
"#;

/// The component whose function the guest calls. A call waits for something in a stream of its own, whose writer stands in
/// a list from 1024 until it is answered, after its age and sorted by that. Its context has the writer in the upper half, the reader in the lower one.
const CALLEE: &str = r#"(module
(import "$root" "[waitable-set-new]" (func $new-set (result i32)))
(import "$root" "[waitable-set-drop]" (func $drop-set (param i32)))
(import "$root" "[waitable-join]" (func $join (param i32 i32)))
(import "$root" "[context-get-0]" (func $context (result i32)))
(import "$root" "[context-set-0]" (func $set-context (param i32)))
(import "$root" "[backpressure-inc]" (func $inc))
(import "$root" "[backpressure-dec]" (func $dec))
(import "$root" "[stream-new-unit]" (func $new (result i64)))
(import "$root" "[async-lower][stream-read-unit]" (func $read (param i32 i32 i32) (result i32)))
(import "$root" "[async-lower][stream-write-unit]" (func $write (param i32 i32 i32) (result i32)))
(import "$root" "[async-lower][stream-cancel-read-unit]" (func $cancel-read (param i32) (result i32)))
(import "$root" "[stream-drop-readable-unit]" (func $drop-reader (param i32)))
(import "$root" "[stream-drop-writable-unit]" (func $drop-writer (param i32)))
(import "[export]wasp:differential/callee" "[task-return]late" (func $return (param i32)))
(import "[export]$root" "[task-cancel]" (func $cancel))
(memory (export "memory") 1)
(global $count (mut i32) (i32.const 0))
(global $pressed (mut i32) (i32.const 0))
(func $place (param i32) (result i32) (i32.add (i32.const 1024) (i32.shl (local.get 0) (i32.const 3))))
(func $add (param $age i32) (param $writer i32) (local $at i32)
    (local.set $at (global.get $count))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (block $found
        (loop $more
            (br_if $found (i32.eqz (local.get $at)))
            (br_if $found (i32.lt_u
                (i32.load (call $place (i32.sub (local.get $at) (i32.const 1)))) (local.get $age)))
            (i64.store (call $place (local.get $at))
                (i64.load (call $place (i32.sub (local.get $at) (i32.const 1)))))
            (local.set $at (i32.sub (local.get $at) (i32.const 1)))
            (br $more)))
    (i32.store (call $place (local.get $at)) (local.get $age))
    (i32.store offset=4 (call $place (local.get $at)) (local.get $writer)))
(func $remember (param $reader i32) (result i32) (i32.add (i32.const 8192) (i32.shl (local.get 0) (i32.const 3))))
(func $forget (param $writer i32) (local $at i32)
    (block $found
        (loop $more
            (if (i32.ge_u (local.get $at) (global.get $count)) (then (return)))
            (br_if $found (i32.eq (i32.load offset=4 (call $place (local.get $at))) (local.get $writer)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $more)))
    (global.set $count (i32.sub (global.get $count) (i32.const 1)))
    (loop $more
        (if (i32.ge_u (local.get $at) (global.get $count)) (then (return)))
        (i64.store (call $place (local.get $at))
            (i64.load (call $place (i32.add (local.get $at) (i32.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $more)))
(func (export "[async-lift]wasp:differential/callee#late") (param $id i32) (param $age i32) (result i32)
    (local $both i64) (local $reader i32) (local $writer i32) (local $set i32)
    (if (i32.eq (i32.and (local.get $id) (i32.const 3)) (i32.const 3))
        (then (call $return (i32.add (local.get $id) (i32.const 200))) (return (i32.const 0))))
    (local.set $both (call $new))
    (local.set $reader (i32.wrap_i64 (local.get $both)))
    (local.set $writer (i32.wrap_i64 (i64.shr_u (local.get $both) (i64.const 32))))
    (local.set $set (call $new-set))
    (call $join (local.get $reader) (local.get $set))
    (drop (call $read (local.get $reader) (i32.const 0) (i32.const 1)))
    (call $set-context (i32.or (i32.shl (local.get $writer) (i32.const 16)) (local.get $reader)))
    (i32.store (call $remember (local.get $reader)) (local.get $id))
    (i32.store offset=4 (call $remember (local.get $reader)) (local.get $set))
    (call $add (local.get $age) (local.get $writer))
    (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
(func (export "[callback][async-lift]wasp:differential/callee#late") (param $event i32) (param i32 i32) (result i32)
    (local $reader i32) (local $writer i32) (local $id i32) (local $set i32)
    (local.set $reader (i32.and (call $context) (i32.const 65535)))
    (local.set $writer (i32.shr_u (call $context) (i32.const 16)))
    (local.set $id (i32.load (call $remember (local.get $reader))))
    (local.set $set (i32.load offset=4 (call $remember (local.get $reader))))
    (if (i32.and (i32.eq (local.get $event) (i32.const 6)) (i32.and (local.get $id) (i32.const 1)))
        (then (return (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))))
    (if (i32.eq (local.get $event) (i32.const 6))
        (then
            (call $forget (local.get $writer))
            (drop (call $cancel-read (local.get $reader)))
            (call $cancel))
        (else (call $return (i32.add (local.get $id) (i32.const 200)))))
    (call $drop-reader (local.get $reader))
    (call $drop-writer (local.get $writer))
    (call $drop-set (local.get $set))
    (i32.const 0))
(func (export "wasp:differential/control#pressure") (param $on i32)
    (if (i32.eq (local.get $on) (global.get $pressed)) (then (return)))
    (global.set $pressed (local.get $on))
    (if (local.get $on) (then (call $inc)) (else (call $dec))))
(func (export "wasp:differential/control#answer") (param $number i32) (local $writer i32)
    (if (i32.eqz (global.get $count)) (then (return)))
    (local.set $writer (i32.load offset=4 (call $place (i32.rem_u (local.get $number) (global.get $count)))))
    (call $forget (local.get $writer))
    (drop (call $write (local.get $writer) (i32.const 0) (i32.const 1)))))
"#;

const KINDS: [(&str, &str); 4] = [("stream", "numbers"), ("stream", "texts"), ("future", "number"), ("future", "text")];

/// The driver. It does what it is told, never waits, and never fails but when it is told what must not be.
///
/// The copies of an end are in the kilobyte from 65536 that its handle says: reads first, then writes.
fn driver_text() -> Result<String> {
    let guest = "wasp:differential/guest";
    let driver = "wasp:differential/driver";
    let mut text = String::from("(module\n");
    let mut import = |module: &str, name: &str, function: &str, ty: &str| {
        writeln!(text, "(import \"{module}\" \"{name}\" (func ${function} {ty}))")
    };
    import(guest, "[async-lower]run", "run", "(param i32 i32) (result i32)")?;
    import(guest, "poke", "poke", "(param i32)")?;
    import("wasp:differential/control", "pressure", "press", "(param i32)")?;
    import("wasp:differential/control", "answer", "answer-late", "(param i32)")?;
    import("$root", "[waitable-set-new]", "new-set", "(result i32)")?;
    import("$root", "[waitable-join]", "join", "(param i32 i32)")?;
    import("$root", "[waitable-set-poll]", "poll", "(param i32 i32) (result i32)")?;
    import("$root", "[async-lower][subtask-cancel]", "cancel", "(param i32) (result i32)")?;
    import("$root", "[subtask-drop]", "drop-subtask", "(param i32)")?;
    for name in ["start", "read"] {
        import(
            &format!("[export]{driver}"),
            &format!("[task-return]{name}"),
            &format!("return-{name}"),
            "(param i32)",
        )?;
    }
    for (of, kind) in KINDS {
        import(guest, &format!("give-{kind}"), &format!("give-{kind}"), "(param i32 i32)")?;
        import(guest, &format!("take-{kind}"), &format!("take-{kind}"), "(param i32) (result i32)")?;
        import(guest, &format!("[{of}-new-0]give-{kind}"), &format!("new-{kind}"), "(result i64)")?;
        let copy = if of == "stream" { "(param i32 i32 i32) (result i32)" } else { "(param i32 i32) (result i32)" };
        for verb in ["read", "write"] {
            import(guest, &format!("[async-lower][{of}-{verb}-0]give-{kind}"), &format!("{verb}-{kind}"), copy)?;
            let cancel = format!("[async-lower][{of}-cancel-{verb}-0]give-{kind}");
            import(guest, &cancel, &format!("cancel-{verb}-{kind}"), "(param i32) (result i32)")?;
        }
        for side in ["readable", "writable"] {
            import(guest, &format!("[{of}-drop-{side}-0]give-{kind}"), &format!("drop-{side}-{kind}"), "(param i32)")?;
        }
    }
    text += BODY;
    // Which of the functions of the four kinds is called is in the first parameter.
    let mut choose = |name: &str, ty: &str, call: &dyn Fn(&str, &str) -> String| -> Result<()> {
        let export = if name == "read" { format!("[async-lift]{driver}#{name}") } else { format!("{driver}#{name}") };
        writeln!(text, "(func (export \"{export}\") {ty}")?;
        for (number, (of, kind)) in KINDS.iter().enumerate() {
            writeln!(text, "(if (i32.eq (local.get 0) (i32.const {number})) (then {}))", call(of, kind))?;
        }
        writeln!(text, "unreachable)")?;
        Ok(())
    };
    choose("give", "(param i32 i32) (result i32) (local i64 i32)", &|_, kind| {
        format!(
            "(local.set 2 (call $new-{kind}))
             (local.set 3 (i32.wrap_i64 (i64.shr_u (local.get 2) (i64.const 32))))
             (call $join (local.get 3) (call $set))
             (call $give-{kind} (local.get 1) (i32.wrap_i64 (local.get 2)))
             (return (local.get 3))"
        )
    })?;
    choose("take", "(param i32 i32) (result i32) (local i32)", &|_, kind| {
        format!(
            "(local.set 2 (call $take-{kind} (local.get 1)))
             (call $join (local.get 2) (call $set))
             (return (local.get 2))"
        )
    })?;
    choose("read", "(param i32 i32 i32) (result i32)", &|of, kind| {
        let count = if of == "stream" { "(local.get 2)" } else { "" };
        format!(
            "(call $return-read (call $read-{kind} (local.get 1) (call $area (local.get 1)) {count}))
             (return (call $wait-for-ever))"
        )
    })?;
    choose("write", "(param i32 i32 i32) (result i32)", &|of, kind| {
        let count = if of == "stream" { "(local.get 2)" } else { "" };
        let fill = if kind.starts_with("number") { "fill-numbers" } else { "fill-texts" };
        format!(
            "(call ${fill} (local.get 1))
             (return (call $write-{kind} (local.get 1) (i32.add (call $area (local.get 1)) (i32.const 512)) {count}))"
        )
    })?;
    for verb in ["cancel-read", "cancel-write"] {
        choose(verb, "(param i32 i32) (result i32)", &|_, kind| {
            format!("(return (call ${verb}-{kind} (local.get 1)))")
        })?;
    }
    for (name, side) in [("drop-reader", "readable"), ("drop-writer", "writable")] {
        choose(name, "(param i32 i32)", &|_, kind| format!("(call $drop-{side}-{kind} (local.get 1)) (return)"))?;
    }
    text.push(')');
    Ok(text)
}

const BODY: &str = r#"
(memory (export "memory") 32)
(data (i32.const 16) "abcdefgh")
(global $set (mut i32) (i32.const 0))
(global $never (mut i32) (i32.const 0))
(global $top (mut i32) (i32.const 1048576))
(global $next (mut i32) (i32.const 1))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $allocate (local.get 3)))
(func $allocate (param i32) (result i32)
    (global.get $top)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.add (local.get 0) (i32.const 15))) (i32.const -8))))
(func $set (result i32)
    (if (i32.eqz (global.get $set)) (then (global.set $set (call $new-set))))
    (global.get $set))
(func $area (param i32) (result i32)
    (i32.add (i32.const 65536) (i32.shl (i32.and (local.get 0) (i32.const 511)) (i32.const 10))))
(func $fill-numbers (param i32) (local i32)
    (loop $more
        (i32.store
            (i32.add (i32.add (call $area (local.get 0)) (i32.const 512)) (i32.shl (local.get 1) (i32.const 2)))
            (global.get $next))
        (global.set $next (i32.add (global.get $next) (i32.const 1)))
        (br_if $more (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 8)))))
(func $fill-texts (param i32) (local i32 i32)
    (loop $more
        (local.set 2
            (i32.add (i32.add (call $area (local.get 0)) (i32.const 512)) (i32.shl (local.get 1) (i32.const 3))))
        (i32.store (local.get 2) (i32.const 16))
        (i32.store offset=4 (local.get 2) (i32.add (local.get 1) (i32.const 1)))
        (br_if $more (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 8)))))
(func $wait-for-ever (result i32)
    (if (i32.eqz (global.get $never)) (then (global.set $never (call $new-set))))
    (i32.or (i32.const 2) (i32.shl (global.get $never) (i32.const 4))))
(func (export "[callback][async-lift]wasp:differential/driver#start") (param i32 i32 i32) (result i32) unreachable)
(func (export "[callback][async-lift]wasp:differential/driver#read") (param i32 i32 i32) (result i32) unreachable)
(func (export "[async-lift]wasp:differential/driver#start") (param i32) (result i32) (local i32)
    (local.set 1 (call $run (local.get 0) (call $allocate (i32.const 8))))
    (if (i32.shr_u (local.get 1) (i32.const 4))
        (then (call $join (i32.shr_u (local.get 1) (i32.const 4)) (call $set))))
    (call $return-start (local.get 1))
    (call $wait-for-ever))
(func (export "wasp:differential/driver#cancel") (param i32) (result i32) (call $cancel (local.get 0)))
(func (export "wasp:differential/driver#drop-subtask") (param i32) (call $drop-subtask (local.get 0)))
(func (export "wasp:differential/driver#poke") (param i32) (call $poke (local.get 0)))
(func (export "wasp:differential/driver#press") (param i32) (call $press (local.get 0)))
(func (export "wasp:differential/driver#answer-late") (param i32) (call $answer-late (local.get 0)))
(func (export "wasp:differential/driver#poll") (result i32)
    (i32.store (i32.const 32) (call $poll (call $set) (i32.const 36)))
    (i32.const 32))
(func (export "wasp:differential/driver#sum") (param i32 i32) (result i32) (local i32)
    (block $done
        (loop $more
            (br_if $done (i32.eqz (local.get 1)))
            (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
            (local.set 2 (i32.add (local.get 2)
                (i32.load (i32.add (call $area (local.get 0)) (i32.shl (local.get 1) (i32.const 2))))))
            (br $more)))
    (local.get 2))
"#;
