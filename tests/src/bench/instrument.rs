//! Counts a module's calls of built-ins: of imports that are not functions of a world.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, ConstExpr, Function, FunctionSection, GlobalSection, GlobalType, Module, ValType};
use wasmparser::{ExternalKind, FunctionBody, Parser, Payload, TypeRef};

/// What is counted, and where the count is read.
#[derive(Default)]
struct Counter {
    /// Imported functions, of all kinds.
    imports: u32,
    /// Functions of the module itself.
    defined: u32,
    globals: u32,
    /// The built-ins, with their type and the number of their parameters: the functions that are called instead stand
    /// after all others, so that no number changes.
    built_ins: BTreeMap<u32, (u32, u32)>,
    /// The function that is to return the count.
    reads: u32,
    /// Functions whose bodies are written.
    written: u32,
}

/// Rewrites `module` so that its export `read` returns how often it has called built-ins.
///
/// # Errors
///
/// When the module is none, or has no such export.
pub(super) fn count_built_ins(module: &[u8], read: &str) -> Result<Vec<u8>> {
    let mut counter = Counter::of(module, read)?;
    let mut counted = Module::new();
    counter.parse_core_module(&mut counted, Parser::new(0), module).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(counted.finish())
}

impl Counter {
    fn of(module: &[u8], read: &str) -> Result<Counter> {
        let (mut counter, mut params, mut found) = (Counter::default(), Vec::new(), None);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        params.push(ty?.params().len() as u32);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        let TypeRef::Func(ty) = import.ty else { continue };
                        // `task.return` is a part of every async export, and counted as its built-in call.
                        let is_call = import.name.starts_with("[async-lower]") && !import.name.contains("][");
                        if import.name.starts_with('[') && !is_call {
                            let params = *params.get(ty as usize).context("an import has no type")?;
                            counter.built_ins.insert(counter.imports, (ty, params));
                        }
                        counter.imports += 1;
                    }
                }
                Payload::FunctionSection(functions) => counter.defined = functions.count(),
                Payload::GlobalSection(globals) => counter.globals = globals.count(),
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if export.name == read && export.kind == ExternalKind::Func {
                            found = Some(export.index);
                        }
                    }
                }
                _ => {}
            }
        }
        counter.reads = found.with_context(|| format!("there is no export `{read}`"))?;
        Ok(counter)
    }
}

impl Reencode for Counter {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Self::Error>> {
        let counted = self.built_ins.keys().position(|built_in| *built_in == index);
        Ok(counted.map_or(index, |position| self.imports + self.defined + position as u32))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_function_section(self, functions, section)?;
        for (ty, _) in self.built_ins.values() {
            functions.function(*ty);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_global_section(self, globals, section)?;
        globals.global(GlobalType { val_type: ValType::I64, mutable: true, shared: false }, &ConstExpr::i64_const(0));
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_code_section(self, code, section)?;
        for (built_in, (_, params)) in &self.built_ins {
            let mut function = Function::new([]);
            let mut body = function.instructions();
            body.global_get(self.globals).i64_const(1).i64_add().global_set(self.globals);
            for param in 0..*params {
                body.local_get(param);
            }
            body.call(*built_in).end();
            code.function(&function);
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let index = self.imports + self.written;
        self.written += 1;
        if index != self.reads {
            return utils::parse_function_body(self, code, body);
        }
        let mut function = Function::new([]);
        function.instructions().global_get(self.globals).end();
        code.function(&function);
        Ok(())
    }
}
