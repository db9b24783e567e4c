//! The object that links the runtime with other runtimes in the same module, and the archive it is in.
//!
//! It has what stable Rust cannot say: symbols in COMDAT groups. Every version of this runtime brings such an object, and
//! of all of them the linker keeps one. They are strong symbols, so that they win over those of `wit-bindgen`, which are
//! weak: of two weak symbols the first wins, and what comes first depends on the order of crates.
//!
//! | symbol | what it is | COMDAT group |
//! |---|---|---|
//! | `wasp_wasip3_task` | the word that points to the current task | `wasip3_task_set` |
//! | `wasip3_task_set` | swaps the word; what `wit-bindgen` calls | `wasip3_task_set` |
//! | `cabi_realloc` | what the engine calls: forwards to the runtime's function, which has the version in its name | `cabi_realloc` |
//! | `wasp_cabi_realloc` | the same function by a name that nobody else defines | `cabi_realloc` |
//!
//! A reference to either of the names that begin with `wasp_` therefore takes this object from its archive.
//!
//! The format is that of LLVM's [linking conventions](https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md).
//! `wasm-encoder` lacks some of it: COMDAT groups, names of segments, and code with room for the linker's numbers.

use wasm_encoder::{
    ConstExpr, CustomSection, DataSection, EntityType, FunctionSection, GlobalType, ImportSection, MemoryType, Module,
    RawSection, SectionId, TypeSection, ValType,
};

/// The name of the archive's file, for this version of the runtime.
pub fn file_name(version: &str) -> String {
    format!("libwasp_beside_{version}.a")
}

/// Makes the archive for this version of the runtime.
pub fn archive(version: &str) -> Vec<u8> {
    let object = object(version);
    let symbols = ["wasip3_task_set", "cabi_realloc", "wasp_cabi_realloc", "wasp_wasip3_task"];
    let long_name = format!("wasp_beside_{version}.o/\n");

    let names = symbols.map(|symbol| format!("{symbol}\0")).concat();
    let index_len = 4 + 4 * symbols.len() + names.len();
    let offset = MAGIC.len() + member_len(index_len) + member_len(long_name.len());
    let mut index = (symbols.len() as u32).to_be_bytes().to_vec();
    index.extend((offset as u32).to_be_bytes().repeat(symbols.len()));
    index.extend(names.as_bytes());

    let mut archive = MAGIC.to_vec();
    member("/", &index, &mut archive);
    member("//", long_name.as_bytes(), &mut archive);
    debug_assert_eq!(archive.len(), offset, "the index points to the object");
    member("/0", &object, &mut archive);
    archive
}

const MAGIC: &[u8] = b"!<arch>\n";
const MEMBER_HEADER: usize = 60;

/// How many bytes a member takes: they begin at even offsets.
fn member_len(contents: usize) -> usize {
    MEMBER_HEADER + contents + contents % 2
}

/// Appends a member, without date or owner.
fn member(name: &str, contents: &[u8], to: &mut Vec<u8>) {
    let (date, owner, group, mode) = (0, 0, 0, 644);
    let header = format!("{name:<16}{date:<12}{owner:<6}{group:<6}{mode:<8}{:<10}`\n", contents.len());
    debug_assert_eq!(header.len(), MEMBER_HEADER, "all fields fit");
    to.extend(header.as_bytes());
    to.extend(contents);
    to.resize(to.len().next_multiple_of(2), b'\n');
}

// Indices in the object.
const TYPE_SET: u32 = 0;
const TYPE_REALLOC: u32 = 1;
const FUNCTION_FORWARD: u32 = 0;
const FUNCTION_SET: u32 = 1;
const FUNCTION_REALLOC: u32 = 2;
const GLOBAL_MEMORY_BASE: u32 = 0;
const SEGMENT_WORD: u32 = 0;
const SYMBOL_WORD: u32 = 3;
const SYMBOL_FORWARD: u32 = 4;
const SYMBOL_MEMORY_BASE: u32 = 5;

/// Makes the object.
fn object(version: &str) -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    module.section(&types);

    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    let base = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
    let mut imports = ImportSection::new();
    imports.import("env", "__linear_memory", memory);
    imports.import("env", "__memory_base", base);
    imports.import("env", &format!("cabi_realloc_wasp_{version}"), EntityType::Function(TYPE_REALLOC));
    module.section(&imports);

    let mut functions = FunctionSection::new();
    functions.function(TYPE_SET).function(TYPE_REALLOC);
    module.section(&functions);

    let code = Code::new();
    module.section(&RawSection { id: SectionId::Code.into(), data: &code.body });
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), [0; 4]);
    module.section(&data);
    module.section(&CustomSection { name: "linking".into(), data: linking().into() });
    module.section(&CustomSection { name: "reloc.CODE".into(), data: code.relocations().into() });
    module.finish()
}

/// A number that the linker puts into code.
struct Relocation {
    kind: u8,
    /// From the start of the section's contents.
    offset: usize,
    symbol: u32,
    has_addend: bool,
}

/// The code section, with a note of what the linker fills in.
struct Code {
    body: Vec<u8>,
    holes: Vec<Relocation>,
}

impl Code {
    const SECTION: u32 = 3;
    const FUNCTION_INDEX_LEB: u8 = 0;
    const GLOBAL_INDEX_LEB: u8 = 7;
    const MEMORY_ADDR_REL_SLEB: u8 = 11;
    /// Zero, in as many bytes as the greatest number takes.
    const HOLE: [u8; 5] = [0x80, 0x80, 0x80, 0x80, 0];

    fn new() -> Code {
        let mut code = Code { body: vec![2], holes: Vec::new() };
        // The address is relative to the base, as in code that shares its memory with other modules.
        code.function(|code| {
            code.bytes(&[1, 1, 0x7f]); // one local of type i32
            code.bytes(&[0x23]); // global.get
            code.hole(Self::GLOBAL_INDEX_LEB, SYMBOL_MEMORY_BASE, false);
            code.bytes(&[0x41]); // i32.const
            code.hole(Self::MEMORY_ADDR_REL_SLEB, SYMBOL_WORD, true);
            code.bytes(&[0x6a]); // i32.add
            code.bytes(&[0x22, 1]); // local.tee 1
            code.bytes(&[0x28, 2, 0]); // i32.load
            code.bytes(&[0x20, 1, 0x20, 0]); // local.get 1, local.get 0
            code.bytes(&[0x36, 2, 0]); // i32.store
        });
        code.function(|code| {
            code.bytes(&[0]); // no locals
            code.bytes(&[0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3]); // local.get 0 to 3
            code.bytes(&[0x10]); // call
            code.hole(Self::FUNCTION_INDEX_LEB, SYMBOL_FORWARD, false);
        });
        code
    }

    /// Appends a function; both are so short that their lengths take a byte.
    fn function(&mut self, contents: impl FnOnce(&mut Code)) {
        let start = self.body.len();
        self.body.push(0);
        contents(self);
        self.body.push(0x0b); // end
        self.body[start] = (self.body.len() - start - 1) as u8;
        debug_assert!(self.body[start] < 0x80, "the length takes a byte");
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend(bytes);
    }

    fn hole(&mut self, kind: u8, symbol: u32, has_addend: bool) {
        self.holes.push(Relocation { kind, offset: self.body.len(), symbol, has_addend });
        self.body.extend(Self::HOLE);
    }

    /// Makes the contents of `reloc.CODE`.
    fn relocations(&self) -> Vec<u8> {
        let mut section = Vec::new();
        number(Self::SECTION, &mut section);
        number(self.holes.len() as u32, &mut section);
        for hole in &self.holes {
            section.push(hole.kind);
            number(hole.offset as u32, &mut section);
            number(hole.symbol, &mut section);
            if hole.has_addend {
                section.push(0);
            }
        }
        section
    }
}

/// Makes the contents of `linking`: symbols, segments and COMDAT groups.
fn linking() -> Vec<u8> {
    const VERSION: u8 = 2;
    const SEGMENTS: u8 = 5;
    const COMDATS: u8 = 7;
    const SYMBOLS: u8 = 8;
    let mut section = vec![VERSION];
    subsection(SYMBOLS, &symbols(), &mut section);
    subsection(SEGMENTS, &segments(), &mut section);
    subsection(COMDATS, &comdats(), &mut section);
    section
}

fn symbols() -> Vec<u8> {
    const FUNCTION: u8 = 0;
    const DATA: u8 = 1;
    const GLOBAL: u8 = 2;
    // Strong is what none of the flags says.
    const HIDDEN: u32 = 0x04;
    const UNDEFINED: u32 = 0x10;
    const EXPORTED: u32 = 0x20;
    const NO_STRIP: u32 = 0x80;
    let mut table = vec![6];
    let mut function = |flags, index, text: &str| {
        table.push(FUNCTION);
        number(flags, &mut table);
        number(index, &mut table);
        name(text, &mut table);
    };
    function(HIDDEN, FUNCTION_SET, "wasip3_task_set");
    function(HIDDEN | EXPORTED | NO_STRIP, FUNCTION_REALLOC, "cabi_realloc");
    function(HIDDEN, FUNCTION_REALLOC, "wasp_cabi_realloc");
    table.push(DATA);
    number(HIDDEN, &mut table);
    name("wasp_wasip3_task", &mut table);
    let (offset, size) = (0, 4);
    for value in [SEGMENT_WORD, offset, size] {
        number(value, &mut table);
    }
    // These have the names of their imports.
    for (kind, index) in [(FUNCTION, FUNCTION_FORWARD), (GLOBAL, GLOBAL_MEMORY_BASE)] {
        table.push(kind);
        number(UNDEFINED, &mut table);
        number(index, &mut table);
    }
    table
}

fn segments() -> Vec<u8> {
    let (align_log2, flags) = (2, 0);
    let mut table = vec![1];
    name(".bss.wasp_wasip3_task", &mut table);
    number(align_log2, &mut table);
    number(flags, &mut table);
    table
}

fn comdats() -> Vec<u8> {
    const DATA: u8 = 0;
    const FUNCTION: u8 = 1;
    let groups: [(&str, &[(u8, u32)]); 2] = [
        ("wasip3_task_set", &[(FUNCTION, FUNCTION_SET), (DATA, SEGMENT_WORD)]),
        ("cabi_realloc", &[(FUNCTION, FUNCTION_REALLOC)]),
    ];
    let mut table = vec![groups.len() as u8];
    for (group, members) in groups {
        let flags = 0;
        name(group, &mut table);
        number(flags, &mut table);
        number(members.len() as u32, &mut table);
        for (kind, index) in members {
            table.push(*kind);
            number(*index, &mut table);
        }
    }
    table
}

/// Appends a number in LEB128.
fn number(mut value: u32, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn name(text: &str, to: &mut Vec<u8>) {
    number(text.len() as u32, to);
    to.extend(text.as_bytes());
}

fn subsection(id: u8, contents: &[u8], to: &mut Vec<u8>) {
    to.push(id);
    number(contents.len() as u32, to);
    to.extend(contents);
}
