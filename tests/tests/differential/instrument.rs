//! Makes a guest report the built-ins that it calls, and the calls that it gets, through one of its imports.

use anyhow::{Context, Result, anyhow};
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, ExportKind, ExportSection, Function, FunctionSection, MemArg, Module, ValType};
use wasmparser::{ExternalKind, FuncType, Parser, Payload, TypeRef};

/// What is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A built-in, as the stand-in calls it, and how many of its parameters are told.
    BuiltIn { name: String, shown: usize, has_result: bool },
    /// A call of an import.
    Import(String),
    /// The callback is called, with its three parameters.
    Callback,
    /// A call starts.
    Start,
}

struct Wrapped {
    what: What,
    /// The number of its type.
    ty: u32,
    function: FuncType,
}

#[derive(Default)]
struct Reporter {
    imports: u32,
    defined: u32,
    types: Vec<Option<FuncType>>,
    /// Functions of both kinds, by their number; what is called instead stands after all others.
    wrapped: BTreeMap<u32, Wrapped>,
    trace: u32,
}

/// Rewrites `module`. Returns it, and what the numbers mean that it passes to `trace`: twice the place in the list, and
/// one more when it is over.
pub(crate) fn report(module: &[u8], trace: &str) -> Result<(Vec<u8>, Vec<What>)> {
    let mut reporter = Reporter::of(module, trace)?;
    let mut rewritten = Module::new();
    reporter.parse_core_module(&mut rewritten, Parser::new(0), module).map_err(|error| anyhow!("{error}"))?;
    Ok((rewritten.finish(), reporter.wrapped.into_values().map(|wrapped| wrapped.what).collect()))
}

/// What an import is, by its name.
fn of_import(name: &str) -> Option<What> {
    let (is_async, name) = match name.strip_prefix("[async-lower]") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let (cancellable, name) = match name.strip_prefix("[cancellable]") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let Some((built_in, _)) = name.strip_prefix('[').and_then(|name| name.split_once(']')) else {
        return is_async.then(|| What::Import(name.to_owned()));
    };
    let is_unit = built_in.ends_with("-unit");
    let built_in =
        built_in.trim_end_matches("-unit").trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
    let built_in = match built_in {
        "context-get" => return Some(built_in_of("context.get", 0, true)),
        "context-set" => return Some(built_in_of("context.set", 0, false)),
        "task-return" | "task-cancel" => return Some(built_in_of(&built_in.replacen('-', ".", 1), 0, false)),
        built_in => built_in,
    };
    let (mut name, shown, has_result) = match built_in {
        "waitable-set-new" => ("waitable-set.new".to_owned(), 0, true),
        "waitable-set-wait" => ("waitable-set.wait".to_owned(), 1, true),
        "waitable-set-poll" => ("waitable-set.poll".to_owned(), 1, true),
        "waitable-set-drop" => ("waitable-set.drop".to_owned(), 1, false),
        "waitable-join" => ("waitable.join".to_owned(), 2, false),
        "subtask-drop" => ("subtask.drop".to_owned(), 1, false),
        "subtask-cancel" => ("subtask.cancel".to_owned(), 1, true),
        "thread-yield" => ("thread.yield".to_owned(), 0, true),
        "backpressure-inc" | "backpressure-dec" => (built_in.replacen('-', ".", 1), 0, false),
        _ => {
            let (of, verb) = built_in.split_once('-')?;
            match verb {
                "new" => (format!("{of}.new"), 0, true),
                "read" | "write" => (format!("{of}.{verb}"), if of == "stream" && !is_unit { 3 } else { 1 }, true),
                "cancel-read" | "cancel-write" => (format!("{of}.cancel"), 1, true),
                "drop-readable" | "drop-writable" => (format!("{of}.drop"), 1, false),
                _ => return None,
            }
        }
    };
    if name == "subtask.cancel" && is_async {
        name += " async";
    }
    if cancellable {
        name += " cancellable";
    }
    Some(built_in_of(&name, shown, has_result))
}

fn built_in_of(name: &str, shown: usize, has_result: bool) -> What {
    What::BuiltIn { name: name.to_owned(), shown, has_result }
}

impl Reporter {
    fn of(module: &[u8], trace: &str) -> Result<Reporter> {
        let mut reporter = Reporter::default();
        let mut defined = Vec::new();
        let mut found = None;
        let mut wrap = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for group in types {
                        for ty in group?.into_types() {
                            let function = match ty.composite_type.inner {
                                wasmparser::CompositeInnerType::Func(function) => Some(function),
                                _ => None,
                            };
                            reporter.types.push(function);
                        }
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        let TypeRef::Func(ty) = import.ty else { continue };
                        if import.name == trace {
                            found = Some(reporter.imports);
                        } else if let Some(what) = of_import(import.name) {
                            wrap.push((reporter.imports, what, ty));
                        }
                        reporter.imports += 1;
                    }
                }
                Payload::FunctionSection(functions) => {
                    reporter.defined = functions.count();
                    defined = functions.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        let what = match export.name {
                            name if name.starts_with("[callback]") => What::Callback,
                            name if name.starts_with("[async-lift]") => What::Start,
                            _ => continue,
                        };
                        let ty = defined[(export.index - reporter.imports) as usize];
                        wrap.push((export.index, what, ty));
                    }
                }
                _ => {}
            }
        }
        for (index, what, ty) in wrap {
            let function = reporter.types[ty as usize].clone().context("a function has no type")?;
            reporter.wrapped.insert(index, Wrapped { what, ty, function });
        }
        reporter.trace = found.context("there is no function to report through")?;
        Ok(reporter)
    }

    fn instead_of(&self, index: u32) -> Option<u32> {
        let place = self.wrapped.keys().position(|wrapped| *wrapped == index)?;
        Some(self.imports + self.defined + place as u32)
    }

    /// The function that stands in for one: it reports, calls it, and reports again.
    fn wrapper(&self, place: usize, index: u32, wrapped: &Wrapped) -> Function {
        let params = wrapped.function.params();
        let result = wrapped.function.results().first();
        let local = params.len() as u32;
        let ty = |ty: &wasmparser::ValType| if *ty == wasmparser::ValType::I64 { ValType::I64 } else { ValType::I32 };
        let mut function = Function::new(result.map(|result| (1, ty(result))));
        let mut body = function.instructions();
        body.i32_const(2 * place as i32);
        for param in 0..3 {
            match params.get(param) {
                Some(wasmparser::ValType::I32) => body.local_get(param as u32),
                _ => body.i32_const(0),
            };
        }
        body.call(self.trace);
        for param in 0..params.len() {
            body.local_get(param as u32);
        }
        body.call(index);
        if let Some(result) = result {
            body.local_set(local);
            body.i32_const(2 * place as i32 + 1);
            if *result == wasmparser::ValType::I64 {
                body.local_get(local).i32_wrap_i64().local_get(local).i64_const(32).i64_shr_u().i32_wrap_i64();
                body.i32_const(0);
            } else {
                body.local_get(local);
                let event = matches!(&wrapped.what, What::BuiltIn { name, .. }
                    if name.starts_with("waitable-set.wait") || name.starts_with("waitable-set.poll"));
                for offset in [0, 4] {
                    if event {
                        body.local_get(1).i32_load(MemArg { offset, align: 2, memory_index: 0 });
                    } else {
                        body.i32_const(0);
                    }
                }
            }
            body.call(self.trace).local_get(local);
        }
        body.end();
        function
    }
}

impl Reencode for Reporter {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Self::Error>> {
        // Calls of the module's own functions stay as they are.
        Ok(if index < self.imports { self.instead_of(index).unwrap_or(index) } else { index })
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Result<(), Error<Self::Error>> {
        match self.instead_of(export.index) {
            Some(index) if export.kind == ExternalKind::Func => {
                exports.export(export.name, ExportKind::Func, index);
                Ok(())
            }
            _ => utils::parse_export(self, exports, export),
        }
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_function_section(self, functions, section)?;
        for wrapped in self.wrapped.values() {
            functions.function(wrapped.ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_code_section(self, code, section)?;
        for (place, (index, wrapped)) in self.wrapped.iter().enumerate() {
            code.function(&self.wrapper(place, *index, wrapped));
        }
        Ok(())
    }
}
