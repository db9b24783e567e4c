//! Functions: their signatures, and the plan of their calls.

use super::{Resolver, Side, docs, key_name, span};
use crate::model::{
    CallPlan, Chain, Core, ExportPlan, FuncKind, Function, Guest, ImportPlan, ModuleId, Param, ParamsPlan, ROOT,
    ResultPlan, TaskReturn, TypeKind,
};
use crate::names;
use std::collections::HashSet;
use wit_parser::abi::{WasmSignature, WasmType};
use wit_parser::{
    Function as WitFunction, FunctionKind, LiftLowerAbi, Mangling, ManglingAndAbi, Param as WitParam, Resolve,
    TypeDefKind, WasmExport, WasmExportKind, WasmImport, WorldItem, WorldKey,
};

impl Resolver<'_> {
    /// Gives every module its functions.
    pub(crate) fn define_functions(&mut self) {
        let resolve = self.resolve;
        let world = &resolve.worlds[self.world];
        let mut root_exports = Vec::new();
        for (key, item) in &world.imports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let module = self.module_of[id];
                    if self.modules[module.0].home.is_none() {
                        for function in resolve.interfaces[*id].functions.values() {
                            self.import(function, Some(key), module);
                        }
                    }
                }
                WorldItem::Function(function) => self.import(function, None, ROOT),
                WorldItem::Type { .. } => {}
            }
        }
        for (key, item) in &world.exports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let functions: Vec<_> = resolve.interfaces[*id].functions.values().collect();
                    self.exports(&functions, Some(key), self.module_of[id]);
                }
                WorldItem::Function(function) => root_exports.push(function),
                WorldItem::Type { .. } => {}
            }
        }
        if !root_exports.is_empty() {
            self.exports(&root_exports, None, ROOT);
        }
    }

    fn import(&mut self, function: &WitFunction, interface: Option<&WorldKey>, module: ModuleId) {
        if self.options.skip.contains(&function.name) {
            return;
        }
        let is_async = self.is_async(function, interface, true);
        let abi = if is_async { LiftLowerAbi::AsyncCallback } else { LiftLowerAbi::Sync };
        let mangling = ManglingAndAbi::Legacy(abi);
        let signature = self.resolve.wasm_signature(mangling.import_variant(), function);
        let (import_module, name) =
            self.resolve.wasm_import_name(mangling, WasmImport::Func { interface, func: function });
        let plan = ImportPlan {
            module: import_module,
            name,
            params: params_plan(&signature, signature.retptr),
            result: result_plan(&signature),
        };
        let params = match (self.side, is_async) {
            (Side::Host, _) => self.params_of_host(function, is_async),
            (Side::Guest, true) => self.params_of_async_import(function),
            (Side::Guest, false) => self.params(function, true),
        };
        let chain = self.chain_of(function, interface);
        let function = self.function(function, is_async, params, chain, CallPlan::Import(plan), module);
        self.place(function, module);
    }

    /// Puts an imported function where it belongs: to its resource, or into the module.
    fn place(&mut self, function: Function, module: ModuleId) {
        match function.kind {
            FuncKind::Free => self.modules[module.0].imports.push(function),
            FuncKind::Method(id) | FuncKind::Static(id) | FuncKind::Constructor(id) => match &mut self.types[id.0].kind
            {
                TypeKind::ImportedResource(resource) => resource.functions.push(function),
                TypeKind::ExportedResource(resource) => resource.functions.push(function),
                _ => self.modules[module.0].imports.push(function),
            },
        }
    }

    fn exports(&mut self, functions: &[&WitFunction], interface: Option<&WorldKey>, module: ModuleId) {
        let resources = self.modules[module.0].types.iter().copied();
        let resources: Vec<_> =
            resources.filter(|id| matches!(self.types[id.0].kind, TypeKind::ExportedResource(_))).collect();
        let mut free = Vec::new();
        for function in functions {
            if self.options.skip.contains(&function.name) {
                continue;
            }
            let function = self.export(function, interface, module);
            if function.kind == FuncKind::Free { free.push(function) } else { self.place(function, module) }
        }
        if free.is_empty() && resources.is_empty() {
            return;
        }
        let macro_part = match interface {
            Some(key) => key_name(self.resolve, key),
            None => format!("world-{}", self.resolve.worlds[self.world].name),
        };
        let macro_part: String = macro_part.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        self.modules[module.0].guest = Some(Guest {
            trait_name: "Guest".to_string(),
            macro_name: format!("__export_{macro_part}_cabi"),
            resources,
            functions: free,
        });
    }

    fn export(&mut self, function: &WitFunction, interface: Option<&WorldKey>, module: ModuleId) -> Function {
        let is_async = self.is_async(function, interface, false);
        let abi = if is_async { LiftLowerAbi::AsyncCallback } else { LiftLowerAbi::Sync };
        let mangling = ManglingAndAbi::Legacy(abi);
        let signature = self.resolve.wasm_signature(mangling.export_variant(), function);
        let symbol = |kind| {
            let export = WasmExport::Func { interface, func: function, kind };
            self.prefixed(self.resolve.wasm_export_name(mangling, export))
        };
        let result = function.result.map(|ty| self.usages.of_type(&ty)).unwrap_or_default();
        let task_return = is_async.then(|| {
            let (module, name, signature) = function.task_return_import(self.resolve, interface, Mangling::Legacy);
            TaskReturn { module, name, result: params_plan(&signature, false) }
        });
        let lends = function.params.iter().enumerate().any(|(i, param)| {
            let own_self = i == 0 && matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
            !own_self && self.lends(&param.ty)
        });
        let plan = ExportPlan {
            name: symbol(WasmExportKind::Normal),
            callback: is_async.then(|| symbol(WasmExportKind::Callback)),
            post_return: (!is_async && result.list).then(|| symbol(WasmExportKind::PostReturn)),
            params: params_plan(&signature, false),
            result: if is_async { ResultPlan::None } else { result_plan(&signature) },
            task_return,
            lends,
        };
        let params = self.params(function, self.side == Side::Host);
        self.function(function, is_async, params, None, CallPlan::Export(plan), module)
    }

    fn function(
        &mut self,
        function: &WitFunction,
        is_async: bool,
        params: Vec<Param>,
        chain: Option<Chain>,
        plan: CallPlan,
        module: ModuleId,
    ) -> Function {
        let resource = function.kind.resource().map(|id| self.rust_type(id, true));
        let kind = match (&function.kind, resource) {
            (FunctionKind::Method(_) | FunctionKind::AsyncMethod(_), Some(id)) => FuncKind::Method(id),
            (FunctionKind::Static(_) | FunctionKind::AsyncStatic(_), Some(id)) => FuncKind::Static(id),
            (FunctionKind::Constructor(_), Some(id)) => FuncKind::Constructor(id),
            _ => FuncKind::Free,
        };
        let name = match kind {
            FuncKind::Constructor(_) => "new".to_string(),
            _ => names::snake(function.item_name()),
        };
        let host = self.host_function(function, &name, &params);
        Function {
            host,
            name,
            glue: self.glue(function, module),
            wit_name: function.name.clone(),
            span: span(function.span),
            docs: docs(&function.docs, &function.stability),
            kind,
            is_async,
            params,
            result: function.result.map(|ty| self.owned_type(&ty)),
            streams: function.result.is_some_and(|ty| self.usages.of_type(&ty).streams),
            chain,
            params_words: self.words(&function.params.iter().map(|param| param.ty).collect::<Vec<_>>()),
            result_words: self.words(function.result.as_slice()),
            plan,
        }
    }

    /// Words of eight bytes that values take in memory one after the other.
    fn words(&self, types: &[wit_parser::Type]) -> [usize; 2] {
        let size = self.sizes.record(types.iter()).size;
        [size.size_wasm32().div_ceil(8), size.size_wasm64().div_ceil(8)]
    }

    /// What glue is called after, unique in the module.
    fn glue(&self, function: &WitFunction, module: ModuleId) -> String {
        let mut glue = names::snake_part(&function.name);
        let module = &self.modules[module.0];
        let of_types = module.types.iter().flat_map(|id| match &self.types[id.0].kind {
            TypeKind::ImportedResource(resource) => resource.functions.as_slice(),
            TypeKind::ExportedResource(resource) => resource.functions.as_slice(),
            _ => &[],
        });
        let of_guest = module.guest.iter().flat_map(|guest| &guest.functions);
        let taken: HashSet<&str> =
            of_types.chain(&module.imports).chain(of_guest).map(|function| function.glue.as_str()).collect();
        while taken.contains(glue.as_str()) {
            glue.push('_');
        }
        glue
    }

    pub(crate) fn params(&mut self, function: &WitFunction, lent: bool) -> Vec<Param> {
        let method = matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
        let params = function.params.iter().enumerate().map(|(i, param)| {
            let ty = if lent { self.lent_type(&param.ty) } else { self.owned_type(&param.ty) };
            Param {
                name: if method && i == 0 { "self".to_string() } else { names::snake(&param.name) },
                wit_name: param.name.clone(),
                span: span(param.span),
                owned: if self.side == Side::Host { self.owned_type(&param.ty) } else { ty.clone() },
                ty,
                streams: self.usages.of_type(&param.ty).streams,
                borrows: false,
            }
        });
        params.collect()
    }

    fn params_of_async_import(&mut self, function: &WitFunction) -> Vec<Param> {
        let mut params = self.params(function, false);
        if self.options.borrowed_async_params {
            for (param, WitParam { ty, .. }) in params.iter_mut().zip(&function.params) {
                param.borrows = self.is_borrowable(ty);
            }
        }
        params
    }

    /// Plain data that it pays to pass by reference.
    fn is_borrowable(&self, ty: &wit_parser::Type) -> bool {
        use wit_parser::Type;
        let Type::Id(id) = ty else { return *ty == Type::String };
        let kind = &self.resolve.types[super::usage::definition(self.resolve, *id)].kind;
        let borrowable = matches!(
            kind,
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::List(_) | TypeDefKind::Type(Type::String)
        );
        borrowable && !self.usages.of_type(ty).resource
    }

    fn is_async(&mut self, function: &WitFunction, interface: Option<&WorldKey>, import: bool) -> bool {
        let name = self.qualified(&function.name, interface);
        let sync = self.sync.matches(&name, import);
        function.kind.is_async() && !sync
    }

    fn chain_of(&mut self, function: &WitFunction, interface: Option<&WorldKey>) -> Option<Chain> {
        let (FunctionKind::Method(resource) | FunctionKind::AsyncMethod(resource)) = function.kind else { return None };
        if function.result.is_some() {
            return None;
        }
        let resource = self.resolve.types[resource].name.as_deref().unwrap_or_default();
        let resource = self.qualified(resource, interface);
        let method = self.qualified(&function.name, interface);
        self.chain.matches(&resource, &method)
    }

    fn qualified(&self, name: &str, interface: Option<&WorldKey>) -> String {
        qualified(self.resolve, name, interface)
    }

    /// Some part of the type is a borrow of a resource that another component implements.
    fn lends(&self, ty: &wit_parser::Type) -> bool {
        self.usages.of_type(ty).lends
    }
}

/// Returns the name that filters know a function or a resource by: `interface#name`.
pub(super) fn qualified(resolve: &Resolve, name: &str, interface: Option<&WorldKey>) -> String {
    interface.map_or_else(|| name.to_string(), |key| format!("{}#{name}", key_name(resolve, key)))
}

/// Core parameters without the pointer to the result.
fn params_plan(signature: &WasmSignature, retptr: bool) -> ParamsPlan {
    if signature.indirect_params {
        return ParamsPlan::Indirect;
    }
    let params = signature.params.len() - usize::from(retptr);
    ParamsPlan::Flat(signature.params[..params].iter().map(core).collect())
}

fn result_plan(signature: &WasmSignature) -> ResultPlan {
    match signature.results.first() {
        _ if signature.retptr => ResultPlan::Indirect,
        Some(result) => ResultPlan::Flat(core(result)),
        None => ResultPlan::None,
    }
}

fn core(ty: &WasmType) -> Core {
    match ty {
        WasmType::I32 => Core::I32,
        WasmType::I64 | WasmType::PointerOrI64 => Core::I64,
        WasmType::F32 => Core::F32,
        WasmType::F64 => Core::F64,
        WasmType::Pointer | WasmType::Length => Core::Pointer,
    }
}
